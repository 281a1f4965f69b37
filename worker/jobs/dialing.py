"""Cron work of the dial queue."""

from typing import Any

from worker.runtime import WorkerState


async def wake_dialer(ctx: dict[Any, Any]) -> None:
    """Wake the dialer, in case all other signals were missed."""
    state: WorkerState = ctx["state"]
    state.dialer.wake()
