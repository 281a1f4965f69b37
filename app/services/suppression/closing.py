"""Suppressing numbers, one or thousands: stores the suppressions, and skips the people who were waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.gate import why_suppressed
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import sql
from app.runtime.live_feed import announce
from app.services.field_readers import cleaned
from app.services.recipients.transitions import SKIPPED

LONGEST_REASON: Final = 500
LONGEST_ACTOR: Final = 200


@dataclass(frozen=True, slots=True)
class Closing:
    """A number in E.164 that must not be contacted by the channels of `scope`."""

    number: str
    scope: SuppressionScope
    reason: str


# Sorted, so that two imports of the same numbers wait for each other and never deadlock.
_CLOSE: Final = text(
    f"""
    INSERT INTO suppression (organization_id, number, scope, reason, source, actor, created_at)
    SELECT DISTINCT ON (given.number, given.scope)
           :organization_id, given.number, given.scope, given.reason, :source, :actor, :now
    FROM unnest(CAST(:numbers AS varchar[]), CAST(:scopes AS varchar[]), CAST(:reasons AS varchar[]))
         WITH ORDINALITY AS given (number, scope, reason, place)
    WHERE NOT EXISTS (
        SELECT 1 FROM suppression s
        WHERE s.organization_id = :organization_id AND s.number = given.number AND s.lifted_at IS NULL
          AND s.scope IN {sql.closed_by("given.scope")}
    )
    ORDER BY given.number, given.scope, given.place
    ON CONFLICT DO NOTHING
    RETURNING number, scope, reason
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

# Recipients that a dialer has locked are skipped here: its gate or its last check before the request sees this.
_SKIP: Final = text(
    f"""
    WITH waiting AS (
        SELECT r.id, closed.why
        FROM unnest(CAST(:numbers AS varchar[]), CAST(:scopes AS varchar[]), CAST(:whys AS varchar[]))
             AS closed (number, scope, why)
        JOIN contact c ON c.organization_id = :organization_id AND c.number = closed.number
        JOIN recipient r ON r.contact_id = c.id AND r.status = 'pending'
        JOIN campaign k ON k.id = r.campaign_id AND k.status NOT IN {sql.OVER}
        WHERE closed.scope IN {sql.closed_by(sql.scope_for("k.channel"))}
        FOR NO KEY UPDATE OF r SKIP LOCKED
    ), {SKIPPED}
    SELECT DISTINCT campaign_id FROM skipped ORDER BY campaign_id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def close_numbers(
    session: AsyncSession,
    *,
    organization_id: int,
    closings: Sequence[Closing],
    source: SuppressionSource,
    actor: str,
    now: datetime,
) -> list[Closing]:
    """Suppress the numbers and return those that were not suppressed yet, once for each new scope.

    Recipients that wait for a call or text on a suppressed channel become `skipped` at once, with the reason, in every
    campaign that is not over. Those added later are skipped when added, and the gate asks again before every dial.
    """
    rows = await session.execute(
        _CLOSE,
        {
            "organization_id": organization_id,
            "numbers": [each.number for each in closings],
            "scopes": [each.scope.value for each in closings],
            "reasons": [cleaned(each.reason)[:LONGEST_REASON] for each in closings],
            "source": source.value,
            "actor": cleaned(actor)[:LONGEST_ACTOR],
            "now": now,
        },
    )
    closed = [Closing(row.number, SuppressionScope(row.scope), row.reason) for row in rows]
    if closed:
        announce(session, organization_id=organization_id)
        await _skip_who_waits(session, organization_id, closed, now=now)
    return closed


async def _skip_who_waits(
    session: AsyncSession, organization_id: int, closed: Sequence[Closing], *, now: datetime
) -> None:
    campaigns = await session.execute(
        _SKIP,
        {
            "organization_id": organization_id,
            "numbers": [each.number for each in closed],
            "scopes": [each.scope.value for each in closed],
            "whys": [why_suppressed(each.reason)[:LONGEST_REASON] for each in closed],
            "now": now,
        },
    )
    for campaign_id in campaigns.scalars():
        announce(session, organization_id=organization_id, campaign_id=campaign_id)
