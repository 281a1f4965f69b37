"""Moves a recipient after an attempt, and stores the outcome at its contact, in one statement."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import CampaignStatus
from app.domain.recipient import TRANSITIONS, RecipientStatus
from app.services.dialing.settle.batched_writes import write
from app.services.dialing.settle.locked_attempts import LockedAttempt
from app.services.recipients.transitions import MOVED, MOVED_HISTORY

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientMove:
    """The status of a recipient after an attempt, with the reason."""

    status: RecipientStatus
    reason: str
    not_before: datetime | None = None
    unspent: bool = False
    """The attempt does not count as one of the recipient's. Back in line, the recipient keeps its earlier outcome."""
    error: str | None = None
    """Why an attempt that counts did not reach the person, as a text for people; None if it did."""
    blocked_by: str | None = None
    """The gate's rule that it waits for, if we know it already; with the reason."""
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
        -- How the newest attempt ended, over all campaigns. The contact's version stays: rendered texts stay true.
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
    """Move the recipient, unless it has a newer attempt or a person has decided otherwise.

    The same statement stores the outcome of an attempt that counts at the contact.
    """
    status = move.status
    if status is RecipientStatus.PENDING and attempt.campaign_status is CampaignStatus.CANCELLED:
        status = RecipientStatus.CANCELLED
    moves = attempt.recipient_is_ours and _may_become(attempt, status)
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


def _may_become(attempt: LockedAttempt, status: RecipientStatus) -> bool:
    """Tell whether the recipient may become, or stay, that. Late news never undoes what a person has decided."""
    old = attempt.recipient_status
    if old is RecipientStatus.SKIPPED or (old is not status and status not in TRANSITIONS[old]):
        log.warning(
            "recipient.late_word", extra={"recipient_id": attempt.recipient_id, "old": old, "new": status}
        )
        return False
    return True
