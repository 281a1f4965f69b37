"""Sign-in tickets: valid once, for a minute, between the checked password and the page load that sets the cookie."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import SignInTicket
from app.services.access.known_browsers import remember_browser
from app.services.access.sessions import begin_session, sign_out
from app.services.access.tokens import new_token, token_hash
from app.services.field_readers import cleaned

TICKET_LIFETIME: Final = timedelta(seconds=60)

_LONGEST_PATH: Final = 2_000


@dataclass(frozen=True, slots=True)
class RedeemedTicket:
    """The result of a ticket: the tokens for the two cookies, and the page that the person wanted."""

    session_token: str
    browser_token: str
    next_path: str


async def issue_ticket(
    session: AsyncSession,
    *,
    user_id: int,
    next_path: str,
    now: datetime,
    lifetime: timedelta = TICKET_LIFETIME,
) -> str:
    """Return a ticket for a person whose password has just been checked, and delete their expired ones."""
    await session.execute(
        delete(SignInTicket).where(col(SignInTicket.user_id) == user_id, col(SignInTicket.expires_at) < now)
    )
    ticket = new_token()
    session.add(
        SignInTicket(
            token_hash=token_hash(ticket),
            user_id=user_id,
            next_path=local_path(next_path),
            expires_at=now + lifetime,
        )
    )
    await session.flush()
    return ticket


async def redeem_ticket(
    session: AsyncSession,
    *,
    ticket: str,
    user_agent: str,
    now: datetime,
    browser_tokens: Collection[str] = (),
    session_tokens: Collection[str] = (),
) -> RedeemedTicket | None:
    """Turn a ticket into a session, once; None if it is unknown, used or has expired.

    The browser (`browser_tokens` from its cookie, if it has one) is known from then on. Its earlier sessions
    (`session_tokens`) end: a browser has one session, and a copy of the replaced cookie is useless.
    """
    statement = (
        update(SignInTicket)
        .where(
            col(SignInTicket.token_hash) == token_hash(ticket),
            col(SignInTicket.used_at).is_(None),
            col(SignInTicket.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(SignInTicket.user_id), col(SignInTicket.next_path))
    )
    redeemed = (await session.execute(statement)).one_or_none()
    if redeemed is None:
        return None
    user_id, next_path = redeemed
    await sign_out(session, tokens=session_tokens, now=now)
    token = await begin_session(session, user_id=user_id, user_agent=cleaned(user_agent), now=now)
    browser = await remember_browser(session, user_id=user_id, tokens=browser_tokens, now=now)
    return RedeemedTicket(session_token=token, browser_token=browser, next_path=next_path)


def local_path(path: str) -> str:
    """Return the path if it leads to one of our pages, else `/`: a sign-in link must not lead to another site.

    Browsers read a backslash as `/` and drop tabs and newlines, so such a path could name another host.
    """
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_ours and path.isprintable() and len(path) <= _LONGEST_PATH else "/"
