"""What a worker process holds while it runs: its seams, its carrier, its standing tasks."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app.providers.base import Carrier
from app.providers.registry import configured_account, make_carrier
from app.runtime.clock import CalibratedClock
from app.runtime.config import get_settings
from app.runtime.context import AppContext, build_context
from app.runtime.database import Announcer, Database, calibrate
from app.runtime.fault_points import install_from_environment
from app.runtime.tasks import end_tasks
from app.services.campaigns.scheduled_starts import launch_scheduled
from app.services.dialing.reconcile.overdue_attempts import reconcile_overdue, set_aside_other_accounts
from app.services.dialing.reconcile.prices import collect_prices
from app.services.dialing.settle.hang_up import end_calls
from app.services.heartbeats import beat
from app.services.numbers.carriers import ensure_carrier_account, identity_of
from app.services.numbers.inbound import hear_texts
from app.services.numbers.resting import end_rests, rest_seldom_answered
from worker.dialer import Dialer

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]

HEARTBEAT_SECONDS: Final = 5.0
RECONCILE_SECONDS: Final = 2.0
LAUNCH_SECONDS: Final = 1.0
END_CALLS_SECONDS: Final = 0.5
NUMBERS_SECONDS: Final = 30.0
INBOUND_SECONDS: Final = 5.0
PRICES_SECONDS: Final = 5.0
DIALER_CONNECTIONS: Final = 4
"""It reserves, records and looks, one of each at a time."""
_RESTART_SECONDS: Final = 1.0


@dataclass(slots=True)
class WorkerState:
    """The state of a dialing worker."""

    context: AppContext
    clock: CalibratedClock
    carrier: Carrier
    carrier_account_id: int
    dialer: Dialer
    name: str


@asynccontextmanager
async def dialing() -> AsyncIterator[dict[Any, Any]]:
    """Begin the standing dialer and what surrounds it; at the end place or give back what is reserved."""
    install_from_environment()
    clock = CalibratedClock()
    context = build_context(get_settings(), clock=clock, ping=False)
    await calibrate(context.database, clock)
    state = await _state(context, clock)
    tasks = [
        asyncio.create_task(_keep(_beat(state, "dial"), HEARTBEAT_SECONDS), name="heartbeat"),
        asyncio.create_task(_keep(_ask_the_carrier(state), RECONCILE_SECONDS), name="reconciler"),
        asyncio.create_task(_keep(_launch(state), LAUNCH_SECONDS), name="launcher"),
        asyncio.create_task(_keep(_end_calls(state), END_CALLS_SECONDS), name="hanging up"),
        asyncio.create_task(_keep(_look_after_numbers(state), NUMBERS_SECONDS), name="numbers"),
        asyncio.create_task(_keep(_hear(state), INBOUND_SECONDS), name="inbound"),
        asyncio.create_task(_keep(_ask_for_prices(state), PRICES_SECONDS), name="prices"),
    ]
    dialer = asyncio.create_task(_keep_dialing(state.dialer), name="dialer")
    try:
        yield {"context": context, "state": state}
    finally:
        state.dialer.stop()
        await end_tasks(*tasks)
        await dialer
        await state.carrier.aclose()
        await state.dialer.database.dispose()
        await context.close()


@asynccontextmanager
async def bulk_work() -> AsyncIterator[dict[Any, Any]]:
    """Open the seams of a worker for long work."""
    context = build_context(get_settings())
    started_at, name = context.clock.now(), _name()

    async def beat_once() -> None:
        await context.database.write(
            lambda session: beat(
                session, worker=name, queue="bulk", started_at=started_at, now=context.clock.now()
            )
        )

    heartbeat = asyncio.create_task(_keep(beat_once, HEARTBEAT_SECONDS), name="heartbeat")
    try:
        yield {"context": context}
    finally:
        await end_tasks(heartbeat)
        await context.close()


async def _state(context: AppContext, clock: CalibratedClock) -> WorkerState:
    account = configured_account(context.settings)
    identity = identity_of(account)
    row = await context.database.write(
        lambda session: ensure_carrier_account(session, identity, now=clock.now())
    )
    carrier, name = make_carrier(account), _name()
    dialer = Dialer(
        database=dialing_database(context.database.url, on_commit=context.feed.publish),
        feed=context.feed,
        carrier=carrier,
        clock=clock,
        worker=name,
        carrier_account_id=row.id,
    )
    return WorkerState(context, clock, carrier, row.id, dialer, name)


def dialing_database(url: str, *, on_commit: Announcer | None = None) -> Database:
    """Return connections for a dialer alone: nobody else's rollback makes them forget what they prepared."""
    return Database(url, pool_size=DIALER_CONNECTIONS, on_commit=on_commit, ping=False, by_index=True)


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def _beat(state: WorkerState, queue: str) -> Work:
    started_at = state.clock.now()

    async def once() -> None:
        await calibrate(state.context.database, state.clock)
        await state.context.database.write(
            lambda session: beat(
                session, worker=state.name, queue=queue, started_at=started_at, now=state.clock.now()
            )
        )

    return once


