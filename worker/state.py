"""What a worker process holds while it runs: its seams, its carrier, its standing tasks."""

import asyncio
import logging
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from app.config import get_settings
from app.context import AppContext, build_context
from app.faults import install_from_environment
from app.providers.base import Carrier
from app.providers.registry import configured_account, make_carrier
from app.services.dialing.health import beat
from app.services.numbers.carriers import ensure_carrier_account, identity_of
from worker.dialer import Dialer

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 5.0
_RESTART_SECONDS: Final = 1.0


@dataclass(slots=True)
class WorkerState:
    """The state of a dialing worker; jobs find it as `ctx["state"]`."""

    context: AppContext
    carrier: Carrier
    carrier_account_id: int
    dialer: Dialer
    name: str
    started_at: datetime


async def start_dialing(ctx: dict[Any, Any]) -> None:
    """Begin the standing dialer and the heartbeat of this process."""
    install_from_environment()
    context = build_context(get_settings())
    account = configured_account(context.settings)
    identity = identity_of(account)
    async with context.database.transaction() as session:
        row = await ensure_carrier_account(session, identity, now=context.clock.now())
    carrier = make_carrier(identity.kind, account)
    name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    dialer = Dialer(
        database=context.database,
        feed=context.feed,
        carrier=carrier,
        clock=context.clock,
        worker=name,
        carrier_account_id=row.id,
    )
    ctx["context"] = context
    ctx["state"] = WorkerState(context, carrier, row.id, dialer, name, context.clock.now())
    ctx["tasks"] = [
        asyncio.create_task(_keep_dialing(dialer), name="dialer"),
        asyncio.create_task(_keep_beating(context, name, "dial"), name="heartbeat"),
    ]


async def stop_dialing(ctx: dict[Any, Any]) -> None:
    """Place or give back what is reserved, then close. Takes no longer than a request to the carrier may."""
    dialer_task, heartbeat = ctx["tasks"]
    state: WorkerState = ctx["state"]
    state.dialer.stop()
    heartbeat.cancel()
    await asyncio.gather(dialer_task, heartbeat, return_exceptions=True)
    await state.carrier.aclose()
    await state.context.close()


async def start_bulk(ctx: dict[Any, Any]) -> None:
    """Open the seams of a worker for long work."""
    context = build_context(get_settings())
    ctx["context"] = context
    name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    ctx["tasks"] = [asyncio.create_task(_keep_beating(context, name, "bulk"), name="heartbeat")]


async def stop_bulk(ctx: dict[Any, Any]) -> None:
    """Close the seams."""
    for task in ctx["tasks"]:
        task.cancel()
    await asyncio.gather(*ctx["tasks"], return_exceptions=True)
    await ctx["context"].close()


async def _keep_dialing(dialer: Dialer) -> None:
    """Run the dialer; should it ever fall over, begin it again: what it was doing is in the rows."""
    while not dialer.stopping:
        try:
            await dialer.run()
        except Exception:
            log.exception("dialer.fell_over")
            await asyncio.sleep(_RESTART_SECONDS)


async def _keep_beating(context: AppContext, name: str, queue: str) -> None:
    started_at = context.clock.now()
    while True:
        try:
            async with context.database.transaction() as session:
                await beat(session, worker=name, queue=queue, started_at=started_at, now=context.clock.now())
        except Exception:
            log.exception("heartbeat.failed")
        await context.clock.sleep(HEARTBEAT_SECONDS)
