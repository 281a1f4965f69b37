"""Repeated requests: the answer to a write with an `Idempotency-Key` is stored, and given again to a repetition.

The row is stored before the work, in the same transaction: answer and work are committed together, or neither is. So a
process that dies leaves no key that blocks for ever and no work without its answer. A request that failed has changed
nothing and may be sent again with the same key. While the first request runs, an advisory lock keeps others out; it
ends with its connection.
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
"""How long a repeated request gets the first one's answer."""


class InProgress(Conflict):
    """The first request with this key is still running."""

    code = "in_progress"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"A request with the Idempotency-Key “{key}” is still at work. Try again in a moment."
        )


class KeyReused(CallsheetError):
    """The key was used before with another request."""

    code = "key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(f"“{key}” came before with another request. Use a new key for each request.")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to a request."""

    status: int
    body: dict[str, Any]


async def begin(
    session: AsyncSession, *, principal: Principal, key: str, request_hash: str, now: datetime
) -> KeptAnswer | None:
    """Store the key and return None, or return the answer that its request got before.

    Raises `InProgress` and `KeyReused`. Call it in the transaction that does the work.
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
    """Return the answer that the key's request got before, and lock the key until the transaction ends.

    Nothing is stored, so other transactions may do the work in the meantime; call `keep` afterwards. Raises
    `InProgress` and `KeyReused`.
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
    """Store the key with the answer, after other transactions did the work since `answered_before` in this one."""
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
    """Store the answer of a request whose key `begin` has stored. It may quote any text of the request."""
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
