"""Nobody is told of a deadlock: everybody locks in one order, and what loses one all the same is done again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import CampaignStatus
from app.domain.events import EventKind
from app.runtime.database import Database, quickly
from app.services.campaigns.lifecycle import cancel_campaign
from app.services.dialing.receive.webhooks import receive_all
from app.services.dialing.settle.locked_attempts import load_attempts
from tests.services.test_webhook_line import delivery
from tests.support.builders import principal
from tests.support.stage import DialingStage, set_stage
from tests.support.waiting import until

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
_HOLD = text("SELECT 1 FROM organization WHERE id = :id FOR UPDATE")


async def _until_waiting(database: Database, how_many: int) -> None:
    """Return when so many sessions wait for another one's lock."""

    async def waiting() -> bool:
        async with database.session() as session:
            return bool(await session.scalar(text(_WAITING)) == how_many)

    await until(waiting)


@pytest.mark.parametrize("by_driver", [False, True], ids=["by SQLAlchemy", "by the driver alone"])
async def test_two_writes_that_wait_for_each_other_both_succeed(
    database: Database, *, by_driver: bool
) -> None:
    first = (await set_stage(database, contacts=1)).organization.id
    second = (await set_stage(database, contacts=1)).organization.id
    both_hold_one = asyncio.Barrier(2)
    begun: list[int] = []

    async def hold(session: AsyncSession, organization_id: int) -> None:
        if by_driver:
            await quickly(
                session, "SELECT 1 FROM organization WHERE id = %(id)s FOR UPDATE", {"id": organization_id}
            )
        else:
            await session.execute(_HOLD, {"id": organization_id})

    def locking(one: int, other: int) -> Callable[[AsyncSession], Awaitable[int]]:
        async def work(session: AsyncSession) -> int:
            begun.append(one)
            await hold(session, one)
            if len(begun) <= 2:
                await both_hold_one.wait()
            await hold(session, other)
            return one

        return work

    async with asyncio.timeout(60):
        one, other = await asyncio.gather(
            database.write(locking(first, second)), database.write(locking(second, first))
        )
    assert (one, other) == (first, second)
    assert len(begun) >= 3, "one of them was done again"


async def test_a_write_that_always_loses_is_given_up_in_the_end(database: Database) -> None:
    tries = 0

    async def lose(session: AsyncSession) -> None:
        nonlocal tries
        tries += 1
        raise DBAPIError("UPDATE", {}, DeadlockDetected())

    with pytest.raises(DBAPIError):
        await database.write(lose)
    assert tries > 1


async def test_what_else_goes_wrong_is_done_once(database: Database) -> None:
    tries = 0

    async def fail(session: AsyncSession) -> None:
        nonlocal tries
        tries += 1
        await session.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError):
        await database.write(fail)
    assert tries == 1


async def test_news_of_many_attempts_lock_the_recipients_in_the_order_of_all_others(
    database: Database,
) -> None:
    """Locked in the order of the attempts' random ids they met a cancel, which goes by the recipients', half way."""
    stage = await set_stage(database, contacts=20, concurrent_limit=20)
    await stage.dial()
    recipients = sorted((attempt.recipient_id, attempt.id) for attempt in await stage.attempts())
    first = recipients[0][0]
    ids = {attempt_id for _, attempt_id in recipients}
    assert any(a > b for (_, a), (_, b) in pairwise(recipients)), "the orders differ"
    async with asyncio.TaskGroup() as tasks, _held(database, first):
        news = tasks.create_task(database.write(lambda session: load_attempts(session, ids)))
        await _until_waiting(database, 1)
        assert await _free(database, "recipient") == 19
        assert await _free(database, "attempt") == 20
    assert len(news.result()) == 20


@pytest.mark.parametrize("hang_up", [False, True])
async def test_a_cancel_waits_for_the_first_recipient_and_holds_no_other_meanwhile(
    database: Database, *, hang_up: bool
) -> None:
    stage = await set_stage(database, contacts=5, concurrent_limit=5)
    made = await stage.dial()
    first = min(attempt.recipient_id for attempt in await stage.attempts())
    async with asyncio.TaskGroup() as tasks, _held(database, first):
        tasks.create_task(_cancel(stage, hang_up=hang_up))
        await _until_waiting(database, 1)
        ended = [delivery(stage, each.attempt_id, EventKind.COMPLETED) for each in made]
        tasks.create_task(receive_all(database, ended, now=stage.clock.now()))
        await _until_waiting(database, 2)
        assert await _free(database, "attempt") == 5
    assert (await stage.campaign()).status is CampaignStatus.CANCELLED


@asynccontextmanager
async def _held(database: Database, recipient_id: int) -> AsyncIterator[None]:
    """Hold the recipient's row within the block."""
    async with database.transaction() as session:
        await session.execute(text("SELECT 1 FROM recipient WHERE id = :id FOR UPDATE"), {"id": recipient_id})
        yield


async def _free(database: Database, table: str) -> int:
    """Return how many rows nobody holds."""
    async with database.transaction() as session:
        rows = await session.execute(text(f"SELECT id FROM {table} FOR UPDATE SKIP LOCKED"))
        return len(rows.all())


async def _cancel(stage: DialingStage, *, hang_up: bool) -> None:
    await stage.database.write(
        lambda session: cancel_campaign(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            hang_up=hang_up,
            now=stage.clock.now(),
        )
    )
