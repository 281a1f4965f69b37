"""What an attempt's news means for its recipient: done, another try later, or back in line unspent.

Every change is a compare-and-set on the recipient's status with a history row in the same transaction.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import AttemptProgress, AttemptStatus, Disposition, apply_event, disposition_of
from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import AttemptEvent, FailureClass
from app.domain.recipient import TRANSITIONS, RecipientStatus, ends_as
from app.domain.retry import NoRetry, RetryAt, decide
from app.live import announce
from app.models import Recipient, SuppressionScope, SuppressionSource
from app.services.dialing.cases import Case, save_progress
from app.services.dialing.pausing import pause_by_system
from app.services.suppression.operations import suppress

log = logging.getLogger(__name__)

_OVER: Final = frozenset({CampaignStatus.CANCELLED, CampaignStatus.COMPLETED})
"""Nobody is tried again in these."""

NEWS_WITHIN: Final = timedelta(minutes=5)
"""An attempt that is quiet for longer is looked up at the carrier (seed 003: 5 minutes)."""

REPORTS_WITHIN: Final = timedelta(minutes=10)
"""How long a sent message's delivery report is waited for before the run may complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientMove:
    """Where a recipient goes because of an attempt."""

    status: RecipientStatus
    reason: str
    not_before: datetime | None = None
    unspent: bool = False
    """The attempt does not count against the budget."""
    error: str | None = None


async def apply_events(
    session: AsyncSession, case: Case, events: list[AttemptEvent], *, now: datetime, error: str | None = None
) -> None:
    """Merge events into the attempt, and move the recipient if they settle it. Applying them again changes nothing."""
    progress = case.progress
    case.error_message = error or case.error_message
    for event in events:
        progress = apply_event(progress, event)
    disposition = disposition_of(progress)
    newly_opted_out = _opted_out(progress, disposition) and not _opted_out(case.progress, case.disposition)
    before = case.disposition
    if case.progress.status is AttemptStatus.NOT_PLACED and progress.status is not AttemptStatus.NOT_PLACED:
        await _spend_after_all(session, case)
    await save_progress(
        session,
        case,
        progress,
        disposition,
        deadline_at=_deadline(case, progress.status, now),
        error_message=case.error_message,
    )
    if newly_opted_out:
        by_key = any(event.by_key for event in events)
        await _suppress(session, case, by_key=by_key, now=now)
    if progress.failure is FailureClass.MISCONFIGURED and progress.answered_at is None:
        await _hold_for_a_person(session, case, error=error, now=now)
    elif (move := _move_after(case, before, now=now)) is not None:
        await move_recipient(session, case, move, now=now)
    announce(
        session,
        organization_id=case.organization_id,
        campaign_id=case.campaign_id,
        work=disposition is not None,
    )


