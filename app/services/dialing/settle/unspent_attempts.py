"""Attempts that the carrier had, but that do not count as one of the recipient's attempts."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import DROPPED, Disposition
from app.domain.campaign import Channel
from app.domain.events import EventKind, FailureClass
from app.domain.gate import Rule
from app.domain.number_health import said_by_the_person
from app.domain.outcomes import Decision, HangUp, decision_of
from app.domain.recipient import RecipientStatus
from app.services.dialing.settle.batched_writes import flush
from app.services.dialing.settle.locked_attempts import LockedAttempt
from app.services.dialing.settle.recipient_moves import RecipientMove
from app.services.numbers.resting import rest_flagged


async def costs_nothing(session: AsyncSession, attempt: LockedAttempt) -> bool:
    """Tell whether the attempt does not count as one of the recipient's, though the carrier had it.

    We took it back before it rang; or it waited at the carrier until our hours ended; or a network turned our number
    away, for the first time for this recipient (the second time, the number is not the cause). To find out whether it
    is the first time, the gathered writes are sent.
    """
    if _was_taken_back(attempt) or _expired_with_the_hours(attempt):
        return True
    if not is_flagged(attempt) or said_by_the_person(attempt.progress.sip_code):
        return False
    await flush(session)
    return not (await session.execute(_FLAGGED_BEFORE, {"attempt_id": attempt.attempt_id})).scalar_one()


_FLAGGED_BEFORE: Final = text(
    """
    SELECT EXISTS (SELECT 1 FROM attempt a JOIN attempt earlier ON earlier.recipient_id = a.recipient_id
                   WHERE a.id = :attempt_id AND earlier.ordinal < a.ordinal AND earlier.failure = 'sender_health')
    """
)


def _was_taken_back(attempt: LockedAttempt) -> bool:
    progress = attempt.progress
    rang = progress.ringing_at is not None or progress.answered_at is not None
    return attempt.hang_up_why != "" and progress.ended_as is EventKind.CANCELLED and not rang


def _expired_with_the_hours(attempt: LockedAttempt) -> bool:
    """Tell whether the carrier dropped a text because our hours ended before it was sent."""
    progress = attempt.progress
    if attempt.channel is not Channel.SMS or attempt.closes_at is None or progress.ended_at is None:
        return False
    dropped = attempt.disposition in DROPPED and progress.failure is FailureClass.TOMORROW
    return dropped and progress.ended_at >= attempt.closes_at - WHOLE_SECONDS


WHOLE_SECONDS: Final = timedelta(seconds=5)
"""How long before the end of our hours a text may be dropped: the carrier counts whole seconds from its receipt."""


def is_flagged(attempt: LockedAttempt) -> bool:
    """Tell whether the call or message was turned away because of our number."""
    return (
        attempt.disposition is Disposition.REJECTED
        and decision_of(attempt.progress.failure) is Decision.REST_NUMBER
    )


def free_move(attempt: LockedAttempt, *, now: datetime) -> RecipientMove:
    """Return the move after an attempt that spends nothing: back in line."""
    if _expired_with_the_hours(attempt):
        why = "The hours to reach this person ended while the text waited at the carrier. It was dropped unsent."
        return _when_hours_open(attempt, reason="expired: the hours ended", why=why)
    if not _was_taken_back(attempt):
        why = "our number was turned away"
        return RecipientMove(status=RecipientStatus.PENDING, reason=why, not_before=now, unspent=True)
    if attempt.hang_up_why != HangUp.CALLING_HOURS:
        return RecipientMove(status=RecipientStatus.PENDING, reason="hung up before it rang", unspent=True)
    why = (
        "The hours to reach this person ended while the call waited at the carrier. It was taken back unrung."
    )
    return _when_hours_open(attempt, reason="taken back: the hours ended", why=why)


def _when_hours_open(attempt: LockedAttempt, *, reason: str, why: str) -> RecipientMove:
    return RecipientMove(
        status=RecipientStatus.PENDING,
        reason=reason,
        not_before=attempt.closes_at,
        unspent=True,
        blocked_by=Rule.CALLING_HOURS,
        blocked_why=why,
    )


async def rest_our_number(session: AsyncSession, attempt: LockedAttempt, *, now: datetime) -> None:
    """Rest our number that was flagged in this attempt, with the codes as evidence."""
    progress = attempt.progress
    codes = [f"SIP {progress.sip_code}"] if progress.sip_code else []
    codes += [f"error {progress.error_code}"] if progress.error_code else []
    who = "The person called marked it as unwanted" if said_by_the_person(progress.sip_code) else _DISTRUSTED
    await rest_flagged(
        session,
        phone_number_id=attempt.phone_number_id,
        attempt_id=attempt.attempt_id,
        evidence=f"{who} ({', '.join(codes)}).",
        now=now,
    )


_DISTRUSTED: Final = "A network turned it away as likely spam"
