"""What the database knows of the people of a batch, and the temporary table of those who are there already."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.suppression import SuppressionScope, SuppressionSource, scopes_of
from app.models import Campaign
from app.services.campaigns.rows import latest_run
from app.services.imports.issues import IN_THIS_CAMPAIGN, KNOWN_ALREADY, Issue, IssueKind
from app.services.imports.rows.copy_format import COLUMNS, Lines, warning_of, with_head
from app.services.imports.rows.row_parser import CARD, Person, ReadRows

OPT_OUTS: Final = (SuppressionSource.KEYPRESS, SuppressionSource.SPOKEN, SuppressionSource.STOP_MESSAGE)
"""Suppressions that the person asked for."""

_EVERY_CHANNEL: Final = frozenset({SuppressionScope.ALL})

_TABLE: Final = text(
    "CREATE TEMPORARY TABLE IF NOT EXISTS import_stage (number varchar, "
    + ", ".join(f"{name} text" for name in CARD)
    + ", tags varchar[], fields jsonb, consent text, consent_source text, consent_wording text, "
    "consent_evidence text, consent_at timestamptz) ON COMMIT DELETE ROWS"
)
_EMPTY: Final = text("TRUNCATE import_stage")
_COPY: Final = f"COPY import_stage ({', '.join(COLUMNS)}) FROM STDIN"

# A plan made when tables were small reads them whole once they have grown, and their statistics lag behind an
# import: each row is looked up by its index, whatever the planner believes. Where several indexes begin with the
# organization, "from this number to this number, in order" is what only the index of numbers gives.
_BY_INDEX: Final = text(
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)"
)

_KNOWN_SQL: Final = """
SELECT s.place, c.id, c.consent, :run_id > 0 AND EXISTS (
    SELECT 1 FROM recipient r WHERE r.run_id = :run_id AND r.contact_id = c.id OFFSET 0
) AS is_listed
FROM unnest(string_to_array(:numbers, ' ')) WITH ORDINALITY s (number, place)
CROSS JOIN LATERAL (
    SELECT id, consent FROM contact
    WHERE organization_id = :organization_id AND number >= s.number AND number <= s.number
    ORDER BY organization_id, number LIMIT 1 {lock}
) c
"""
_KNOWN: Final = text(_KNOWN_SQL.format(lock=""))
# Who is there stays there until the batch is in.
_HELD: Final = text(_KNOWN_SQL.format(lock="FOR KEY SHARE"))

_STOPS: Final = text("""
SELECT s.place, stop.source, stop.reason, stop.scope, stop.lifted_at
FROM unnest(string_to_array(:numbers, ' ')) WITH ORDINALITY s (number, place)
CROSS JOIN LATERAL (
    SELECT number, id, source, reason, scope, lifted_at FROM suppression
    WHERE organization_id = :organization_id AND number >= s.number AND number <= s.number
    ORDER BY organization_id, number, id
) stop
ORDER BY s.place, stop.id
""")


class Stop(NamedTuple):
    """A suppression that holds."""

    source: str
    reason: str


class Found(NamedTuple):
    """What the database knows of one person."""

    contact_id: int | None = None
    consent: str = ""
    is_listed: bool = False
    """In the campaign already."""
    stop: Stop | None = None
    lifted_at: datetime | None = None
    """When a wish not to be contacted was lifted last."""


class Judgement(NamedTuple):
    """What the database knows of the people of a batch."""

    issues: list[Issue]
    known: int
    in_campaign: int
    stopped: int
    """Must not be contacted by the campaign's channel."""
    opted_out: int
    """Once asked not to be contacted, whether that still stands or not."""
    going_in: frozenset[int]
    """Places of those who go into the campaign or, without one, into the address book."""
    found: dict[int, Found]
    """By place; of who is not in it nothing is known."""

    @property
    def contacts(self) -> dict[int, int]:
        """Ids of those who are in the address book, by place."""
        ids = ((place, found.contact_id) for place, found in self.found.items())
        return {place: contact_id for place, contact_id in ids if contact_id is not None}

    def warnings(self, rows: ReadRows) -> list[Issue]:
        """Return the warnings of those who go in; of the others there is something else to say."""
        return [
            warning_of(person)
            for place, person in enumerate(rows.people)
            if person.warnings and place in self.going_in
        ]

    def tally(self, rows: ReadRows) -> dict[str, int]:
        """Return the rows by class, as imports and previews count them.

        accepted + rejected + duplicates + suppressed are all of them; the others are parts of these.
        """
        in_file = sum(issue.kind is IssueKind.DUPLICATE for issue in rows.issues)
        return {
            "accepted": len(self.going_in),
            "rejected": len(rows.issues) - in_file,
            "duplicates": in_file + self.in_campaign,
            "suppressed": self.stopped,
            "warnings": sum(bool(rows.people[place].warnings) for place in self.going_in),
            "in_campaign": self.in_campaign,
            "known": self.known,
            "opted_out": self.opted_out,
        }


NOBODY: Final = Judgement([], 0, 0, 0, 0, frozenset(), {})


async def stage(session: AsyncSession, cards: Sequence[str]) -> None:
    """Fill the temporary table with these people alone (of `Lines.cards`), until the transaction ends."""
    await session.execute(_TABLE)
    await session.execute(_EMPTY)
    await copy_rows(session, _COPY, with_head((), cards))


