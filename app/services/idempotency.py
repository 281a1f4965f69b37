"""Requests that may be repeated: the answer to a write with an `Idempotency-Key` is kept and given again.

The row is stored before the work, and in the work's own transaction: the answer commits with what it tells
of, or neither does. So a process that dies leaves no key that blocks for ever and no work without its answer,
and a request that failed has changed nothing and may be sent again with the same key. While the first request
is at work an advisory lock, which dies with its connection, keeps others out.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.domain.text import all_storable
from app.models import IdempotencyKey
from app.services.access.principal import Principal, authorize
from app.services.errors import CallsheetError, Conflict

REMEMBERED: Final = timedelta(hours=24)
"""For how long a repeated request is given the first one's answer."""


class InProgress(Conflict):
    """The first request with this key is still at work."""

    code = "in_progress"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"A request with the Idempotency-Key “{key}” is still at work. Try again in a moment."
        )


class KeyReused(CallsheetError):
    """The key came before with another request."""

    code = "key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(f"“{key}” came before with another request. Use a new key for each request.")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request was answered."""

    status: int
    body: dict[str, Any]


async def begin(
    session: AsyncSession, *, principal: Principal, key: str, request_hash: str, now: datetime
) -> KeptAnswer | None:
    """Store the key and return None, or return the answer its request was given before.

    Raises `InProgress` and `KeyReused`. To be called in the transaction that does the work.
    """
    known = await answered_before(session, principal=principal, key=key, request_hash=request_hash, now=now)
    if known is None:
        session.add(
            IdempotencyKey(
                organization_id=principal.organization_id, key=key, request_hash=request_hash, created_at=now
            )
        )
        await session.flush()
    return known


async def answered_before(
    session: AsyncSession, *, principal: Principal, key: str, request_hash: str, now: datetime
) -> KeptAnswer | None:
    """Keep others with the key out until the transaction ends; return the answer its request was given before.

    Nothing is stored, so that other transactions may do the work meanwhile: `keep` follows it. Raises `InProgress`
    and `KeyReused`.
    """
    authorize(principal, Right.VIEW)
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(_lock_of(principal, key)))):
        raise InProgress(key)
    await session.execute(
        delete(IdempotencyKey).where(*_is(principal, key), col(IdempotencyKey.created_at) < now - REMEMBERED)
    )
    known = (await session.execute(select(IdempotencyKey).where(*_is(principal, key)))).scalar_one_or_none()
    if known is None:
        return None
    if known.request_hash != request_hash:
        raise KeyReused(key)
    if known.status_code is None:
        raise InProgress(key)
    return KeptAnswer(known.status_code, known.body or {})


async def keep(
    session: AsyncSession,
    *,
    principal: Principal,
    key: str,
    request_hash: str,
    answer: KeptAnswer,
    now: datetime,
) -> None:
    """Store the key with the answer of work that other transactions did since `answered_before` was asked in this."""
    authorize(principal, Right.VIEW)
    session.add(
        IdempotencyKey(
            organization_id=principal.organization_id,
            key=key,
            request_hash=request_hash,
            status_code=answer.status,
            body=all_storable(answer.body),
            created_at=now,
        )
    )
    await session.flush()


async def remember(session: AsyncSession, *, principal: Principal, key: str, answer: KeptAnswer) -> None:
    """Keep the answer of a request that `begin` has stored; what it quotes of a request may be of any text."""
    authorize(principal, Right.VIEW)
    await session.execute(
        update(IdempotencyKey)
        .where(*_is(principal, key))
        .values(status_code=answer.status, body=all_storable(answer.body))
        .execution_options(synchronize_session=False)
    )


def _is(principal: Principal, key: str) -> tuple[Any, Any]:
    return col(IdempotencyKey.organization_id) == principal.organization_id, col(IdempotencyKey.key) == key


def _lock_of(principal: Principal, key: str) -> int:
    digest = hashlib.sha256(f"idempotency {principal.organization_id} {key}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
