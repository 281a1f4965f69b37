"""Cron work of the dial queue."""

from typing import Any

from worker.runtime import WorkerState


async def ring_the_doorbell(ctx: dict[Any, Any]) -> None:
    """Wake the dialer, should every other ring have been missed."""
    state: WorkerState = ctx["state"]
    state.dialer.ring()
