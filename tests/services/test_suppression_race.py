"""A stop that arrives in the middle of dialing, a thousand times, judged by the database's own order of commits."""

import asyncio
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final

from sqlalchemy import text

from app.domain.attempt import AttemptStatus
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.providers.base import NotPlaced
from app.runtime.database import Database
from app.services.dialing.place.carrier_request import STOPPED, CarrierAnswer
from app.services.dialing.reserve.reservation import BATCH, Reservation
from app.services.suppression.operations import suppress
from tests.support.stage import DialingStage, set_stage

RACES: Final = 1_000
AT_A_TIME: Final = 50
CONNECTIONS: Final = 8


@dataclass
class Race:
    """One person: the transaction that stopped them, and what the dialer could know when it looked last."""

    number: str
    stopped_by: str
    before_the_look: str
    """A snapshot taken before the last look: what it sees was committed then."""
    placed: bool


async def test_no_call_is_placed_after_the_commit_of_a_stop(database: Database) -> None:
    stage = await set_stage(database, contacts=RACES)
    await make_due_in_turn(stage)
    chance, pace = Random(20_264), 0.05
    races: list[Race] = []
    while people := await next_people(stage):
        began = perf_counter()
        races += await race(stage, people, pace, chance)
        pace = 0.8 * (perf_counter() - began)
        stage.clock.advance(minutes=1)
    assert len(races) == RACES
    placed = sum(each.placed for each in races)
    assert 0 < placed < RACES, "the stops must fall on both sides of the look"
    assert {each.number for each in races if each.placed} == {order.to for order in stage.carrier.orders}
    assert len(stage.carrier.orders) == placed
    visible = await seen(database, [(each.stopped_by, each.before_the_look) for each in races])
    assert not [each for each, was in zip(races, visible, strict=True) if was and each.placed]
    await nobody_is_called_again(stage, placed)


async def make_due_in_turn(stage: DialingStage) -> None:
    """Let so many people be due each minute as race at a time."""
    statement = text(
        """
        UPDATE recipient SET not_before = not_before + (position - 1) / :at_a_time * interval '1 minute'
        WHERE campaign_id = :campaign_id
        """
    )
    async with stage.database.transaction() as session:
        await session.execute(statement, {"campaign_id": stage.campaign_id, "at_a_time": AT_A_TIME})


async def race(stage: DialingStage, people: list[str], pace: float, chance: Random) -> list[Race]:
    """Dial these people while each of them says stop, at a moment of their own."""
    room = asyncio.Semaphore(CONNECTIONS)
    stops = asyncio.gather(*(stop(stage, number, chance.uniform(0, pace), room) for number in people))
    reservations = await stage.reserve(AT_A_TIME)
    before, placed = await look_and_place(stage, reservations)
    stopped_by = dict(zip(people, await stops, strict=True))
    return [Race(number, stopped_by[number], before, number in placed) for number in people]


async def next_people(stage: DialingStage) -> list[str]:
    statement = text(
        """
        SELECT c.number FROM recipient r JOIN contact c ON c.id = r.contact_id
        WHERE r.campaign_id = :campaign_id AND r.status = 'pending' AND r.not_before <= :now
        """
    )
    async with stage.database.session() as session:
        found = await session.execute(statement, {"campaign_id": stage.campaign_id, "now": stage.clock.now()})
        return list(found.scalars())


async def stop(stage: DialingStage, number: str, after: float, room: asyncio.Semaphore) -> str:
    """Close the number after a while; return the transaction's id."""
    await asyncio.sleep(after)  # a race needs a moment of its own for each
    async with room, stage.database.transaction() as session:
        await suppress(
            session,
            organization_id=stage.organization.id,
            number=number,
            scope=SuppressionScope.ALL,
            reason="texted STOP",
            source=SuppressionSource.STOP_MESSAGE,
            actor="message:SM1",
            now=stage.clock.now(),
        )
        return str((await session.execute(text("SELECT pg_current_xact_id()::text"))).scalar_one())


async def look_and_place(stage: DialingStage, reservations: tuple[Reservation, ...]) -> tuple[str, set[str]]:
    before = await snapshot(stage.database)
    answers = await stage.place(*reservations)
    by_attempt = {each.attempt_id: each.to for each in reservations}
    await stage.record(*answers)
    return before, {by_attempt[answer.attempt_id] for answer in answers}


async def snapshot(database: Database) -> str:
    async with database.session() as session:
        return str((await session.execute(text("SELECT pg_current_snapshot()::text"))).scalar_one())


async def seen(database: Database, pairs: list[tuple[str, str]]) -> list[bool]:
    """Tell of each (transaction, snapshot) whether the snapshot sees the transaction's commit."""
    statement = text(
        """
        SELECT pg_visible_in_snapshot(CAST(xid AS xid8), CAST(snapshot AS pg_snapshot))
        FROM unnest(CAST(:xids AS text[]), CAST(:snapshots AS text[])) WITH ORDINALITY AS u (xid, snapshot, place)
        ORDER BY place
        """
    )
    given = {"xids": [xid for xid, _ in pairs], "snapshots": [snapshot for _, snapshot in pairs]}
    async with database.session() as session:
        return list((await session.execute(statement, given)).scalars())


async def nobody_is_called_again(stage: DialingStage, placed: int) -> None:
    """Whoever is given back is skipped by the gate, and nobody is left waiting."""
    held_back = [each for each in await stage.attempts() if each.status is AttemptStatus.PLACING]
    gave_up = NotPlaced(reason=STOPPED, retry_after_seconds=None)
    await stage.record(*(CarrierAnswer(each.id, gave_up) for each in held_back))
    for _ in range(RACES // BATCH + 1):
        assert await stage.dial(BATCH) == ()
    assert len(stage.carrier.orders) == placed
    statuses = await stage.statuses()
    assert statuses == {RecipientStatus.IN_PROGRESS: placed, RecipientStatus.SKIPPED: RACES - placed}
