"""Sessions: which person a browser's cookie belongs to, and that person's organizations."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Role
from app.models import Member, Organization, User, UserSession
from app.services.access.principal import Principal
from app.services.access.tokens import new_token, token_hash, token_hashes

SESSION_COOKIE: Final = "callsheet_session"
"""The cookie with a session's token; `cookies.cookie_name` gives its full name."""

SESSION_LIFETIME: Final = timedelta(days=14)

_LONGEST_USER_AGENT: Final = 400


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """The person a session belongs to."""

    user_id: int
    email: str
    name: str
    session_id: int


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization that a person is a member of."""

    slug: str
    name: str
    role: Role


async def resolve_session(
    session: AsyncSession, *, tokens: Collection[str], now: datetime
) -> SignedInUser | None:
    """Return who is signed in with one of these tokens; None if all are unknown, signed out or have expired.

    If several are valid, the session that began last counts, whatever the order of the cookies.
    """
    if not tokens:
        return None
    statement = (
        select(col(User.id), col(User.email), col(User.name), col(UserSession.id))
        .join(UserSession, col(UserSession.user_id) == col(User.id))
        .where(
            col(UserSession.token_hash).in_(token_hashes(tokens)),
            col(UserSession.revoked_at).is_(None),
            col(UserSession.expires_at) > now,
        )
        .order_by(col(UserSession.id).desc())
        .limit(1)
    )
    found = (await session.execute(statement)).one_or_none()
    return None if found is None else SignedInUser(*found)


async def principal_for(session: AsyncSession, *, user_id: int, organization_slug: str) -> Principal | None:
    """Return the person as a member of that organization; None if they are not one, or it does not exist."""
    statement = (
        select(Organization, col(Member.role), col(User.email))
        .join(Member, col(Member.organization_id) == col(Organization.id))
        .join(User, col(User.id) == col(Member.user_id))
        .where(col(Organization.slug) == organization_slug, col(Member.user_id) == user_id)
    )
    found = (await session.execute(statement)).one_or_none()
    if found is None:
        return None
    organization, role, email = found
    return Principal(
        organization_id=organization.id,
        organization_slug=organization.slug,
        organization_name=organization.name,
        role=role,
        actor=email,
        time_zone=organization.time_zone,
        user_id=user_id,
    )


async def memberships(session: AsyncSession, *, user_id: int) -> list[Membership]:
    """Return the organizations of a person, by name."""
    statement = (
        select(col(Organization.slug), col(Organization.name), col(Member.role))
        .join(Member, col(Member.organization_id) == col(Organization.id))
        .where(col(Member.user_id) == user_id)
        .order_by(col(Organization.name), col(Organization.id))
    )
    return [Membership(*row) for row in await session.execute(statement)]


async def begin_session(session: AsyncSession, *, user_id: int, user_agent: str, now: datetime) -> str:
    """Sign a person in and return the token of their session, for the cookie."""
    token = new_token()
    session.add(
        UserSession(
            token_hash=token_hash(token),
            user_id=user_id,
            created_at=now,
            expires_at=now + SESSION_LIFETIME,
            user_agent=user_agent[:_LONGEST_USER_AGENT],
        )
    )
    await session.flush()
    return token


async def sign_out(session: AsyncSession, *, tokens: Collection[str], now: datetime) -> None:
    """End the sessions of these tokens."""
    if tokens:
        await session.execute(
            update(UserSession)
            .where(
                col(UserSession.token_hash).in_(token_hashes(tokens)), col(UserSession.revoked_at).is_(None)
            )
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )
