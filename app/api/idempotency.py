"""Requests with an `Idempotency-Key`: done once, and answered again when they are repeated."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.idempotency import KeptAnswer, answered_before, begin, keep, remember

Work = Callable[[AsyncSession], Awaitable[BaseModel | None]]

_HELD: Final = 4
"""How many requests with a key may do work in steps at the same time; the others wait."""


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request whose answer is stored under its key."""

    database: Database
    principal: Principal
    key: str
    request_hash: str
    """A hash of the request: the same key with another request is refused."""
    now: datetime

    async def once(self, work: Work, *, status: HTTPStatus, secrets: frozenset[str]) -> Response:
        """Run `work` and store its answer, without the `secrets`, in one transaction."""

        async def unless_repeated(session: AsyncSession) -> Response:
            known = await begin(
                session, principal=self.principal, key=self.key, request_hash=self.request_hash, now=self.now
            )
            if known is not None:
                return answering(known, repeated=True)
            answer = KeptAnswer(status, body_of(await work(session)))
            kept = KeptAnswer(status, answer.body | dict.fromkeys(secrets & answer.body.keys()))
            await remember(session, principal=self.principal, key=self.key, answer=kept)
            return answering(answer)

        return await self.database.write(unless_repeated)

    async def once_in_steps(
        self, work: Callable[[], Awaitable[BaseModel]], *, status: HTTPStatus
    ) -> Response:
        """Run work of many transactions, while a separate connection locks the key.

        That connection locks no rows that the work needs. It stores the key and the answer at the end.
        """
        async with _turns(self.database), _connections(self.database).transaction() as session:
            known = await answered_before(
                session, principal=self.principal, key=self.key, request_hash=self.request_hash, now=self.now
            )
            if known is not None:
                return answering(known, repeated=True)
            answer = KeptAnswer(status, body_of(await work()))
            await keep(
                session,
                principal=self.principal,
                key=self.key,
                request_hash=self.request_hash,
                answer=answer,
                now=self.now,
            )
            return answering(answer)


def body_of(told: BaseModel | None) -> dict[str, Any]:
    """Return a route's result as JSON; None is an empty object."""
    return told.model_dump(mode="json", by_alias=True) if told is not None else {}


def answering(answer: KeptAnswer, *, repeated: bool = False) -> Response:
    """Return the response for an answer, with a header if it is `repeated`."""
    headers = {"Idempotent-Replayed": "true"} if repeated else None
    if answer.status == HTTPStatus.NO_CONTENT:
        return Response(status_code=answer.status, headers=headers)
    return JSONResponse(answer.body, status_code=answer.status, headers=headers)


@lru_cache(maxsize=1)
def _connections(database: Database) -> Database:
    """Return a separate pool for locking keys, so that the work itself never waits for it."""
    return database.beside(pool_size=_HELD)


@lru_cache(maxsize=1)
def _turns(_database: Database) -> asyncio.Semaphore:
    return asyncio.Semaphore(_HELD)
