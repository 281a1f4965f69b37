"""Browsers a person has signed in with before: guesses made elsewhere do not lock them out there.

The cookie opens nothing by itself. It says whose tries these may be, and so how they are counted.
Source: OWASP, https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import KnownBrowser, User
from app.services.access.tokens import new_token, token_hash

BROWSER_COOKIE: Final = "callsheet_browser"
"""Name of the cookie that tells a browser from others, signed in or not."""

BROWSER_LIFETIME: Final = timedelta(days=180)
"""After the last time somebody signed in with it."""


async def find_known_browser(session: AsyncSession, *, token: str, email: str, now: datetime) -> int | None:
    """Return the id of the browser if the person with this e-mail has signed in with it; None for any other.

    It stays until the transaction ends, so that a failure can be recorded of it.
    """
    if not token:
        return None
    statement = (
        select(col(KnownBrowser.id))
        .join(User, col(User.id) == col(KnownBrowser.user_id))
        .where(
            col(KnownBrowser.token_hash) == token_hash(token),
            col(User.email) == email,
            col(KnownBrowser.expires_at) > now,
        )
        .with_for_update(of=KnownBrowser, read=True, key_share=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def is_known_browser(session: AsyncSession, *, token: str, now: datetime) -> bool:
    """Tell whether anybody has signed in with the browser of this token."""
    statement = select(
        exists().where(col(KnownBrowser.token_hash) == token_hash(token), col(KnownBrowser.expires_at) > now)
    )
    return bool(await session.scalar(statement))


async def remember_browser(session: AsyncSession, *, user_id: int, token: str, now: datetime) -> str:
    """Note that the person has signed in with the browser of this token, and return its new one for the cookie.

    What else the browser is known for goes with it. The old token is good for nothing more: whoever planted or copied
    it has nothing. An unknown or empty token is a browser never seen.
    """
    new, old_hash = new_token(), token_hash(token)
    await session.execute(
        delete(KnownBrowser).where(col(KnownBrowser.user_id) == user_id, col(KnownBrowser.expires_at) <= now)
    )
    await session.execute(
        update(KnownBrowser)
        .where(col(KnownBrowser.token_hash) == old_hash)
        .values(token_hash=token_hash(new))
        .execution_options(synchronize_session=False)
    )
    statement = insert(KnownBrowser).values(
        token_hash=token_hash(new), user_id=user_id, expires_at=now + BROWSER_LIFETIME
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["token_hash", "user_id"], set_={"expires_at": statement.excluded.expires_at}
        )
    )
    return new


async def forget_browsers(session: AsyncSession, *, user_id: int) -> None:
    """Know none of the person's browsers any more, as when their password is changed."""
    await session.execute(delete(KnownBrowser).where(col(KnownBrowser.user_id) == user_id))
