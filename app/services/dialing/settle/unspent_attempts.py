"""Attempts that the carrier had, and that nevertheless spend none of the recipient's budget."""

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
from app.services.dialing.settle.locked_attempts import Case
from app.services.dialing.settle.recipient_moves import RecipientMove
from app.services.numbers.resting import rest_flagged


async def costs_nothing(session: AsyncSession, case: Case) -> bool:
    """Tell whether the attempt, as it stands, spends none of the recipient's budget though the carrier had it.

    We took it back before it rang; it waited at the carrier until our hours ended, as we had asked; or a network turned
    our number away, the first time for this recipient: twice, and it is not the number.
    """
    if _was_taken_back(case) or _expired_with_the_hours(case):
        return True
    if not is_flagged(case) or said_by_the_person(case.progress.sip_code):
        return False
    await flush(session)
    return not (await session.execute(_FLAGGED_BEFORE, {"attempt_id": case.attempt_id})).scalar_one()


_FLAGGED_BEFORE: Final = text(
    """
    SELECT EXISTS (SELECT 1 FROM attempt a JOIN attempt earlier ON earlier.recipient_id = a.recipient_id
                   WHERE a.id = :attempt_id AND earlier.ordinal < a.ordinal AND earlier.failure = 'sender_health')
    """
)


def _was_taken_back(case: Case) -> bool:
    progress = case.progress
    rang = progress.ringing_at is not None or progress.answered_at is not None
    return case.hang_up_why != "" and progress.ended_as is EventKind.CANCELLED and not rang


def _expired_with_the_hours(case: Case) -> bool:
    """Tell whether a text was dropped unsent because it may be held no longer than our hours last."""
    progress = case.progress
    if case.channel is not Channel.SMS or case.closes_at is None or progress.ended_at is None:
        return False
    dropped = case.disposition in DROPPED and progress.failure is FailureClass.TOMORROW
    return dropped and progress.ended_at >= case.closes_at - WHOLE_SECONDS


WHOLE_SECONDS: Final = timedelta(seconds=5)
"""A carrier holds a text for whole seconds from its own receipt: so much before our hours end it may drop it."""


def is_flagged(case: Case) -> bool:
    """Tell whether the call or message was turned away because of the number that it came from."""
    return (
        case.disposition is Disposition.REJECTED
        and decision_of(case.progress.failure) is Decision.REST_NUMBER
    )


def free_move(case: Case, *, now: datetime) -> RecipientMove:
    """Return where the recipient goes after an attempt that spends nothing: back in line."""
    if _expired_with_the_hours(case):
        why = "The hours to reach this person ended while the text waited at the carrier. It was dropped unsent."
        return _when_hours_open(case, reason="expired: the hours ended", why=why)
    if not _was_taken_back(case):
        why = "our number was turned away"
        return RecipientMove(status=RecipientStatus.PENDING, reason=why, not_before=now, unspent=True)
    if case.hang_up_why != HangUp.CALLING_HOURS:
        return RecipientMove(status=RecipientStatus.PENDING, reason="hung up before it rang", unspent=True)
    why = (
        "The hours to reach this person ended while the call waited at the carrier. It was taken back unrung."
    )
    return _when_hours_open(case, reason="taken back: the hours ended", why=why)


def _when_hours_open(case: Case, *, reason: str, why: str) -> RecipientMove:
    return RecipientMove(
        status=RecipientStatus.PENDING,
        reason=reason,
        not_before=case.closes_at,
        unspent=True,
        blocked_by=Rule.CALLING_HOURS,
        blocked_why=why,
    )


async def rest_our_number(session: AsyncSession, case: Case, *, now: datetime) -> None:
    """Rest the number that this attempt was flagged for, with the codes as evidence."""
    progress = case.progress
    codes = [f"SIP {progress.sip_code}"] if progress.sip_code else []
    codes += [f"error {progress.error_code}"] if progress.error_code else []
    who = "The person called marked it as unwanted" if said_by_the_person(progress.sip_code) else _DISTRUSTED
    await rest_flagged(
        session,
        phone_number_id=case.phone_number_id,
        attempt_id=case.attempt_id,
        evidence=f"{who} ({', '.join(codes)}).",
        now=now,
    )


_DISTRUSTED: Final = "A network turned it away as likely spam"
