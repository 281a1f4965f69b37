"""The one-time link of an installation that has no owner yet."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Role
from app.models import Member, SetupLink
from app.services.access.tokens import new_token, token_hash
from app.services.errors import CallsheetError

LINK_LIFETIME: Final = timedelta(hours=24)

_SET_UP_LOCK: Final = 0x73657475  # "setu"


class SetupLinkInvalid(CallsheetError):
    """The set-up link is unknown, used, replaced or expired, or there is an owner already."""

    code = "setup_link_invalid"

    def __init__(self) -> None:
        super().__init__(
            "This set-up link is no longer good. If you have set up Callsheet, sign in; "
            "otherwise start `uv run callsheet up` again for a new link."
        )


async def issue_setup_link(session: AsyncSession, *, now: datetime) -> str | None:
    """Return the token of a new set-up link, which replaces earlier ones; None when there is an owner."""
    await lock_set_up(session)
    if await _has_owner(session):
        return None
    await session.execute(delete(SetupLink))
    token = new_token()
    session.add(SetupLink(token_hash=token_hash(token), created_at=now, expires_at=now + LINK_LIFETIME))
    await session.flush()
    return token


async def setup_link_is_valid(session: AsyncSession, *, token: str, now: datetime) -> bool:
    """Tell whether the link can still be used."""
    statement = select(exists().where(*_usable(token, now)))
    return bool(await session.scalar(statement)) and not await _has_owner(session)


async def use_setup_link(session: AsyncSession, *, token: str, now: datetime) -> None:
    """Use the link up. Raises `SetupLinkInvalid`. If two use it at once, the second waits and is refused."""
    await lock_set_up(session)
    statement = (
        update(SetupLink).where(*_usable(token, now)).values(used_at=now).returning(col(SetupLink.token_hash))
    )
    used = (await session.execute(statement)).scalar_one_or_none()
    if used is None or await _has_owner(session):
        raise SetupLinkInvalid


async def lock_set_up(session: AsyncSession) -> None:
    """Let one transaction at a time decide whether there is an owner."""
    await session.execute(select(func.pg_advisory_xact_lock(_SET_UP_LOCK)))


def _usable(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(SetupLink.token_hash) == token_hash(token),
        col(SetupLink.used_at).is_(None),
        col(SetupLink.expires_at) > now,
    )


async def _has_owner(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(col(Member.role) == Role.OWNER))))
