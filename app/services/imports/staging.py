"""People on their way in: a temporary table, filled by COPY, on which whole batches are judged and stored at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.models import Campaign, SuppressionScope, SuppressionSource
from app.services.campaigns.rows import latest_run
from app.services.imports.classes import IN_THIS_CAMPAIGN, KNOWN_ALREADY, Issue, IssueKind
from app.services.imports.people import CARD, Person, ReadRows

COLUMNS: Final = ("place", "number", *CARD, "tags", "custom", "variables")

OPT_OUTS: Final = (SuppressionSource.KEYPRESS, SuppressionSource.SPOKEN, SuppressionSource.STOP_MESSAGE)
"""Suppressions that the person asked for."""

_SCOPES: Final = {
    Channel.CALL: (SuppressionScope.ALL, SuppressionScope.VOICE),
    Channel.SMS: (SuppressionScope.ALL, SuppressionScope.SMS),
    Channel.MIXED: (SuppressionScope.ALL, SuppressionScope.VOICE),
}
_EVERY_CHANNEL: Final = (SuppressionScope.ALL,)

_TABLE: Final = text(
    "CREATE TEMPORARY TABLE IF NOT EXISTS import_stage (place integer, number varchar, "
    + ", ".join(f"{name} text" for name in CARD)
    + ", tags varchar[], custom jsonb, variables jsonb) ON COMMIT DELETE ROWS"
)
_EMPTY: Final = text("TRUNCATE import_stage")
_COPY: Final = f"COPY import_stage FROM STDIN (FORMAT csv, FORCE_NOT_NULL ({', '.join(CARD)}))"

# A plan made when tables were small reads them whole once they have grown, and their statistics lag behind an
# import: each row is looked up by its index, whatever the planner believes. Where several indexes begin with the
# organization, "from this number to this number, in order" is what only the index of numbers gives.
_PLAN: Final = text(
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), "
    "set_config('plan_cache_mode', 'force_custom_plan', true)"
)

_JUDGE: Final = text("""
SELECT s.place, c.id IS NOT NULL AS is_known, c.consent, stop.source AS stopped_by, stop.reason,
    gone.lifted_at, :run_id > 0 AND EXISTS (
        SELECT 1 FROM recipient r WHERE r.run_id = :run_id AND r.contact_id = c.id OFFSET 0
    ) AS is_listed
FROM import_stage s
LEFT JOIN LATERAL (
    SELECT id, consent FROM contact
    WHERE organization_id = :organization_id AND number >= s.number AND number <= s.number
    ORDER BY organization_id, number LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT source, reason FROM suppression
    WHERE organization_id = :organization_id AND number >= s.number AND number <= s.number
        AND lifted_at IS NULL AND scope = ANY(CAST(:scopes AS varchar[]))
    ORDER BY number, source = ANY(CAST(:opt_outs AS varchar[])) DESC, id LIMIT 1
) stop ON true
LEFT JOIN LATERAL (
    SELECT lifted_at FROM suppression
    WHERE organization_id = :organization_id AND number >= s.number AND number <= s.number
        AND lifted_at IS NOT NULL AND source = ANY(CAST(:opt_outs AS varchar[]))
    ORDER BY number DESC, id DESC LIMIT 1
) gone ON true
WHERE c.id IS NOT NULL OR stop.source IS NOT NULL OR gone.lifted_at IS NOT NULL
ORDER BY s.place
""")


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

    def warnings(self, rows: ReadRows) -> list[Issue]:
        """Return the warnings of those who go in; of the others there is something else to say."""
        return [
            Issue(person.row, IssueKind.WARNING, " ".join(person.warnings))
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
            "warnings": len(self.warnings(rows)),
            "in_campaign": self.in_campaign,
            "known": self.known,
            "opted_out": self.opted_out,
        }


NOBODY: Final = Judgement([], 0, 0, 0, 0, frozenset())


async def stage(session: AsyncSession, staged: str) -> None:
    """Fill the temporary table with these people alone, until the transaction ends."""
    await session.execute(_TABLE)
    if session.info.get("import_staged"):
        await session.execute(_EMPTY)
    session.info["import_staged"] = True
    await session.execute(_PLAN)
    cursor = (await _driver(session)).cursor()
    async with cursor, cursor.copy(_COPY) as copy:
        await copy.write(staged)


async def copy_rows(session: AsyncSession, statement: str, rows: str) -> None:
    """Run a COPY ... FROM STDIN of our own with these rows."""
    cursor = (await _driver(session)).cursor()
    async with cursor, cursor.copy(statement.encode()) as copy:
        await copy.write(rows)


async def judge(
    session: AsyncSession, people: Sequence[Person], *, organization_id: int, campaign: Campaign | None
) -> Judgement:
    """Return what is known of the staged people: in the address book, in the campaign, not to be contacted."""
    run_id = (await latest_run(session, campaign.id)).id if campaign else 0
    found = await session.execute(
        _JUDGE,
        {
            "organization_id": organization_id,
            "run_id": run_id,
            "scopes": list(_SCOPES[campaign.channel] if campaign else _EVERY_CHANNEL),
            "opt_outs": list(OPT_OUTS),
        },
    )
    return _judgement(people, found.all(), is_campaign=campaign is not None)


def _judgement(people: Sequence[Person], found: Sequence[Any], *, is_campaign: bool) -> Judgement:
    issues: list[Issue] = []
    stays_out: set[int] = set()
    for row in found:
        person = people[row.place]
        kind, reason = _class(row, is_campaign=is_campaign)
        issues.append(Issue(person.row, kind, reason))
        if row.stopped_by or row.is_listed:
            stays_out.add(row.place)
        elif row.is_known and kind is not IssueKind.KNOWN:
            issues.append(Issue(person.row, IssueKind.KNOWN, KNOWN_ALREADY))
    return Judgement(
        issues=issues,
        known=sum(row.is_known for row in found),
        in_campaign=sum(row.is_listed and not row.stopped_by for row in found),
        stopped=sum(row.stopped_by is not None for row in found),
        opted_out=sum(_once_said_no(row) for row in found),
        going_in=frozenset(range(len(people))) - stays_out,
    )


def _class(row: Any, *, is_campaign: bool) -> tuple[IssueKind, str]:
    if row.stopped_by:
        kind = IssueKind.OPTED_OUT if row.stopped_by in OPT_OUTS else IssueKind.SUPPRESSED
        return kind, _not_to_be_contacted(row.reason, is_campaign=is_campaign)
    if row.is_listed:
        return IssueKind.IN_CAMPAIGN, IN_THIS_CAMPAIGN
    if row.lifted_at is not None:
        return IssueKind.OPTED_OUT, _lifted(row.lifted_at)
    if row.consent in _NO:
        return IssueKind.OPTED_OUT, f"This person's consent is {row.consent}: whoever needs it skips them."
    return IssueKind.KNOWN, KNOWN_ALREADY


_NO: Final = frozenset({"denied", "withdrawn"})


def _once_said_no(row: Any) -> bool:
    return row.stopped_by in OPT_OUTS or row.lifted_at is not None or row.consent in _NO


def _not_to_be_contacted(reason: str, *, is_campaign: bool) -> str:
    why = f" ({reason})" if reason else ""
    then = "is listed as skipped" if is_campaign else "is kept in the address book only"
    return f"This number must not be contacted{why}. It {then}."


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
