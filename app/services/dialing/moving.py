"""Moving a recipient because of an attempt, and telling its contact how that ended: one statement."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import CampaignStatus
from app.domain.recipient import TRANSITIONS, RecipientStatus
from app.services.dialing.cases import Case
from app.services.dialing.together import write

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientMove:
    """Where a recipient goes because of an attempt."""

    status: RecipientStatus
    reason: str
    not_before: datetime | None = None
    unspent: bool = False
    """The attempt does not count against the budget."""
    error: str | None = None
    blocked_by: str | None = None
    """The gate's rule that it waits for, if we know already; with the reason."""
    blocked_why: str | None = None


_MOVE: Final = text(
    """
    WITH moved AS (
        UPDATE recipient
        SET status = CAST(:new AS varchar),
            not_before = coalesce(CAST(:not_before AS timestamptz), not_before),
            attempts_made = attempts_made - CAST(:unspent AS integer),
            last_disposition = CASE WHEN CAST(:unspent AS integer) = 1 THEN last_disposition
                                    ELSE CAST(:disposition AS varchar) END,
            last_error = CAST(:error AS varchar),
            blocked_by = CAST(:blocked_by AS varchar),
            blocked_why = CAST(:blocked_why AS varchar),
            updated_at = :now
        WHERE CAST(:moves AS boolean)
          AND id = :recipient_id AND status = CAST(:old AS varchar) AND last_attempt_id = :attempt_id
        RETURNING id
    ), told AS (
        -- How the newest attempt ended, over all campaigns. No new version of the person: what was rendered stands.
        UPDATE contact
        SET last_contacted_at = CAST(:reserved_at AS timestamptz),
            last_outcome = coalesce(CAST(:disposition AS varchar), last_outcome)
        WHERE id = :contact_id AND CAST(:unspent AS integer) = 0
          AND (last_contacted_at IS NULL OR last_contacted_at <= :reserved_at)
          AND (last_contacted_at IS DISTINCT FROM :reserved_at
               OR last_outcome IS DISTINCT FROM coalesce(CAST(:disposition AS varchar), last_outcome))
    )
    INSERT INTO recipient_transition (recipient_id, old, new, reason, attempt_id, at)
    SELECT id, CAST(:old AS varchar), CAST(:new AS varchar), CAST(:reason AS varchar), :attempt_id, :now
    FROM moved WHERE CAST(:old AS varchar) <> CAST(:new AS varchar)
    """
)


async def move_recipient(session: AsyncSession, case: Case, move: RecipientMove, *, now: datetime) -> None:
    """Move the recipient, unless something newer than this attempt already decides about it.

    The contact is told of an attempt that counts in the same statement.
    """
    status = move.status
    if status is RecipientStatus.PENDING and case.campaign_status is CampaignStatus.CANCELLED:
        status = RecipientStatus.CANCELLED
    moves = case.recipient_is_ours and _may_follow(case, status)
    waits = status is RecipientStatus.PENDING
    await write(
        session,
        _MOVE,
        {
            "moves": moves,
            "new": status.value,
            "old": case.recipient_status.value,
            "not_before": move.not_before,
            "unspent": int(move.unspent),
            "disposition": case.disposition.value if case.disposition else None,
            "error": move.error[:500] if move.error else None,
            "blocked_by": move.blocked_by if waits else None,
            "blocked_why": move.blocked_why if waits else None,
            "now": now,
            "recipient_id": case.recipient_id,
            "attempt_id": case.attempt_id,
            "reason": move.reason[:200],
            "contact_id": case.contact_id,
            "reserved_at": case.reserved_at,
        },
        order=case.contact_id,
    )
    if moves:
        case.recipient_status = status
        case.attempts_made -= int(move.unspent)


def _may_follow(case: Case, status: RecipientStatus) -> bool:
    """A carrier's late word never undoes what a person decided meanwhile: it stays in the attempt alone."""
    old = case.recipient_status
    if old is RecipientStatus.SKIPPED or (status is not old and status not in TRANSITIONS[old]):
        log.warning(
            "recipient.late_word", extra={"recipient_id": case.recipient_id, "old": old, "new": status}
        )
        return False
    return True
