"""F24: the menu itself is tested. Three policies that are wrong on purpose must be caught by the checker.

They replace parts of the engine in a dialer inside this process; the product has no such options.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.providers.base import Carrier
from app.providers.registry import configured_account, make_carrier
from app.runtime.tasks import end_tasks
from app.services.dialing.place import carrier_answer
from app.services.dialing.reconcile import overdue_attempts
from app.services.dialing.reconcile.overdue_attempts import reconcile_overdue
from app.services.dialing.settle.locked_attempts import LockedAttempt
from app.services.dialing.settle.outcomes import give_back
from app.services.numbers.carriers import ensure_carrier_account
from tests.faults.harness import SPEED, World
from tests.faults.menu.base import Outcome
from tests.faults.processes import TookTooLong
from worker.dialer import Dialer

Patches = Mapping[tuple[ModuleType, str], Any]

MOST_SECONDS: Final = 25.0
"""How long a wrong policy may work; some never come to an end."""
RECONCILE_SECONDS: Final = 0.5


async def place_again(session: AsyncSession, attempt: LockedAttempt, reason: str, *, now: datetime) -> None:
    """At least once: what is unclear goes back in line."""
    await give_back(session, attempt, reason=reason, now=now)


async def forget(session: AsyncSession, attempt: LockedAttempt, reason: str, *, now: datetime) -> None:
    """At most once: what is unclear is dropped, and nobody asks."""
    await session.execute(text("DELETE FROM attempt WHERE id = :id"), {"id": attempt.attempt_id})


AT_LEAST_ONCE: Final[Patches] = {(carrier_answer, "_mark_unknown"): place_again}
AT_MOST_ONCE: Final[Patches] = {(carrier_answer, "_mark_unknown"): forget}
HASTY: Final[Patches] = {
    (overdue_attempts, "SETTLE"): timedelta(0),
    (carrier_answer, "ASK_AFTER"): timedelta(0),
}


_UNTOLD: Final[Mapping[str, object]] = {"lose_callback": 1.0}
"""A callback that comes before our own answer is recorded makes that answer clear: nothing is left to do wrong."""


async def at_least_once(world: World, outcome: Outcome) -> None:
    """Whatever was unclear is placed again: people are called twice."""
    await _dial_wrongly(world, outcome, AT_LEAST_ONCE, {**_UNTOLD, "error_after_accept": 0.5})


async def at_most_once(world: World, outcome: Outcome) -> None:
    """Whatever was unclear is dropped: people are lost, calls belong to nobody."""
    await _dial_wrongly(
        world, outcome, AT_MOST_ONCE, {**_UNTOLD, "error_after_accept": 0.2, "error_before_accept": 0.1}
    )


async def hasty(world: World, outcome: Outcome) -> None:
    """An empty look is believed before the carrier has accepted what it was sent: people are called twice."""
    await _dial_wrongly(world, outcome, HASTY, {"accept_late": {"probability": 0.2, "seconds": 3 * SPEED}})


async def _dial_wrongly(
    world: World, outcome: Outcome, patches: Patches, faults: Mapping[str, object]
) -> None:
    await world.set_faults(**faults)
    campaign_id = await world.start_campaign(outcome.contacts)
    with ExitStack() as stack:
        for (module, name), replacement in patches.items():
            stack.enter_context(patch.object(module, name, replacement))
        async with _dialing_here(world):
            with suppress(TookTooLong):
                await world.completed(campaign_id, seconds=MOST_SECONDS)
            outcome.done = await world.struck()


@asynccontextmanager
async def _dialing_here(world: World) -> AsyncIterator[None]:
    """A dialer and a reconciler in this process, as a worker has them."""
    context = world.context
    async with context.database.transaction() as session:
        account = await ensure_carrier_account(session, world.carrier_identity, now=context.clock.now())
    carrier = make_carrier(configured_account(world.settings))
    dialer = Dialer(
        database=context.database,
        feed=context.feed,
        carrier=carrier,
        clock=context.clock,
        worker="wrong",
        carrier_account_id=account.id,
    )
    dialing = asyncio.create_task(dialer.run())
    asking = asyncio.create_task(_keep_asking(world, carrier, account.id))
    try:
        yield
    finally:
        dialer.stop()
        await end_tasks(asking)
        await asyncio.gather(dialing, return_exceptions=True)
        await carrier.aclose()


async def _keep_asking(world: World, carrier: Carrier, account_id: int) -> None:
    context = world.context
    while True:
        await reconcile_overdue(
            context.database, carrier, carrier_account_id=account_id, clock=context.clock, speed=SPEED
        )
        await asyncio.sleep(RECONCILE_SECONDS)
