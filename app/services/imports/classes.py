"""What becomes of each row: accepted, rejected, a duplicate, or a number that must not be contacted."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.models import Campaign, SuppressionScope
from app.services.campaigns.rows import latest_run
from app.services.imports.people import Person, RejectedRow
from app.services.imports.reading import FileRow


class IssueKind(StrEnum):
    """Why a row is listed."""

    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"
    WARNING = "warning"
    """It was accepted, and there is something to check."""


IN_THIS_FILE: Final = "An earlier row of this file has the same number. The first one counts."
IN_THIS_CAMPAIGN: Final = "This number is in the campaign already. It will not be contacted twice."

_SCOPES: Final = {
    Channel.CALL: frozenset({SuppressionScope.ALL, SuppressionScope.VOICE}),
    Channel.SMS: frozenset({SuppressionScope.ALL, SuppressionScope.SMS}),
    Channel.MIXED: frozenset({SuppressionScope.ALL, SuppressionScope.VOICE}),
}
_EVERY_CHANNEL: Final = frozenset({SuppressionScope.ALL})


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and its class; `kind` is None for a row without anything to tell."""

    row: FileRow
    person: Person | None
    kind: IssueKind | None
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the person goes into the campaign or, without one, into the address book."""
        return self.kind in {None, IssueKind.WARNING}


class SeenNumbers:
    """The numbers of a file so far: a set of integers, half the size of one of texts."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()

    def add(self, number: str) -> bool:
        """Note an E.164 number; tell whether it is new."""
        digits = int(number[1:])
        is_new = digits not in self._numbers
        self._numbers.add(digits)
        return is_new


async def judge(
    session: AsyncSession,
    rows: Sequence[Person | RejectedRow],
    *,
    organization_id: int,
    campaign: Campaign | None,
    seen: SeenNumbers,
) -> list[Judged]:
    """Return the class of each row, in order, and note its number in `seen`."""
    numbers = sorted({row.number for row in rows if isinstance(row, Person)})
    stopped = await _suppressed(session, organization_id, campaign, numbers)
    present = await _in_campaign(session, campaign, numbers)
    return [_judge_row(row, seen, stopped, present) for row in rows]


def _judge_row(
    row: Person | RejectedRow, seen: SeenNumbers, stopped: dict[str, str], present: set[str]
) -> Judged:
    if isinstance(row, RejectedRow):
        return Judged(row.row, None, IssueKind.REJECTED, row.reason)
    if not seen.add(row.number):
        return Judged(row.row, None, IssueKind.DUPLICATE, IN_THIS_FILE)
    if row.number in stopped:
        return Judged(row.row, row, IssueKind.SUPPRESSED, _not_to_be_contacted(stopped[row.number]))
    if row.number in present:
        return Judged(row.row, row, IssueKind.DUPLICATE, IN_THIS_CAMPAIGN)
    if row.warnings:
        return Judged(row.row, row, IssueKind.WARNING, " ".join(row.warnings))
    return Judged(row.row, row, None)


def _not_to_be_contacted(reason: str) -> str:
    why = f" ({reason})" if reason else ""
    return f"This number must not be contacted{why}. It is kept in the address book only."


async def _suppressed(
    session: AsyncSession, organization_id: int, campaign: Campaign | None, numbers: list[str]
) -> dict[str, str]:
    """Return the numbers with a standing suppression of the campaign's channel, and its reason."""
    scopes = _SCOPES[campaign.channel] if campaign else _EVERY_CHANNEL
    found = await session.execute(
        _STANDING_SUPPRESSIONS,
        {"numbers": numbers, "organization_id": organization_id, "scopes": sorted(scopes)},
    )
    return {row.number: row.reason for row in found}


async def _in_campaign(session: AsyncSession, campaign: Campaign | None, numbers: list[str]) -> set[str]:
    if campaign is None:
        return set()
    await session.execute(_PLAN_ANEW)
    run = await latest_run(session, campaign.id)
    found = await session.scalars(
        _NUMBERS_IN_RUN,
        {"numbers": numbers, "organization_id": campaign.organization_id, "run_id": run.id},
    )
    return set(found)


_PLAN_ANEW: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""A plan kept from when the tables were small compares each row with each number once they have grown."""

_STANDING_SUPPRESSIONS: Final = text("""
SELECT given.number, standing.reason
FROM unnest(CAST(:numbers AS varchar[])) AS given (number)
CROSS JOIN LATERAL (
    SELECT reason FROM suppression
    WHERE organization_id = :organization_id AND number = given.number AND lifted_at IS NULL
        AND scope = ANY(CAST(:scopes AS varchar[]))
    ORDER BY id LIMIT 1
) AS standing
""")

# Materialized, because a join of the two tables is planned by guesses while an import fills them.
_NUMBERS_IN_RUN: Final = text("""
WITH known AS MATERIALIZED (
    SELECT id, number FROM contact
    WHERE organization_id = :organization_id AND number = ANY(CAST(:numbers AS varchar[]))
)
SELECT number FROM known
WHERE EXISTS (
    SELECT 1 FROM recipient WHERE run_id = :run_id AND contact_id = known.id OFFSET 0
)
""")