async def give_back(session: AsyncSession, case: Case, *, reason: str, now: datetime) -> None:
    """Record that the attempt was not placed: the recipient is due again, at its place, and no attempt is spent."""
    progress = replace(case.progress, status=AttemptStatus.NOT_PLACED)
    await save_progress(session, case, progress, None, deadline_at=None, error_message=reason, ended_at=now)
    move = RecipientMove(status=RecipientStatus.PENDING, reason=reason[:200], unspent=True, error=reason)
    await move_recipient(session, case, move, now=now)
    announce(session, organization_id=case.organization_id, campaign_id=case.campaign_id, work=True)


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
            blocked_by = NULL,
            blocked_why = NULL,
            updated_at = :now
        WHERE id = :recipient_id AND status = CAST(:old AS varchar) AND last_attempt_id = :attempt_id
        RETURNING id
    )
    INSERT INTO recipient_transition (recipient_id, old, new, reason, attempt_id, at)
    SELECT id, CAST(:old AS varchar), CAST(:new AS varchar), CAST(:reason AS varchar), :attempt_id, :now
    FROM moved WHERE CAST(:old AS varchar) <> CAST(:new AS varchar)
    """
)


async def move_recipient(session: AsyncSession, case: Case, move: RecipientMove, *, now: datetime) -> None:
    """Move the recipient, unless something newer than this attempt already decides about it."""
    status = move.status
    if status is RecipientStatus.PENDING and case.campaign_status is CampaignStatus.CANCELLED:
        status = RecipientStatus.CANCELLED
    if not case.recipient_is_ours or not _may_follow(case, status):
        return
    await session.execute(
        _MOVE,
        {
            "new": status.value,
            "old": case.recipient_status.value,
            "not_before": move.not_before,
            "unspent": int(move.unspent),
            "disposition": case.disposition.value if case.disposition else None,
            "error": move.error[:500] if move.error else None,
            "now": now,
            "recipient_id": case.recipient_id,
            "attempt_id": case.attempt_id,
            "reason": move.reason[:200],
        },
    )
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


def _move_after(case: Case, before: Disposition | None, *, now: datetime) -> RecipientMove | None:
    """Return where the recipient goes now; None if these events do not settle it, or did already."""
    waiting = case.recipient_status is RecipientStatus.IN_PROGRESS
    if case.disposition is None:
        sent = case.progress.status is AttemptStatus.SENT
        return RecipientMove(status=RecipientStatus.COMPLETED, reason="sent") if sent and waiting else None
    if case.disposition is before and not waiting:
        return None
    return _outcome(case, case.disposition, now=now)


def _outcome(case: Case, disposition: Disposition, *, now: datetime) -> RecipientMove:
    failure = case.progress.failure
    decision = decide(
        case.policy,
        disposition=disposition,
        failure=failure,
        attempts_made=case.attempts_made,
        now=min(case.progress.ended_at or now, now),
    )
    if isinstance(decision, RetryAt) and case.campaign_status not in _OVER:
        return RecipientMove(
            status=RecipientStatus.PENDING,
            reason=disposition,
            not_before=decision.at,
            error=case.error_message,
        )
    reason = decision.reason if isinstance(decision, NoRetry) else None
    return RecipientMove(
        status=ends_as(disposition, failure), reason=disposition, error=case.error_message or reason
    )


def _deadline(case: Case, status: AttemptStatus, now: datetime) -> datetime | None:
    match status:
        case AttemptStatus.QUEUED | AttemptStatus.RINGING | AttemptStatus.IN_PROGRESS:
            return now + NEWS_WITHIN
        case AttemptStatus.SENT:
            return case.deadline_at if case.progress.status is AttemptStatus.SENT else now + REPORTS_WITHIN
        case AttemptStatus.PLACING | AttemptStatus.UNKNOWN:
            return case.deadline_at
        case _:
            return None


async def _spend_after_all(session: AsyncSession, case: Case) -> None:
    """The carrier has an attempt we had given up as not placed: it counts after all."""
    log.error("attempt.placed_after_all", extra={"attempt_id": str(case.attempt_id)})
    await session.execute(
        update(Recipient)
        .where(col(Recipient.id) == case.recipient_id)
        .values(attempts_made=col(Recipient.attempts_made) + 1)
    )
    case.attempts_made += 1


def _opted_out(progress: AttemptProgress, disposition: Disposition | None) -> bool:
    return progress.opted_out or disposition is Disposition.OPTED_OUT


async def _suppress(session: AsyncSession, case: Case, *, by_key: bool, now: datetime) -> None:
    by_carrier = case.progress.failure is FailureClass.OPTED_OUT
    source = SuppressionSource.KEYPRESS if by_key else SuppressionSource.SPOKEN
    await suppress(
        session,
        organization_id=case.organization_id,
        number=case.number_to,
        scope=SuppressionScope.SMS if by_carrier and case.channel is Channel.SMS else SuppressionScope.ALL,
        reason="The carrier reports that this person opted out."
        if by_carrier
        else "The person asked not to be contacted again.",
        source=SuppressionSource.CARRIER if by_carrier else source,
        actor=f"attempt:{case.attempt_id}",
        now=now,
    )


async def _hold_for_a_person(session: AsyncSession, case: Case, *, error: str | None, now: datetime) -> None:
    """Our account, credentials or sender are wrong: nobody's fault but ours, so nobody's attempt is spent."""
    if case.recipient_status in {RecipientStatus.IN_PROGRESS, RecipientStatus.COMPLETED}:
        move = RecipientMove(
            status=RecipientStatus.PENDING, reason="misconfigured", not_before=now, unspent=True, error=error
        )
        await move_recipient(session, case, move, now=now)
    await pause_by_system(
        session,
        campaign_id=case.campaign_id,
        reason=f"The carrier refuses our account or number: {error or 'no details given'}",
        now=now,
    )