@asynccontextmanager
async def planned_anew(session: AsyncSession) -> AsyncIterator[None]:
    """Have the statements within planned for the tables as they are now, not once for all.

    `plan_cache_mode` would do that for the checks of foreign keys too, a plan for each row: most of the time.
    """
    driver = await _driver(session)
    usual, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = usual


async def copy_rows(session: AsyncSession, statement: str, rows: str) -> None:
    """Run a COPY ... FROM STDIN of our own with these rows."""
    cursor = (await _driver(session)).cursor()
    async with cursor, cursor.copy(statement.encode()) as copy:
        await copy.write(rows)


async def judge(
    session: AsyncSession,
    people: Sequence[Person],
    lines: Lines,
    *,
    organization_id: int,
    campaign: Campaign | None,
    hold: bool = True,
) -> Judgement:
    """Return what is known of the people: in the address book, in the campaign, not to be contacted.

    With `hold`, those in the address book cannot be deleted before this transaction ends.
    """
    await session.execute(_BY_INDEX)
    run_id = (await latest_run(session, campaign.id)).id if campaign else 0
    same = {"organization_id": organization_id, "numbers": lines.numbers}
    async with planned_anew(session):
        known = await session.execute(_HELD if hold else _KNOWN, same | {"run_id": run_id})
        stops = await session.execute(_STOPS, same)
    found = {lines.order[row.place - 1]: Found(row.id, row.consent, row.is_listed) for row in known}
    scopes = scopes_of(campaign.channel) if campaign else _EVERY_CHANNEL
    for row in stops:
        place = lines.order[row.place - 1]
        found[place] = _stopped(found.get(place, Found()), row, scopes)
    return _judgement(people, found, is_campaign=campaign is not None)


def _stopped(found: Found, row: Any, scopes: Collection[SuppressionScope]) -> Found:
    """Add one suppression, in the order of their age: what the person asked for themselves counts most."""
    if row.lifted_at is not None:
        return found._replace(lifted_at=row.lifted_at) if row.source in OPT_OUTS else found
    if row.scope not in scopes or (
        found.stop and (found.stop.source in OPT_OUTS or row.source not in OPT_OUTS)
    ):
        return found
    return found._replace(stop=Stop(row.source, row.reason))


def _judgement(people: Sequence[Person], found: dict[int, Found], *, is_campaign: bool) -> Judgement:
    issues: list[Issue] = []
    stays_out: set[int] = set()
    for place, of_one in sorted(found.items()):
        said = _class(of_one, people[place], is_campaign=is_campaign)
        if said is None:
            continue
        issues.append(Issue(people[place].row, *said))
        if of_one.stop or of_one.is_listed:
            stays_out.add(place)
        elif of_one.contact_id is not None and said[0] is not IssueKind.KNOWN:
            issues.append(Issue(people[place].row, IssueKind.KNOWN, KNOWN_ALREADY))
    each = found.values()
    return Judgement(
        issues=issues,
        known=sum(one.contact_id is not None for one in each),
        in_campaign=sum(one.is_listed and not one.stop for one in each),
        stopped=sum(one.stop is not None for one in each),
        opted_out=sum(map(_once_said_no, each)),
        going_in=frozenset(range(len(people))) - stays_out,
        found=found,
    )


def _class(found: Found, person: Person, *, is_campaign: bool) -> tuple[IssueKind, str] | None:
    """Return what is said of somebody first; None if what is known is of another channel."""
    if found.stop:
        kind = IssueKind.OPTED_OUT if found.stop.source in OPT_OUTS else IssueKind.SUPPRESSED
        return kind, _not_to_be_contacted(found.stop.reason, is_campaign=is_campaign)
    if found.is_listed:
        return IssueKind.IN_CAMPAIGN, IN_THIS_CAMPAIGN
    if found.lifted_at is not None:
        return IssueKind.OPTED_OUT, _lifted(found.lifted_at)
    if found.consent in _NO:
        return IssueKind.OPTED_OUT, _said_no(found.consent, person)
    return (IssueKind.KNOWN, KNOWN_ALREADY) if found.contact_id is not None else None


_NO: Final = frozenset({"denied", "withdrawn"})


def _once_said_no(found: Found) -> bool:
    is_stopped = found.stop is not None and found.stop.source in OPT_OUTS
    return is_stopped or found.lifted_at is not None or found.consent in _NO


def _not_to_be_contacted(reason: str, *, is_campaign: bool) -> str:
    why = f" ({reason})" if reason else ""
    then = "is listed as skipped" if is_campaign else "is kept in the address book only"
    return f"This number must not be contacted{why}. It {then}."


def _said_no(consent: str, person: Person) -> str:
    said = f"This person's consent is {consent}: whoever needs it skips them."
    if person.consent is None or person.consent.status in _NO:
        return said
    return f"{said} The file says that it is {person.consent.status}: only a person can turn a no into a yes."


def _lifted(at: datetime) -> str:
    return (
        f"This person once asked not to be contacted. That was lifted on {at:%Y-%m-%d}, so they go in: "
        "check that this is right."
    )


async def _driver(session: AsyncSession) -> AsyncConnection[Any]:
    """Return psycopg's own connection of this session's transaction: COPY has no place in SQLAlchemy."""
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    assert isinstance(connection, AsyncConnection)
    return connection
