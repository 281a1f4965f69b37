"""The state of a worker process: its context, its carrier, and its periodic tasks."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app.providers.base import Carrier, TellsTime
from app.providers.registry import configured_account, make_carrier
from app.runtime.clock import CalibratedClock, Clock
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
"""It reserves, records and reads, one of each at a time."""
_RESTART_SECONDS: Final = 1.0


@dataclass(slots=True)
class WorkerState:
    """The state of a dialing worker."""

    context: AppContext
    clock: Clock
    calibrated: CalibratedClock
    """What `clock` goes by."""
    carrier: Carrier
    carrier_account_id: int
    dialer: Dialer
    name: str


@asynccontextmanager
async def dialing() -> AsyncIterator[dict[Any, Any]]:
    """Run the dialer and its periodic tasks. At the end all reservations are placed or given back."""
    install_from_environment()
    calibrated = CalibratedClock()
    context = build_context(get_settings(), clock=calibrated, ping=False)
    state = await _state(context, calibrated)
    await _calibrate(state)
    tasks = [
        asyncio.create_task(_repeat(_beat(state, "dial"), HEARTBEAT_SECONDS), name="heartbeat"),
        asyncio.create_task(_repeat(_reconcile(state), RECONCILE_SECONDS), name="reconciler"),
        asyncio.create_task(_repeat(_start_scheduled(state), LAUNCH_SECONDS), name="launcher"),
        asyncio.create_task(_repeat(_end_calls(state), END_CALLS_SECONDS), name="hanging up"),
        asyncio.create_task(_repeat(_rest_numbers(state), NUMBERS_SECONDS), name="numbers"),
        asyncio.create_task(_repeat(_configure_inbound(state), INBOUND_SECONDS), name="inbound"),
        asyncio.create_task(_repeat(_collect_prices(state), PRICES_SECONDS), name="prices"),
    ]
    dialer = asyncio.create_task(_run_dialer(state.dialer), name="dialer")
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
    """Open the context of a worker for long work."""
    context = build_context(get_settings())
    started_at, name = context.clock.now(), _name()

    async def beat_once() -> None:
        await context.database.write(
            lambda session: beat(
                session, worker=name, queue="bulk", started_at=started_at, now=context.clock.now()
            )
        )

    heartbeat = asyncio.create_task(_repeat(beat_once, HEARTBEAT_SECONDS), name="heartbeat")
    try:
        yield {"context": context}
    finally:
        await end_tasks(heartbeat)
        await context.close()


async def _state(context: AppContext, calibrated: CalibratedClock) -> WorkerState:
    clock = context.clock
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
        is_sure_of_the_time=lambda: not calibrated.doubt,
    )
    return WorkerState(context, clock, calibrated, carrier, row.id, dialer, name)


def dialing_database(url: str, *, on_commit: Announcer | None = None) -> Database:
    """Return a separate pool for a dialer: rollbacks of others cannot remove its prepared statements."""
    return Database(url, pool_size=DIALER_CONNECTIONS, on_commit=on_commit, ping=False, by_index=True)


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def _beat(state: WorkerState, queue: str) -> Work:
    started_at = state.clock.now()

    async def once() -> None:
        await _calibrate(state)
        await state.context.database.write(
            lambda session: beat(
                session,
                worker=state.name,
                queue=queue,
                started_at=started_at,
                now=state.clock.now(),
                problem=state.calibrated.doubt,
            )
        )

    return once


async def _calibrate(state: WorkerState) -> None:
    """Compare the clock with the database's and, if one of them was set, with the carrier's."""
    carrier = state.carrier

    async def carriers_time() -> datetime | None:
        return await carrier.time() if isinstance(carrier, TellsTime) else None

    await calibrate(state.context.database, state.calibrated, carriers_time=carriers_time)
    if state.calibrated.doubt:
        log.error("worker.clock_in_doubt", extra={"why": state.calibrated.doubt})


def _reconcile(state: WorkerState) -> Work:
    """Reconcile attempts without news, and set aside those of carrier accounts not in use."""

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
    """End calls that should not go on: queued ones whose calling hours end, and second calls."""

    async def once() -> None:
        await end_calls(
            state.context.database,
            state.carrier,
            carrier_account_id=state.carrier_account_id,
            clock=state.clock,
        )

    return once


def _rest_numbers(state: WorkerState) -> Work:
    """Rest numbers with a low answer rate, and put back those whose rest is over."""

    async def once() -> None:

        async def work(session: AsyncSession) -> None:
            await end_rests(session, now=state.clock.now())
            await rest_seldom_answered(session, now=state.clock.now())

        await state.context.database.write(work)

    return once


def _configure_inbound(state: WorkerState) -> Work:
    """Have the carrier report texts to our numbers, new ones included."""
    return lambda: hear_texts(
        state.context.database,
        state.carrier,
        carrier_account_id=state.carrier_account_id,
        clock=state.clock,
    )


def _collect_prices(state: WorkerState) -> Work:
    """Fetch the prices of ended attempts, in small batches."""

    async def once() -> None:
        await collect_prices(
            state.context.database,
            state.carrier,
            carrier_account_id=state.carrier_account_id,
            clock=state.clock,
            speed=state.context.settings.carrier_speed,
        )

    return once


def _start_scheduled(state: WorkerState) -> Work:
    """Start scheduled campaigns that are due: not while the time is in doubt, which may be a day ahead."""

    async def once() -> None:
        if state.calibrated.doubt:
            return
        await launch_scheduled(
            state.context.database,
            state.carrier,
            carrier_account_id=state.carrier_account_id,
            clock=state.clock,
        )

    return once


async def _repeat(work: Work, seconds: float) -> None:
    """Repeat the work, with a pause after each run. Errors are logged."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("worker.task_failed")
        await asyncio.sleep(seconds)


async def _run_dialer(dialer: Dialer) -> None:
    """Run the dialer; if it fails, start it again. The rows say what it was doing."""
    while not dialer.stopping:
        try:
            await dialer.run()
        except Exception:
            log.exception("dialer.fell_over")
            await asyncio.sleep(_RESTART_SECONDS)