def _ask_the_carrier(state: WorkerState) -> Work:
    """Settle what is unproven or has gone quiet, and what waits for a carrier account not in use."""

    async def once() -> None:
        await state.context.database.write(
            lambda session: set_aside_other_accounts(
                session, carrier_account_id=state.carrier_account_id, now=state.clock.now()
            )
        )
        await reconcile_overdue(
            state.context.database,
            state.carrier,
            carrier_account_id=state.carrier_account_id,
            clock=state.clock,
            speed=state.context.settings.carrier_speed,
        )

    return once


def _end_calls(state: WorkerState) -> Work:
    """Have ended what should not go on: calls whose hours end in the carrier's queue, second calls."""

    async def once() -> None:
        await end_calls(
            state.context.database,
            state.carrier,
            carrier_account_id=state.carrier_account_id,
            clock=state.clock,
        )

    return once


def _look_after_numbers(state: WorkerState) -> Work:
    """Rest the numbers that are answered too seldom, and put back to work those that have rested."""

    async def once() -> None:

        async def work(session: AsyncSession) -> None:
            await end_rests(session, now=state.clock.now())
            await rest_seldom_answered(session, now=state.clock.now())

        await state.context.database.write(work)

    return once


def _hear(state: WorkerState) -> Work:
    """Have the carrier announce texts to our numbers: those just added too, whoever added them."""
    return lambda: hear_texts(
        state.context.database,
        state.carrier,
        carrier_account_id=state.carrier_account_id,
        clock=state.clock,
    )


def _ask_for_prices(state: WorkerState) -> Work:
    """Learn what ended attempts cost, a small batch at a time."""

    async def once() -> None:
        await collect_prices(
            state.context.database,
            state.carrier,
            carrier_account_id=state.carrier_account_id,
            clock=state.clock,
            speed=state.context.settings.carrier_speed,
        )

    return once


def _launch(state: WorkerState) -> Work:
    """Start the scheduled campaigns whose time has come."""

    async def once() -> None:
        await launch_scheduled(
            state.context.database,
            state.carrier,
            carrier_account_id=state.carrier_account_id,
            clock=state.clock,
        )

    return once


async def _keep(work: Work, seconds: float) -> None:
    """Do it every so often, for ever; what fails is logged and done again."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("worker.task_failed")
        await asyncio.sleep(seconds)


async def _keep_dialing(dialer: Dialer) -> None:
    """Run the dialer; should it ever fall over, begin it again: what it was doing is in the rows."""
    while not dialer.stopping:
        try:
            await dialer.run()
        except Exception:
            log.exception("dialer.fell_over")
            await asyncio.sleep(_RESTART_SECONDS)
