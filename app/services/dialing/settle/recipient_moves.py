"""Moving a recipient because of an attempt, and telling its contact how that ended: one statement."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.services.dialing.settle.batched_writes import write
from app.services.dialing.settle.locked_attempts import LockedAttempt
from app.services.recipients.transitions import MOVED, MOVED_HISTORY, may_follow

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientMove:
    """Where a recipient goes because of an attempt."""

    status: RecipientStatus
    reason: str
    not_before: datetime | None = None
    unspent: bool = False
    """The attempt does not count against the budget. Whoever goes back in line keeps the outcome before it."""
    error: str | None = None
    """Why an attempt that counts did not reach the person, for people; None if it did."""
    blocked_by: str | None = None
    """The gate's rule that it waits for, if we know already; with the reason."""
    blocked_why: str | None = None


_MOVE: Final = f"""
    WITH line AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(%(lines)s AS json)) AS line (
            recipient_id bigint, attempt_id uuid, contact_id bigint, moves boolean, old varchar, new varchar,
            reason varchar, not_before timestamptz, unspent boolean, unsaid boolean, disposition varchar, error varchar,
            blocked_by varchar, blocked_why varchar, reserved_at timestamptz, now timestamptz)
    ), {MOVED}, newest AS (
        SELECT DISTINCT ON (contact_id) contact_id, reserved_at, disposition FROM line WHERE NOT unspent
        ORDER BY contact_id, reserved_at DESC
    ), held AS (
        SELECT newest.* FROM newest JOIN contact c ON c.id = newest.contact_id ORDER BY c.id FOR NO KEY UPDATE OF c
    ), told AS (
        -- How the newest attempt ended, over all campaigns. No new version of the person: what was rendered stands.
        UPDATE contact c
        SET last_contacted_at = held.reserved_at,
            last_outcome = coalesce(held.disposition, c.last_outcome)
        FROM held
        WHERE c.id = held.contact_id
          AND (c.last_contacted_at IS NULL OR c.last_contacted_at <= held.reserved_at)
          AND (c.last_contacted_at IS DISTINCT FROM held.reserved_at
               OR c.last_outcome IS DISTINCT FROM coalesce(held.disposition, c.last_outcome))
    )
    {MOVED_HISTORY}
"""  # noqa: S608 - constants are put in, nothing a caller gives


async def move_recipient(
    session: AsyncSession, attempt: LockedAttempt, move: RecipientMove, *, now: datetime
) -> None:
    """Move the recipient, unless something newer than this attempt already decides about it.

    The contact is told of an attempt that counts in the same statement.
    """
    status = move.status
    if status is RecipientStatus.PENDING and attempt.campaign_status is CampaignStatus.CANCELLED:
        status = RecipientStatus.CANCELLED
    moves = attempt.recipient_is_ours and _may_follow(attempt, status)
    waits = status is RecipientStatus.PENDING
    await write(
        session,
        _MOVE,
        {
            "moves": moves,
            "new": status.value,
            "old": attempt.recipient_status.value,
            "not_before": move.not_before,
            "unspent": move.unspent,
            "unsaid": move.unspent and move.status is RecipientStatus.PENDING,
            "disposition": attempt.disposition.value if attempt.disposition else None,
            "error": move.error[:500] if move.error else None,
            "blocked_by": move.blocked_by if waits else None,
            "blocked_why": move.blocked_why if waits else None,
            "now": now,
            "recipient_id": attempt.recipient_id,
            "attempt_id": attempt.attempt_id,
            "reason": move.reason[:200],
            "contact_id": attempt.contact_id,
            "reserved_at": attempt.reserved_at,
        },
    )
    if moves:
        attempt.recipient_status = status
        attempt.attempts_made -= int(move.unspent)


def _may_follow(attempt: LockedAttempt, status: RecipientStatus) -> bool:
    """A carrier's late word never undoes what a person decided meanwhile: it stays in the attempt alone."""
    old = attempt.recipient_status
    if old is RecipientStatus.SKIPPED or not may_follow(old, status):
        log.warning(
            "recipient.late_word", extra={"recipient_id": attempt.recipient_id, "old": old, "new": status}
        )
        return False
    return True
