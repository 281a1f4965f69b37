"""Signing in with a password. Guessing is slowed down, without locking the account's owner out."""

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
"""Counted in browsers in which the e-mail's person has not signed in before."""
MOST_FAILURES_OF_AN_ADDRESS: Final = 50
"""Counted in such browsers too, over all e-mails."""
MOST_FAILURES_OF_A_BROWSER: Final = 10
"""Counted in a browser in which the e-mail's person has signed in before."""

_KEPT: Final = timedelta(hours=1)
_SIGN_IN_LOCK: Final = 0x7369676E  # "sign"
_LONGEST_EMAIL: Final = 320
_LONGEST_ADDRESS: Final = 64


class SignInRefused(CallsheetError):
    """The e-mail and the password do not match. The text never says which of them is wrong."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("This e-mail and password do not go together. Check both and try again.")


class TooManySignIns(CallsheetError):
    """Too many sign-ins failed recently, with this e-mail or from this address."""

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

    `address` is the caller's IP address, `browser_tokens` the values of the cookie of known browsers. Raises
    `SignInRefused` and commits the failure. Raises `TooManySignIns`, even for the right password, after 10 failures
    with the e-mail or 50 from the address (IPv6: its /64) within 15 minutes. In a browser in which this person has
    signed in before, only 10 failures in that browser count, so other people cannot lock the person out.
    """
    known_as, address = normal_email(email)[:_LONGEST_EMAIL], counted_as(cleaned(address))[:_LONGEST_ADDRESS]
    browser_id = await find_known_browser(session, tokens=browser_tokens, email=known_as, now=now)
    trying = _Trying(known_as, address, browser_id)
    # One password at a time, so that guesses sent all at once are counted too.
    await session.execute(select(func.pg_advisory_xact_lock(_SIGN_IN_LOCK, func.hashtext(trying.turn))))
    free_at = [await _free_again(session, counted, most, now) for counted, most in trying.limits]
    if retry_at := max((at for at in free_at if at is not None), default=None):
        raise TooManySignIns(retry_at, now=now)
    user = (await session.execute(select(User).where(col(User.email) == known_as))).scalar_one_or_none()
    if not await password_matches(user.password_hash if user else None, password) or user is None:
        await _record_failure(session, trying, now)
        raise SignInRefused
    await session.execute(delete(SignInFailure).where(trying.made_these_failures))
    return await issue_ticket(session, user_id=user.id, next_path=next_path, now=now)


def normal_email(email: str) -> str:
    """Return the e-mail as it is stored: trimmed and in lower case."""
    return cleaned(email).lower()


@dataclass(frozen=True, slots=True)
class _Trying:
    """A try to sign in: the e-mail, the address, and the known browser of that person, if it is one."""

    email: str
    address: str
    browser_id: int | None

    @property
    def limits(self) -> tuple[tuple[ColumnElement[bool], int], ...]:
        """Return the failures that count for this try, each with how many are too many."""
        if self.browser_id is not None:
            return ((col(SignInFailure.browser_id) == self.browser_id, MOST_FAILURES_OF_A_BROWSER),)
        elsewhere = col(SignInFailure.browser_id).is_(None)
        return (
            (and_(elsewhere, col(SignInFailure.email) == self.email), MOST_FAILURES_OF_AN_EMAIL),
            (and_(elsewhere, col(SignInFailure.address) == self.address), MOST_FAILURES_OF_AN_ADDRESS),
        )

    @property
    def made_these_failures(self) -> ColumnElement[bool]:
        """Return the failures that a success deletes: the person's own. Those of others and of other e-mails stay."""
        if self.browser_id is not None:
            return col(SignInFailure.browser_id) == self.browser_id
        return and_(
            col(SignInFailure.browser_id).is_(None),
            col(SignInFailure.email) == self.email,
            col(SignInFailure.address) == self.address,
        )

    @property
    def turn(self) -> str:
        """Return the key of the lock: a known browser does not wait for guesses made elsewhere."""
        return self.email if self.browser_id is None else f"browser {self.browser_id}"


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
    """Record the failure and delete old ones. Commits, because the error that follows must not undo it."""
    mine = or_(col(SignInFailure.email) == trying.email, col(SignInFailure.address) == trying.address)
    await session.execute(delete(SignInFailure).where(mine, col(SignInFailure.at) < now - _KEPT))
    session.add(
        SignInFailure(email=trying.email, address=trying.address, browser_id=trying.browser_id, at=now)
    )
    await session.commit()
    log.warning("sign_in.refused", extra={"address": trying.address})
