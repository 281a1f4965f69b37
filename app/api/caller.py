"""The caller of `/api/v1`. Every route checks the API key before it reads the request."""

import hashlib
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from app.api.idempotency import KeptRequest, Work, answering, body_of
from app.api.problems import NotIdentified
from app.api.rate_limits import WRONG_KEYS, count_request, count_wrong
from app.api.texts import check_addressed, check_body, check_no_body
from app.providers.base import ConfiguredAccount
from app.providers.registry import configured_account
from app.runtime.context import AppContext, get_context
from app.services.access.keys import resolve_key
from app.services.access.principal import Principal
from app.services.campaigns.carrier_check import CarrierCheck, ask_carrier
from app.services.idempotency import KeptAnswer
from app.services.numbers.carriers import CarrierIdentity, identity_of
from app.services.refs import Ref

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_WRITING: Final = _WITH_BODY | {"DELETE"}

T = TypeVar("T")


class KeyedRoute(APIRoute):
    """A route that requires an API key. Without one, the answer reveals nothing, not even the names of fields.

    Unknown query parameters are refused: a misspelt filter would list everybody. Fields sent to a route without a body
    are refused too: they would have no effect.
    """

    media_types: ClassVar = frozenset({JSON})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which first checks the key, the names in the query, the body's type and all texts.

        A route that reads its body as a stream checks the texts in it itself.
        """
        handle, known = super().get_route_handler(), _query_names(self.dependant)
        takes_json = self.body_field is not None
        takes_none = not takes_json and "requestBody" not in (self.openapi_extra or {})

        async def keyed(request: Request) -> Response:
            request.state.principal = await admit(context_of(request), request, bearer(request))
            _check_query(request, known)
            _check_media_type(request, self.media_types)
            check_addressed(request)
            if takes_json:
                await check_body(request)
            elif takes_none and request.method in _WRITING:
                await check_no_body(request)
            response = await handle(request)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return keyed


class UploadRoute(KeyedRoute):
    """A keyed route that accepts files, and JSON."""

    media_types: ClassVar = frozenset({JSON, MULTIPART})


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated request: its principal and time, and methods to answer it."""

    context: AppContext
    principal: Principal
    now: datetime
    request: Request
    idempotency_key: str | None

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Return a session for reading."""
        return self.context.database.session()

    async def write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `work` in one transaction, as `Database.write` does."""
        return await self.context.database.write(work)

    def carrier(self) -> CarrierIdentity:
        """Return the identity of this installation's carrier account. Raises `CarrierNotConfigured`."""
        return identity_of(self.carrier_account())

    def carrier_account(self) -> ConfiguredAccount:
        """Return the same account with its credentials. Raises `CarrierNotConfigured`."""
        return configured_account(self.context.settings)

    async def ask_carrier(self, campaign_ref: Ref) -> CarrierCheck:
        """Ask the carrier about a campaign's numbers and account before a start, resume or retry.

        Call it outside any transaction.
        """
        return await ask_carrier(
            self.context.database,
            principal=self.principal,
            campaign_ref=campaign_ref,
            account=self.carrier_account(),
        )

    async def once(
        self,
        work: Work,
        *,
        status: HTTPStatus = HTTPStatus.CREATED,
        fingerprint: str | None = None,
        secrets: frozenset[str] = frozenset(),
    ) -> Response:
        """Run `work` in one transaction and answer with its result. A repeated request only gets the same answer.

        `fingerprint` identifies a body that was read as a stream. `secrets` are fields that are not stored, and are
        null in a repeated answer.
        """
        kept = await self._kept(fingerprint)
        if kept is None:
            return answering(KeptAnswer(status, body_of(await self.write(work))))
        return await kept.once(work, status=status, secrets=secrets)

    async def gone_once(self, work: Callable[[AsyncSession], Awaitable[object]]) -> Response:
        """Run `work` as `once` does, and answer 204 without a body."""

        async def silently(session: AsyncSession) -> None:
            await work(session)

        return await self.once(silently, status=HTTPStatus.NO_CONTENT)

    async def once_in_steps(
        self, work: Callable[[], Awaitable[BaseModel]], *, status: HTTPStatus, fingerprint: str | None = None
    ) -> Response:
        """Run work of many transactions as `once` does. The work must be safe to repeat.

        A separate connection holds the key during the work, and stores it with the answer at the end. If the process
        dies before that, no key is stored, and a repeated request does the rest.
        """
        kept = await self._kept(fingerprint)
        if kept is None:
            return answering(KeptAnswer(status, body_of(await work())))
        return await kept.once_in_steps(work, status=status)

    async def _kept(self, fingerprint: str | None) -> KeptRequest | None:
        if self.idempotency_key is None:
            return None
        return KeptRequest(
            database=self.context.database,
            principal=self.principal,
            key=self.idempotency_key,
            request_hash=await self._hash(fingerprint),
            now=self.now,
        )

    async def _hash(self, fingerprint: str | None) -> str:
        """Return a hash of the request: the key, the address, and the body."""
        url = self.request.url
        body = fingerprint or hashlib.sha256(await self.request.body()).hexdigest()
        parts = (self.principal.key_id, self.request.method, url.path, url.query, body)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def context_of(request: Request) -> AppContext:
    """Return the context of the process, or the one that a test has set."""
    override: Callable[[], AppContext] = request.app.dependency_overrides.get(get_context, get_context)
    return override()


