"""Helps people who cannot sign in. For the server's command line: there is no principal."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import KnownBrowser, SignInFailure, SignInTicket, User, UserSession
from app.services.access.passwords import hash_password, password_problem
from app.services.access.sign_in import normal_email
from app.services.access.tickets import issue_ticket
from app.services.errors import FieldErrors

LINK_LIFETIME: Final = timedelta(minutes=10)


async def issue_link_ticket(session: AsyncSession, *, email: str, now: datetime) -> str:
    """Return a ticket to sign in once within ten minutes. Raises `FieldErrors`.

    Failed sign-ins do not block it, and the browser that uses it is known from then on.
    """
    person = await _person(session, email)
    return await issue_ticket(session, user_id=person.id, next_path="/", now=now, lifetime=LINK_LIFETIME)


async def change_password(session: AsyncSession, *, email: str, password: str, now: datetime) -> None:
    """Give a person a new password. Raises `FieldErrors`.

    All their sessions end, none of their browsers is known any more, and failed sign-ins are forgotten.
    """
    if problem := password_problem(password):
        raise FieldErrors({"password": problem})
    password_hash = await hash_password(password)
    person = await _person(session, email)
    person.password_hash = password_hash
    await session.execute(
        update(UserSession)
        .where(col(UserSession.user_id) == person.id, col(UserSession.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    await session.execute(delete(SignInTicket).where(col(SignInTicket.user_id) == person.id))
    await session.execute(delete(SignInFailure).where(col(SignInFailure.email) == person.email))
    await session.execute(delete(KnownBrowser).where(col(KnownBrowser.user_id) == person.id))


async def _person(session: AsyncSession, email: str) -> User:
    statement = select(User).where(col(User.email) == normal_email(email)).with_for_update()
    found = (await session.execute(statement)).scalar_one_or_none()
    if found is None:
        raise FieldErrors({"email": "Nobody has this e-mail."})
    return found
