"""Deletes rows that are not needed any more."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import IdempotencyKey, SignInFailure, SignInTicket, UserSession

ANSWERS_KEPT: Final = timedelta(hours=24)
"""How long a repeated request gets its first answer (draft-ietf-httpapi-idempotency-key-header)."""

_SIGN_INS_KEPT: Final = timedelta(days=1)


async def forget_what_is_over(session: AsyncSession, *, now: datetime) -> None:
    """Delete remembered answers, expired sessions and tickets, and old failed sign-ins."""
    for statement in (
        delete(IdempotencyKey).where(col(IdempotencyKey.created_at) < now - ANSWERS_KEPT),
        delete(UserSession).where(col(UserSession.expires_at) < now),
        delete(SignInTicket).where(col(SignInTicket.expires_at) < now - _SIGN_INS_KEPT),
        delete(SignInFailure).where(col(SignInFailure.at) < now - _SIGN_INS_KEPT),
    ):
        await session.execute(statement)
