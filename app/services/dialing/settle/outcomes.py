"""What an attempt's news means for its recipient: done, another try later, or back in line unspent.

Every change is a compare-and-set on the recipient's status with a history row in the same transaction.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import AttemptProgress, AttemptStatus, Disposition, apply_event, disposition_of
from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import AttemptEvent, FailureClass
from app.domain.outcomes import A_NIGHT, Decision, HangUp, decision_of
from app.domain.recipient import UNREACHED, RecipientStatus, ends_as
from app.domain.retry import NoRetry, RetryAt, decide
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Recipient
from app.runtime.live_feed import announce
from app.services.campaigns.transitions import fail_by_system
from app.services.dialing.settle.locked_attempts import Case, held_status, save_progress
from app.services.dialing.settle.recipient_moves import RecipientMove, move_recipient
from app.services.dialing.settle.unspent_attempts import costs_nothing, free_move, is_flagged, rest_our_number
from app.services.suppression.operations import suppress

log = logging.getLogger(__name__)

_OVER: Final = frozenset({CampaignStatus.CANCELLED, CampaignStatus.COMPLETED})
"""Nobody is tried again in these."""

NEWS_WITHIN: Final = timedelta(minutes=5)
"""An attempt that is quiet for longer is looked up at the carrier (seed 003: 5 minutes)."""

_MAY_PASS: Final = frozenset({Decision.AS_ASKED, Decision.TOMORROW})

_REACHED: Final = frozenset({None, Disposition.DELIVERED, Disposition.ANSWERED})
"""What takes nobody who was done back into line."""

REPORTS_WITHIN: Final = timedelta(minutes=10)
"""How long a sent message's delivery report is waited for before the run may complete."""


async def apply_events(
    session: AsyncSession,
    case: Case,
    events: list[AttemptEvent],
    *,
    now: datetime,
    error: str | None = None,
    by: str | None = None,
) -> None:
    """Merge events into the attempt, and move the recipient if they settle it. Applying them again changes nothing.

    `by`: the person who says so in place of the carrier, for the recipient's history.
    """
    progress = case.progress
    case.error_message = error or case.error_message
    for event in events:
        progress = apply_event(progress, event)
    disposition = disposition_of(progress)
    newly_opted_out = _opted_out(progress, disposition) and not _opted_out(case.progress, case.disposition)
    before, was_flagged = case.disposition, is_flagged(case)
    was_free = await costs_nothing(session, case)
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
    if is_flagged(case) and not was_flagged:
        await rest_our_number(session, case, now=now)
    is_free = await costs_nothing(session, case)
    if was_free and not is_free:
        await _spend_after_all(session, case)
    if _is_news(case, before) and await _is_ours_to_mend(session, case):
        await _fail_campaign(session, case, events, error=error, now=now)
    elif _is_news(case, before) or was_free is not is_free:
        if case.recipient_status is RecipientStatus.COMPLETED and disposition not in _REACHED:
            case.campaign_status = await held_status(session, case.campaign_id)
        back_in_line = is_free and case.campaign_status is not CampaignStatus.COMPLETED
        move = free_move(case, now=now) if back_in_line else _move_after(case, now=now)
        if by is not None:
            move = replace(move, reason=f"{by}: {move.reason}")
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
    move = RecipientMove(status=RecipientStatus.PENDING, reason=reason[:200], unspent=True)
    await move_recipient(session, case, move, now=now)
    announce(session, organization_id=case.organization_id, campaign_id=case.campaign_id, work=True)


def _is_news(case: Case, before: Disposition | None) -> bool:
    """Tell whether these events settle where the recipient goes, and did not before."""
    waiting = case.recipient_status is RecipientStatus.IN_PROGRESS
    if case.disposition is None:
        return waiting and case.progress.status is AttemptStatus.SENT
    return waiting or case.disposition is not before


def _move_after(case: Case, *, now: datetime) -> RecipientMove:
    """Return where the recipient goes after an attempt that counts."""
    if case.disposition is None:
        return RecipientMove(status=RecipientStatus.COMPLETED, reason="sent")
    return _outcome(case, case.disposition, now=now)


def _outcome(case: Case, disposition: Disposition, *, now: datetime) -> RecipientMove:
    failure, ended_at = case.progress.failure, min(case.progress.ended_at or now, now)
    asked_about = _asked_about(case, disposition)
    decision = decide(
        case.policy,
        disposition=asked_about,
        failure=failure,
        attempts_made=case.attempts_made,
        now=ended_at,
    )
    if isinstance(decision, RetryAt) and case.campaign_status not in _OVER:
        tomorrow = decision_of(failure) is Decision.TOMORROW
        return RecipientMove(
            status=RecipientStatus.PENDING,
            reason=disposition,
            not_before=max(decision.at, ended_at + A_NIGHT) if tomorrow else decision.at,
            error=case.error_message,
        )
    status = ends_as(asked_about, failure)
    reason = decision.reason if isinstance(decision, NoRetry) else None
    error = case.error_message or reason if status in UNREACHED else None
    return RecipientMove(status=status, reason=disposition, error=error, unspent=_is_refused_to_us(case))


def _asked_about(case: Case, disposition: Disposition) -> Disposition:
    """Return the outcome that the campaign's retry settings are asked about."""
    failure = case.progress.failure
    if disposition is Disposition.UNDELIVERED and failure is not None and decision_of(failure) in _MAY_PASS:
        return Disposition.CARRIER_ERROR  # It failed for a cause that may pass, as a call may.
    if disposition is Disposition.CANCELLED and case.hang_up_why == HangUp.CALLING_HOURS:
        return Disposition.NO_ANSWER  # It rang, and we gave up before the person could answer.
    return disposition


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


async def _is_ours_to_mend(session: AsyncSession, case: Case) -> bool:
    """Tell whether the attempt was refused for our account, credentials, addresses or number, and can be made again.

    In a completed campaign nobody is: there it is an outcome as any other, though it spends no attempt.
    """
    if not _is_refused_to_us(case):
        return False
    if case.recipient_status is RecipientStatus.COMPLETED:
        case.campaign_status = await held_status(session, case.campaign_id)
    return case.campaign_status is not CampaignStatus.COMPLETED


def _is_refused_to_us(case: Case) -> bool:
    refused = decision_of(case.progress.failure) is Decision.FAIL_CAMPAIGN
    return refused and case.progress.answered_at is None


async def _fail_campaign(
    session: AsyncSession, case: Case, events: list[AttemptEvent], *, error: str | None, now: datetime
) -> None:
    """Nobody's fault but ours, so nobody's attempt is spent: back in line, and the campaign says what to mend."""
    if case.recipient_status in {RecipientStatus.IN_PROGRESS, RecipientStatus.COMPLETED}:
        move = RecipientMove(
            status=RecipientStatus.PENDING, reason="misconfigured", not_before=now, unspent=True
        )
        await move_recipient(session, case, move, now=now)
    remedy = next((event.remedy for event in events if event.remedy), "")
    said = f": {error.rstrip('.')}" if error else ""
    code = f" (error {case.progress.error_code})" if case.progress.error_code else ""
    await fail_by_system(
        session,
        campaign_id=case.campaign_id,
        reason=f"The carrier refuses our account or number{said}{code}. {remedy}".rstrip(),
        seen_in=case.reserved_at,
        now=now,
    )
