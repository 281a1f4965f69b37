"""However long a campaign, no statement of the dial path reads a great table through: indexes give what is due."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, event, text

from app.domain.events import EventKind
from app.models import Attempt
from app.runtime.database import Database
from app.services.dialing.completion import finished_campaigns, next_due_at
from app.services.dialing.reserve.fair_share import plan
from tests.bench.staging import NO_LIMITS, analyze, copied, stage_of
from tests.support.stage import DialingStage

PEOPLE: Final = 6_000
_GREAT: Final = {"recipient", "recipient_transition", "contact", "attempt", "provider_event"}
"""Tables that grow with every campaign."""

_LEFT: Final = {"left": PEOPLE - 200}

Statement = tuple[str, Any]


async def test_no_statement_of_the_dial_path_reads_a_great_table_through(database: Database) -> None:
    stage = await stage_of(database, PEOPLE, **NO_LIMITS | {"rate_limit_per_minute": 100})
    await _have_a_past(stage)
    with _heard(database) as statements:
        await _pass(stage)
    assert any("FOR NO KEY UPDATE OF r SKIP LOCKED" in statement for statement, _ in statements), "no claim"
    dialing = database.beside(pool_size=1)
    assert [found for each in statements for found in await _read_through(dialing, each)] == []


async def _have_a_past(stage: DialingStage) -> None:
    """Let the organization have called all its people before, and the campaign most of them."""
    await stage.dial(1)
    async with stage.database.transaction() as session:
        await session.execute(text(_PAST))
        await session.execute(text("UPDATE recipient SET status = 'completed' WHERE position < :left"), _LEFT)
        await session.execute(text("UPDATE organization SET frequency_cap = 3"))
    await analyze(stage.database)


async def _pass(stage: DialingStage) -> None:
    """What a dialer does: see who is due, place a batch, hear of it, see what is next and what is done."""
    now = stage.clock.now()
    async with stage.database.session() as session:
        assert (await plan(session, carrier_account_id=stage.account.id, now=now)).turns
    for reservation in await stage.dial(20):
        await stage.hear(reservation.attempt_id, EventKind.RINGING, EventKind.NO_ANSWER)
    async with stage.database.session() as session:
        await next_due_at(session, now=now)
        await finished_campaigns(session)
    assert not await stage.complete()


_OF_ITS_OWN: Final = {
    "id": "gen_random_uuid()",
    "provider_id": "NULL",
    "status": "'completed'",
    "disposition": "'no_answer'",
    "deadline_at": "NULL",
    "price": "0",
    "recipient_id": "r.id",
    "contact_id": "r.contact_id",
    "number_to": "contact.number",
    "ordinal": "9",
    "reserved_at": "one.reserved_at - make_interval(mins => r.position)",
}
_COLUMNS, _COPIED = copied(Attempt, _OF_ITS_OWN)
_PAST: Final = f"""
    INSERT INTO attempt ({_COLUMNS})
    SELECT {_COPIED} FROM attempt one, recipient r JOIN contact ON contact.id = r.contact_id
    """


@contextmanager
def _heard(database: Database) -> Iterator[list[Statement]]:
    """Every different statement that is sent meanwhile, with one of its parameters."""
    sent: dict[str, Any] = {}

    def hear(_connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.setdefault(statement, parameters[0] if isinstance(parameters, list) else parameters)

    statements: list[Statement] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield statements
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", hear)
        statements += sent.items()


async def _read_through(database: Database, statement: Statement) -> list[str]:
    """Return the great tables that the statement's plan reads through, each with the statement.

    By connections such as the dialer's: others may find it cheaper to read a table of a few thousand rows through.
    """
    sql, parameters = statement
    async with database.engine.connect() as connection:
        explained = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        top = explained.scalar_one()[0]["Plan"]
    return [f"{name}: {sql}" for name in _scanned(top) if name in _GREAT]


def _scanned(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", []):
        yield from _scanned(child)
