"""Signing in with a password, and what slows down whoever guesses without locking out who does not."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.addresses import counted_as
from app.models import SignInFailure, User
from app.services.access.known_browsers import find_known_browser
from app.services.access.passwords import password_matches
from app.services.access.tickets import issue_ticket
from app.services.errors import CallsheetError
from app.services.field_readers import cleaned

log = logging.getLogger(__name__)

WINDOW: Final = timedelta(minutes=15)
"""How long a failure counts."""
MOST_FAILURES_OF_AN_EMAIL: Final = 10
"""In browsers that its person has not signed in with before."""
MOST_FAILURES_OF_AN_ADDRESS: Final = 50
"""In such browsers too, whatever the e-mails."""
MOST_FAILURES_OF_A_BROWSER: Final = 10
"""In one that the e-mail's person has signed in with before."""

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
    session: AsyncSession,
    *,
    email: str,
    password: str,
    address: str,
    next_path: str,
    now: datetime,
    browser_tokens: Collection[str] = (),
) -> str:
    """Return a sign-in ticket for the person with this e-mail and password.

    `address` is the caller's IP address, `browser_tokens` what is in the cookie of known browsers. Raises
    `SignInRefused`, having recorded the failure for good, and `TooManySignIns`, whatever the password, once 10 failed
    with the e-mail or 50 from the address (IPv6: its /64) within 15 minutes. In a browser that this person has
    signed in with before, neither matters: it waits for 10 failures of its own, and nobody else can bring those about.
    """
    known_as, address = normal_email(email)[:_LONGEST_EMAIL], counted_as(cleaned(address))[:_LONGEST_ADDRESS]
    browser_id = await find_known_browser(session, tokens=browser_tokens, email=known_as, now=now)
    trying = _Trying(known_as, address, browser_id)
    await _take_turns(session, trying)
    await _refuse_when_too_many(session, trying, now)
    user = (await session.execute(select(User).where(col(User.email) == known_as))).scalar_one_or_none()
    if not await password_matches(user.password_hash if user else None, password) or user is None:
        await _record_failure(session, trying, now)
        raise SignInRefused
    await session.execute(delete(SignInFailure).where(trying.made_these_failures))
    return await issue_ticket(session, user_id=user.id, next_path=next_path, now=now)


def normal_email(email: str) -> str:
    """Return the e-mail as it is stored and looked up: trimmed and in lower case."""
    return cleaned(email).lower()


@dataclass(frozen=True, slots=True)
class _Trying:
    """With what e-mail, from what address, and in which of that person's known browsers, if any."""

    email: str
    address: str
    browser_id: int | None

    @property
    def limits(self) -> tuple[tuple[ColumnElement[bool], int], ...]:
        """Which failures count here, and how many are too many."""
        if self.browser_id is not None:
            return ((col(SignInFailure.browser_id) == self.browser_id, MOST_FAILURES_OF_A_BROWSER),)
        elsewhere = col(SignInFailure.browser_id).is_(None)
        return (
            (and_(elsewhere, col(SignInFailure.email) == self.email), MOST_FAILURES_OF_AN_EMAIL),
            (and_(elsewhere, col(SignInFailure.address) == self.address), MOST_FAILURES_OF_AN_ADDRESS),
        )

    @property
    def made_these_failures(self) -> ColumnElement[bool]:
        """What a success forgives: own mistakes. What others tried, and with other e-mails, goes on counting."""
        if self.browser_id is not None:
            return col(SignInFailure.browser_id) == self.browser_id
        return and_(
            col(SignInFailure.browser_id).is_(None),
            col(SignInFailure.email) == self.email,
            col(SignInFailure.address) == self.address,
        )

    @property
    def turn(self) -> str:
        """Who waits for each other: nobody waits in a known browser for those who guess elsewhere."""
        return self.email if self.browser_id is None else f"browser {self.browser_id}"


async def _take_turns(session: AsyncSession, trying: _Trying) -> None:
    """Check one password of an e-mail at a time, so that guesses sent all at once are counted too."""
    await session.execute(select(func.pg_advisory_xact_lock(_SIGN_IN_LOCK, func.hashtext(trying.turn))))


async def _refuse_when_too_many(session: AsyncSession, trying: _Trying, now: datetime) -> None:
    frees = [await _free_again(session, counted, most, now) for counted, most in trying.limits]
    if retry_at := max((at for at in frees if at is not None), default=None):
        raise TooManySignIns(retry_at, now=now)


async def _free_again(
    session: AsyncSession, counted: ColumnElement[bool], most: int, now: datetime
) -> datetime | None:
    """Return when the oldest of the newest `most` failures stops counting; None if there are fewer."""
    statement = (
        select(col(SignInFailure.at))
        .where(counted, col(SignInFailure.at) > now - WINDOW)
        .order_by(col(SignInFailure.at).desc())
        .offset(most - 1)
        .limit(1)
    )
    at = (await session.execute(statement)).scalar_one_or_none()
    return None if at is None else at + WINDOW


async def _record_failure(session: AsyncSession, trying: _Trying, now: datetime) -> None:
    """Record the failure and forget old ones. Commits: the error that follows must not undo it."""
    mine = or_(col(SignInFailure.email) == trying.email, col(SignInFailure.address) == trying.address)
    await session.execute(delete(SignInFailure).where(mine, col(SignInFailure.at) < now - _KEPT))
    session.add(
        SignInFailure(email=trying.email, address=trying.address, browser_id=trying.browser_id, at=now)
    )
    await session.commit()
    log.warning("sign_in.refused", extra={"address": trying.address})