def bearer(connection: HTTPConnection) -> str:
    """Return the key of the Authorization header; empty without one."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def admit(context: AppContext, connection: HTTPConnection, key: str) -> Principal:
    """Return the principal of the key, and count this request. Raises `NotIdentified` and `TooMany`.

    The key is looked up first; only wrong keys are counted by address. So wrong keys of others never block a right one.
    """
    try:
        principal = await identify(context, key)
    except NotIdentified:
        count_wrong(context, connection, WRONG_KEYS)
        raise
    count_request(context, connection, principal.key_id)
    return principal


async def identify(context: AppContext, key: str) -> Principal:
    """Return the principal of the key. Raises `NotIdentified`."""
    if not key:
        raise NotIdentified
    principal = await context.database.write(
        lambda session: resolve_key(session, key=key, now=context.clock.now())
    )
    if principal is None:
        raise NotIdentified
    return principal


def _query_names(dependant: Dependant) -> frozenset[str]:
    """Return the query parameters of a route and of its dependencies."""
    own = (field.alias for field in dependant.query_params)
    return frozenset(own).union(*map(_query_names, dependant.dependencies))


def _check_query(request: Request, known: frozenset[str]) -> None:
    """Raise `RequestValidationError` for parameters that are not `known`."""
    told = f"Use one of: {', '.join(sorted(known))}." if known else "This address takes none."
    unknown = [
        {"type": "query_unknown", "loc": ("query", name), "msg": f"There is no such parameter. {told}"}
        for name in request.query_params.keys() - known  # each once
    ]
    if unknown:
        raise RequestValidationError(unknown)


def _check_media_type(request: Request, accepted: frozenset[str]) -> None:
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    if request.method not in _WITH_BODY or not has_body:
        return
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in accepted:
        wanted = " or ".join(sorted(accepted))
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {wanted}, not {given or 'a body without a type'}."
        )


async def _caller(
    request: Request,
    _documented: Annotated[object, Depends(HTTPBearer(auto_error=False, description="An API key, `cs_…`."))],
) -> Caller:
    context = context_of(request)
    return Caller(context, request.state.principal, context.clock.now(), request, None)


async def _repeatable(
    caller: Annotated[Caller, Depends(_caller)],
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]+$",
            description="Different for each request. A repeated request gets the first answer, and is not done again.",
        ),
    ] = None,
) -> Caller:
    return Caller(caller.context, caller.principal, caller.now, caller.request, idempotency_key)


Keyed = Annotated[Caller, Depends(_caller)]
"""The caller of a route that reads."""
Repeatable = Annotated[Caller, Depends(_repeatable)]
"""The caller of a route that writes: it takes an `Idempotency-Key`."""
