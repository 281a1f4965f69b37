"""Webhooks that come together share a commit; none is refused for another's sake."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from app.domain.attempt import AttemptStatus
from app.domain.events import AttemptEvent, EventKind
from app.domain.recipient import RecipientStatus
from app.providers.base import ReceivedEvent
from app.runtime.database import Database, quickly
from app.services.dialing.receive.webhooks import Delivery, Receipt, WebhookBatcher
from app.services.dialing.settle import locked_attempts, recipient_moves
from tests.support.stage import DialingStage, set_stage

Group = Sequence[tuple[Delivery, "asyncio.Future[Receipt]"]]


def delivery(
    stage: DialingStage, attempt_id: UUID, kind: EventKind, *, key: str = "", provider_id: str | None = None
) -> Delivery:
    happened = AttemptEvent(kind=kind, occurred_at=stage.clock.now(), provider_id=provider_id)
    received = ReceivedEvent(dedupe_key=key or f"{attempt_id}:{kind}", event=happened)
    return Delivery(attempt_id, [received], {"CallStatus": kind.value}, stage.clock.now())


async def stored(database: Database) -> int:
    async with database.session() as session:
        count: int = (await session.execute(text("SELECT count(*) FROM provider_event"))).scalar_one()
        return count


async def test_what_comes_together_is_committed_together_and_each_is_answered(database: Database) -> None:
    stage = await set_stage(database, contacts=20)
    made = await stage.dial()
    commits = 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    line = WebhookBatcher(database)
    event.listen(database.engine.sync_engine, "commit", count)
    kinds = (EventKind.RINGING, EventKind.ANSWERED, EventKind.COMPLETED)
    receipts = await asyncio.gather(
        *(line.receive(delivery(stage, each.attempt_id, kind)) for kind in kinds for each in made)
    )
    event.remove(database.engine.sync_engine, "commit", count)
    assert receipts == [Receipt(known=True)] * 60
    assert await stage.statuses() == {RecipientStatus.COMPLETED: 20}
    assert await stored(database) == 60
    assert commits <= 4


async def test_the_same_delivery_twice_in_one_group_is_stored_once(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (made,) = await stage.dial()
    line = WebhookBatcher(database)
    same = delivery(stage, made.attempt_id, EventKind.RINGING)
    await asyncio.gather(*(line.receive(same) for _ in range(10)))
    assert await stored(database) == 1


async def test_a_stranger_in_the_group_is_told_so_and_keeps_nobody_waiting(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (made,) = await stage.dial()
    line = WebhookBatcher(database)
    ours, strange = await asyncio.gather(
        line.receive(delivery(stage, made.attempt_id, EventKind.RINGING)),
        line.receive(delivery(stage, uuid4(), EventKind.RINGING)),
    )
    assert (ours.known, strange.known) == (True, False)


async def test_a_second_call_in_the_group_is_noted_and_the_first_goes_on(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (made,) = await stage.dial()
    (attempt,) = await stage.attempts()
    line = WebhookBatcher(database)
    own, other = await asyncio.gather(
        line.receive(
            delivery(stage, made.attempt_id, EventKind.RINGING, key="1", provider_id=attempt.provider_id)
        ),
        line.receive(
            delivery(stage, made.attempt_id, EventKind.COMPLETED, key="2", provider_id="CA" + "9" * 32)
        ),
    )
    assert (own.second_call, other.second_call) == (None, "CA" + "9" * 32)
    (attempt,) = await stage.attempts()
    assert (attempt.status, attempt.conflict) == (AttemptStatus.RINGING, True)


async def test_one_that_cannot_be_taken_is_refused_alone(database: Database) -> None:
    stage = await set_stage(database, contacts=2)
    first, second = await stage.dial()
    line = WebhookBatcher(database)
    bad = delivery(stage, second.attempt_id, EventKind.RINGING, key="k" * 400)
    answers = await asyncio.gather(
        line.receive(delivery(stage, first.attempt_id, EventKind.RINGING)),
        line.receive(bad),
        return_exceptions=True,
    )
    assert answers[0] == Receipt(known=True)
    assert isinstance(answers[1], Exception)
    assert await stored(database) == 1


async def test_while_the_database_is_away_everyone_is_told_and_the_line_goes_on_after(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1)
    (made,) = await stage.dial()
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    line = WebhookBatcher(nowhere)
    told = await asyncio.gather(
        *(line.receive(delivery(stage, made.attempt_id, EventKind.RINGING)) for _ in range(3)),
        return_exceptions=True,
    )
    assert all(isinstance(each, OperationalError) for each in told)
    line.database = database
    assert (await line.receive(delivery(stage, made.attempt_id, EventKind.RINGING))).known
    await nowhere.dispose()


async def test_news_of_many_people_in_one_group_leads_each_where_it_should(database: Database) -> None:
    stage = await set_stage(database, contacts=4, retry_delay_minutes=30)
    busy, silent, done, failed = await stage.dial()
    line = WebhookBatcher(database)
    await asyncio.gather(
        line.receive(delivery(stage, busy.attempt_id, EventKind.BUSY)),
        line.receive(delivery(stage, silent.attempt_id, EventKind.NO_ANSWER)),
        line.receive(delivery(stage, done.attempt_id, EventKind.COMPLETED)),
        line.receive(delivery(stage, failed.attempt_id, EventKind.FAILED)),
    )
    people = await stage.recipients()
    assert [each.status for each in people] == [
        RecipientStatus.PENDING,
        RecipientStatus.PENDING,
        RecipientStatus.COMPLETED,
        RecipientStatus.PENDING,
    ]
    again = {each.not_before - stage.clock.now() for each in people if each.status is RecipientStatus.PENDING}
    assert again == {timedelta(minutes=30)}


async def test_what_comes_as_the_last_workers_leave_is_not_left_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await set_stage(database, contacts=1)
    (made,) = await stage.dial()
    line, gate = WebhookBatcher(database), asyncio.Event()

    async def settle(_: WebhookBatcher, group: Group) -> None:
        await gate.wait()
        for waiting in group:
            waiting[1].set_result(Receipt(known=True))

    async def come_late() -> Receipt:
        await gate.wait()  # In the very step of the loop in which the workers find nothing more to do.
        return await line.receive(delivery(stage, made.attempt_id, EventKind.RINGING))

    monkeypatch.setattr(WebhookBatcher, "_settle", settle)
    early = []
    for _ in range(2):
        early.append(asyncio.create_task(line.receive(delivery(stage, made.attempt_id, EventKind.RINGING))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    late = asyncio.create_task(come_late())
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.wait_for(late, timeout=5) == Receipt(known=True)
    await asyncio.gather(*early)


async def be_cut_off(database: Database) -> None:
    """Begin a transaction, and go on with it when its connection has been closed by the server."""
    async with database.transaction() as session:
        (row,) = await quickly(session, "SELECT pg_backend_pid() AS pid", {})
        async with database.transaction() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), row)
        await quickly(session, "SELECT %(one)s", {"one": 1})


async def test_a_connection_cut_within_a_group_is_told_as_any_other_and_made_anew(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (made,) = await stage.dial()
    with pytest.raises(OperationalError):
        await be_cut_off(database)
    line = WebhookBatcher(database)
    assert (await line.receive(delivery(stage, made.attempt_id, EventKind.RINGING))).known


@pytest.mark.parametrize("sql", [locked_attempts._LOAD, locked_attempts._SAVE, recipient_moves._MOVE])
async def test_no_group_reads_a_great_table_through_however_small_it_was(
    database: Database, sql: LiteralString
) -> None:
    async with database.beside(pool_size=1).transaction() as session:
        plan = await quickly(session, f"EXPLAIN {sql}", {"ids": [], "lines": "[]"})
    assert not [row for row in plan if "Seq Scan" in row["QUERY PLAN"]]


async def test_news_of_two_attempts_of_one_person_in_one_group_leaves_the_newer_outcome(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1, retry_delay_minutes=1)
    (first,) = await stage.dial()
    await stage.hear(first.attempt_id, EventKind.BUSY)
    stage.clock.advance(minutes=2)
    (second,) = await stage.dial()
    line = WebhookBatcher(database)
    for order in ((second, first), (first, second)):
        await asyncio.gather(
            *(
                line.receive(
                    delivery(stage, each.attempt_id, EventKind.COMPLETED, key=f"{order}{each}"[:200])
                )
                for each in order
            )
        )
    async with database.session() as session:
        told = (await session.execute(text("SELECT last_outcome, last_contacted_at FROM contact"))).one()
    assert tuple(told) == ("answered", (await stage.attempts())[1].reserved_at)
    assert await stage.statuses() == {RecipientStatus.COMPLETED: 1}
