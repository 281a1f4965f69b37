"""Browsers in which a person has signed in before. Wrong passwords from elsewhere do not lock the person out there.

The cookie gives no access. It only decides how failed sign-ins are counted.
Source: OWASP, https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import KnownBrowser, User
from app.services.access.tokens import new_token, token_hash, token_hashes

BROWSER_COOKIE: Final = "callsheet_browser"
"""The cookie that identifies a browser, signed in or not; `cookies.cookie_name` gives its full name."""

BROWSER_LIFETIME: Final = timedelta(days=180)
"""Counted from the last sign-in with it."""


async def find_known_browser(
    session: AsyncSession, *, tokens: Collection[str], email: str, now: datetime
) -> int | None:
    """Return the id of the browser if the person with this e-mail has signed in with it; None for any other.

    It is locked until the transaction ends, so that a failure can be recorded for it.
    """
    if not tokens:
        return None
    statement = (
        select(col(KnownBrowser.id))
        .join(User, col(User.id) == col(KnownBrowser.user_id))
        .where(
            col(KnownBrowser.token_hash).in_(token_hashes(tokens)),
            col(User.email) == email,
            col(KnownBrowser.expires_at) > now,
        )
        .order_by(col(KnownBrowser.id).desc())
        .limit(1)
        .with_for_update(of=KnownBrowser, read=True, key_share=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def known_browser(session: AsyncSession, *, tokens: Collection[str], now: datetime) -> str | None:
    """Return the hash of the browser's token if a person has signed in with the browser; else None."""
    statement = (
        select(col(KnownBrowser.token_hash))
        .where(
            col(KnownBrowser.token_hash).in_([token_hash(token) for token in tokens]),
            col(KnownBrowser.expires_at) > now,
        )
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def remember_browser(
    session: AsyncSession, *, user_id: int, tokens: Collection[str], now: datetime
) -> str:
    """Note that the person has signed in with the browser of these tokens, and return its new token for the cookie.

    Of several tokens, the one known for this person counts. Other people known by the same token move to the new one.
    The old token is void, so a planted or copied one is useless. If none is known, it is a new browser.
    """
    new, old_hash = new_token(), await _hash_known_by(session, user_id, tokens)
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


async def _hash_known_by(session: AsyncSession, user_id: int, tokens: Collection[str]) -> str | None:
    if not tokens:
        return None
    is_theirs = col(KnownBrowser.user_id) == user_id
    statement = (
        select(col(KnownBrowser.token_hash))
        .where(col(KnownBrowser.token_hash).in_(token_hashes(tokens)))
        .order_by(is_theirs.desc(), col(KnownBrowser.id).desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()
