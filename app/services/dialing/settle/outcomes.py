"""Decides what news of an attempt means for its recipient: done, a retry later, or back in line unspent.

Every change is a compare-and-set on the recipient's status with a history row in the same transaction.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
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
from app.services.dialing.settle.locked_attempts import LockedAttempt, held_status, save_progress
from app.services.dialing.settle.recipient_moves import RecipientMove, move_recipient
from app.services.dialing.settle.unspent_attempts import costs_nothing, free_move, is_flagged, rest_our_number
from app.services.suppression.operations import suppress

log = logging.getLogger(__name__)

_OVER: Final = frozenset({CampaignStatus.CANCELLED, CampaignStatus.COMPLETED})
"""No recipient is tried again in these."""

NEWS_WITHIN: Final = timedelta(minutes=5)
"""An attempt without news for longer is looked up at the carrier (seed 003: 5 minutes)."""

_MAY_PASS: Final = frozenset({Decision.AS_ASKED, Decision.TOMORROW})

_REACHED: Final = frozenset({None, Disposition.DELIVERED, Disposition.ANSWERED})
"""Outcomes after which a completed recipient stays completed."""

REPORTS_WITHIN: Final = timedelta(minutes=10)
"""How long the run waits for a sent message's delivery report before it completes."""


async def apply_events(
    session: AsyncSession,
    attempt: LockedAttempt,
    events: list[AttemptEvent],
    *,
    now: datetime,
    error: str | None = None,
    by: str | None = None,
) -> None:
    """Merge events into the attempt, and move the recipient if they settle it. Applying them again changes nothing.

    `by`: the person who says so instead of the carrier, for the recipient's history.
    """
    attempt.error_message = error or attempt.error_message
    before = await _standing(session, attempt)
    await _save(session, attempt, reduce(apply_event, events, attempt.progress), now=now)
    after = await _standing(session, attempt)
    if (before.is_not_placed and not after.is_not_placed) or (
        before.costs_nothing and not after.costs_nothing
    ):
        await _spend_after_all(session, attempt)
    if after.opted_out and not before.opted_out:
        await _suppress(session, attempt, by_key=any(event.by_key for event in events), now=now)
    if after.is_flagged and not before.is_flagged:
        await rest_our_number(session, attempt, now=now)
    is_news = _is_news(attempt, before.disposition)
    if is_news and await _is_ours_to_mend(session, attempt):
        await _fail_campaign(session, attempt, events, error=error, now=now)
    elif is_news or before.costs_nothing is not after.costs_nothing:
        await _move(session, attempt, back_in_line=after.costs_nothing, by=by, now=now)
    announce(
        session,
        organization_id=attempt.organization_id,
        campaign_id=attempt.campaign_id,
        work=attempt.disposition is not None,
    )


@dataclass(frozen=True, slots=True)
class _Standing:
    """The state of an attempt before or after news. The difference decides what else must change."""

    disposition: Disposition | None
    is_not_placed: bool
    opted_out: bool
    is_flagged: bool
    costs_nothing: bool


async def _standing(session: AsyncSession, attempt: LockedAttempt) -> _Standing:
    """Return the attempt's state. Sends the gathered writes if earlier attempts must be read."""
    return _Standing(
        disposition=attempt.disposition,
        is_not_placed=attempt.progress.status is AttemptStatus.NOT_PLACED,
        opted_out=attempt.progress.opted_out or attempt.disposition is Disposition.OPTED_OUT,
        is_flagged=is_flagged(attempt),
        costs_nothing=await costs_nothing(session, attempt),
    )


async def _save(
    session: AsyncSession, attempt: LockedAttempt, progress: AttemptProgress, *, now: datetime
) -> None:
    await save_progress(
        session,
        attempt,
        progress,
        disposition_of(progress),
        deadline_at=_deadline(attempt, progress.status, now),
        error_message=attempt.error_message,
    )


async def _move(
    session: AsyncSession, attempt: LockedAttempt, *, back_in_line: bool, by: str | None, now: datetime
) -> None:
    """Move the recipient on, or back in line if the attempt spends nothing and the campaign is not completed."""
    if attempt.recipient_status is RecipientStatus.COMPLETED and attempt.disposition not in _REACHED:
        attempt.campaign_status = await held_status(session, attempt.campaign_id)
    if back_in_line and attempt.campaign_status is not CampaignStatus.COMPLETED:
        move = free_move(attempt, now=now)
    elif attempt.disposition is None:
        move = RecipientMove(status=RecipientStatus.COMPLETED, reason="sent")
    else:
        move = _outcome(attempt, attempt.disposition, now=now)
    if by is not None:
        move = replace(move, reason=f"{by}: {move.reason}")
    await move_recipient(session, attempt, move, now=now)


async def give_back(session: AsyncSession, attempt: LockedAttempt, *, reason: str, now: datetime) -> None:
    """Record that the attempt was not placed. The recipient is due again in its old place; no attempt is spent."""
    progress = replace(attempt.progress, status=AttemptStatus.NOT_PLACED)
    await save_progress(
        session, attempt, progress, None, deadline_at=None, error_message=reason, ended_at=now
    )
    move = RecipientMove(status=RecipientStatus.PENDING, reason=reason[:200], unspent=True)
    await move_recipient(session, attempt, move, now=now)
    announce(session, organization_id=attempt.organization_id, campaign_id=attempt.campaign_id, work=True)


