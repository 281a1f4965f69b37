"""Signing in with a password, and what slows down whoever guesses."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.models import SignInFailure, User
from app.services.access.passwords import password_matches
from app.services.access.tickets import issue_ticket
from app.services.errors import CallsheetError
from app.services.fields import cleaned

WINDOW: Final = timedelta(minutes=15)
"""How long a failure counts."""
MOST_FAILURES_OF_AN_EMAIL: Final = 10
MOST_FAILURES_OF_AN_ADDRESS: Final = 50

_KEPT: Final = timedelta(hours=1)
_SIGN_IN_LOCK: Final = 0x7369676E  # "sign"
_LONGEST_EMAIL: Final = 320
_LONGEST_ADDRESS: Final = 64


class SignInRefused(CallsheetError):
    """The e-mail and the password do not go together. It never says which of the two is wrong."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("This e-mail and password do not go together. Check both and try again.")


class TooManySignIns(CallsheetError):
    """Too many sign-ins failed of late, with this e-mail or from this address."""

    code = "too_many_sign_ins"

    def __init__(self, retry_at: datetime, *, now: datetime) -> None:
        minutes = max(1, -(-int((retry_at - now).total_seconds()) // 60))
        super().__init__(
            f"Too many sign-ins failed. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
        )
        self.retry_at = retry_at


async def check_password_and_issue_ticket(
    session: AsyncSession, *, email: str, password: str, address: str, next_path: str, now: datetime
) -> str:
    """Return a sign-in ticket for the person with this e-mail and password.

    `address` is the caller's IP address. Raises `SignInRefused`, having recorded the failure for good, and
    `TooManySignIns` once 10 failed with the e-mail or 50 from the address within 15 minutes.
    """
    known_as, address = normal_email(email)[:_LONGEST_EMAIL], cleaned(address)[:_LONGEST_ADDRESS]
    await _take_turns(session, known_as)
    await _refuse_when_too_many(session, known_as, address, now)
    user = (await session.execute(select(User).where(col(User.email) == known_as))).scalar_one_or_none()
    if not await password_matches(user.password_hash if user else None, password) or user is None:
        await _record_failure(session, known_as, address, now)
        raise SignInRefused
    await session.execute(delete(SignInFailure).where(col(SignInFailure.email) == known_as))
    return await issue_ticket(session, user_id=user.id, next_path=next_path, now=now)


def normal_email(email: str) -> str:
    """Return the e-mail as it is stored and looked up: trimmed and in lower case."""
    return cleaned(email).lower()


async def _take_turns(session: AsyncSession, email: str) -> None:
    """Check one password of an e-mail at a time, so that guesses sent all at once are counted too."""
    await session.execute(select(func.pg_advisory_xact_lock(_SIGN_IN_LOCK, func.hashtext(email))))


async def _refuse_when_too_many(session: AsyncSession, email: str, address: str, now: datetime) -> None:
    limits = (
        (col(SignInFailure.email), email, MOST_FAILURES_OF_AN_EMAIL),
        (col(SignInFailure.address), address, MOST_FAILURES_OF_AN_ADDRESS),
    )
    frees = [await _free_again(session, column, value, most, now) for column, value, most in limits]
    if retry_at := max((at for at in frees if at is not None), default=None):
        raise TooManySignIns(retry_at, now=now)


async def _free_again(
    session: AsyncSession, column: Mapped[str], value: str, most: int, now: datetime
) -> datetime | None:
    """Return when the oldest of the newest `most` failures stops counting; None if there are fewer."""
    statement = (
        select(col(SignInFailure.at))
        .where(column == value, col(SignInFailure.at) > now - WINDOW)
        .order_by(col(SignInFailure.at).desc())
        .offset(most - 1)
        .limit(1)
    )
    at = (await session.execute(statement)).scalar_one_or_none()
    return None if at is None else at + WINDOW


async def _record_failure(session: AsyncSession, email: str, address: str, now: datetime) -> None:
    """Record the failure and forget old ones. Commits: the error that follows must not undo it."""
    mine = or_(col(SignInFailure.email) == email, col(SignInFailure.address) == address)
    await session.execute(delete(SignInFailure).where(mine, col(SignInFailure.at) < now - _KEPT))
    session.add(SignInFailure(email=email, address=address, at=now))
    await session.commit()