def _is_news(attempt: LockedAttempt, before: Disposition | None) -> bool:
    """Tell whether these events decide the recipient's status for the first time, or in another way than before."""
    waiting = attempt.recipient_status is RecipientStatus.IN_PROGRESS
    if attempt.disposition is None:
        return waiting and attempt.progress.status is AttemptStatus.SENT
    return waiting or attempt.disposition is not before


def _outcome(attempt: LockedAttempt, disposition: Disposition, *, now: datetime) -> RecipientMove:
    failure, ended_at = attempt.progress.failure, min(attempt.progress.ended_at or now, now)
    asked_about = _asked_about(attempt, disposition)
    decision = decide(
        attempt.policy,
        disposition=asked_about,
        failure=failure,
        attempts_made=attempt.attempts_made,
        now=ended_at,
    )
    if isinstance(decision, RetryAt) and attempt.campaign_status not in _OVER:
        tomorrow = decision_of(failure) is Decision.TOMORROW
        return RecipientMove(
            status=RecipientStatus.PENDING,
            reason=disposition,
            not_before=max(decision.at, ended_at + A_NIGHT) if tomorrow else decision.at,
            error=attempt.error_message,
        )
    status = ends_as(asked_about, failure)
    reason = decision.reason if isinstance(decision, NoRetry) else None
    error = attempt.error_message or reason if status in UNREACHED else None
    return RecipientMove(status=status, reason=disposition, error=error, unspent=_is_refused_to_us(attempt))


def _asked_about(attempt: LockedAttempt, disposition: Disposition) -> Disposition:
    """Return the outcome by which the campaign's retry settings decide."""
    failure = attempt.progress.failure
    if disposition is Disposition.UNDELIVERED and failure is not None and decision_of(failure) in _MAY_PASS:
        return Disposition.CARRIER_ERROR  # The cause may pass, as with a call.
    if disposition is Disposition.CANCELLED and attempt.hang_up_why == HangUp.CALLING_HOURS:
        return Disposition.NO_ANSWER  # It rang, and we gave up before the person could answer.
    return disposition


def _deadline(attempt: LockedAttempt, status: AttemptStatus, now: datetime) -> datetime | None:
    match status:
        case AttemptStatus.QUEUED | AttemptStatus.RINGING | AttemptStatus.IN_PROGRESS:
            return now + NEWS_WITHIN
        case AttemptStatus.SENT:
            return (
                attempt.deadline_at if attempt.progress.status is AttemptStatus.SENT else now + REPORTS_WITHIN
            )
        case AttemptStatus.PLACING | AttemptStatus.UNKNOWN:
            return attempt.deadline_at
        case _:
            return None


async def _spend_after_all(session: AsyncSession, attempt: LockedAttempt) -> None:
    """Count an attempt that we had taken as not placed: the carrier has it."""
    log.error("attempt.placed_after_all", extra={"attempt_id": str(attempt.attempt_id)})
    await session.execute(
        update(Recipient)
        .where(col(Recipient.id) == attempt.recipient_id)
        .values(attempts_made=col(Recipient.attempts_made) + 1)
    )
    attempt.attempts_made += 1


async def _suppress(session: AsyncSession, attempt: LockedAttempt, *, by_key: bool, now: datetime) -> None:
    by_carrier = attempt.progress.failure is FailureClass.OPTED_OUT
    source = SuppressionSource.KEYPRESS if by_key else SuppressionSource.SPOKEN
    await suppress(
        session,
        organization_id=attempt.organization_id,
        number=attempt.number_to,
        scope=SuppressionScope.SMS if by_carrier and attempt.channel is Channel.SMS else SuppressionScope.ALL,
        reason="The carrier reports that this person opted out."
        if by_carrier
        else "The person asked not to be contacted again.",
        source=SuppressionSource.CARRIER if by_carrier else source,
        actor=f"attempt:{attempt.attempt_id}",
        now=now,
    )


async def _is_ours_to_mend(session: AsyncSession, attempt: LockedAttempt) -> bool:
    """Tell whether the carrier refused our account, credentials, addresses or number, and a retry is possible.

    In a completed campaign there is no retry: the refusal is an outcome like any other, but it spends no attempt.
    """
    if not _is_refused_to_us(attempt):
        return False
    if attempt.recipient_status is RecipientStatus.COMPLETED:
        attempt.campaign_status = await held_status(session, attempt.campaign_id)
    return attempt.campaign_status is not CampaignStatus.COMPLETED


def _is_refused_to_us(attempt: LockedAttempt) -> bool:
    refused = decision_of(attempt.progress.failure) is Decision.FAIL_CAMPAIGN
    return refused and attempt.progress.answered_at is None


async def _fail_campaign(
    session: AsyncSession,
    attempt: LockedAttempt,
    events: list[AttemptEvent],
    *,
    error: str | None,
    now: datetime,
) -> None:
    """Fail the campaign and say what to correct. The recipient goes back in line; no attempt is spent."""
    if attempt.recipient_status in {RecipientStatus.IN_PROGRESS, RecipientStatus.COMPLETED}:
        move = RecipientMove(
            status=RecipientStatus.PENDING, reason="misconfigured", not_before=now, unspent=True
        )
        await move_recipient(session, attempt, move, now=now)
    remedy = next((event.remedy for event in events if event.remedy), "")
    said = f": {error.rstrip('.')}" if error else ""
    code = f" (error {attempt.progress.error_code})" if attempt.progress.error_code else ""
    await fail_by_system(
        session,
        campaign_id=attempt.campaign_id,
        reason=f"The carrier refuses our account or number{said}{code}. {remedy}".rstrip(),
        seen_in=attempt.reserved_at,
        now=now,
    )
