"""Who calls `/api/v1`: the key is checked before anything of the request is read, on every route alike."""

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
from app.providers.base import CarrierAccount
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
    """A route that wants an API key: who has none learns nothing, not even which fields there are.

    A query parameter that the route does not know is refused: a misspelt filter would list everybody. So is a field
    sent to a route that takes no body: what was asked with it would not be done.
    """

    media_types: ClassVar = frozenset({JSON})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler behind the check of the key, of the query's names, of the body's type and of all texts.

        A route that reads its body as it comes checks the texts in it itself.
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
    """A keyed route that takes files beside JSON."""

    media_types: ClassVar = frozenset({JSON, MULTIPART})


@dataclass(frozen=True, slots=True)
class Caller:
    """One authentic request: on whose behalf, at what time, and the ways to answer it."""

    context: AppContext
    principal: Principal
    now: datetime
    request: Request
    idempotency_key: str | None

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Return a session to read in."""
        return self.context.database.session()

    async def write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do the work in one transaction, as `Database.write` does."""
        return await self.context.database.write(work)

    def carrier(self) -> CarrierIdentity:
        """Return the carrier account this installation dials through. Raises `CarrierNotConfigured`."""
        return identity_of(self.carrier_account())

    def carrier_account(self) -> CarrierAccount:
        """Return that account with all that it takes to ask the carrier. Raises `CarrierNotConfigured`."""
        return configured_account(self.context.settings)

    async def ask_carrier(self, campaign_ref: Ref) -> CarrierCheck:
        """Ask the carrier what has to be heeded before the campaign is let go: outside any transaction."""
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
        """Do the work in one transaction and answer with what it returns; a repeated request does nothing.

        `fingerprint` stands for a body that was read as a stream; `secrets` are fields that are not kept, and
        are null in a repeated answer.
        """
        kept = await self._kept(fingerprint)
        if kept is None:
            return answering(KeptAnswer(status, body_of(await self.write(work))))
        return await kept.once(work, status=status, secrets=secrets)

    async def gone_once(self, work: Callable[[AsyncSession], Awaitable[object]]) -> Response:
        """Do the work as `once` does, and answer 204: there is nothing to tell."""

        async def silently(session: AsyncSession) -> None:
            await work(session)

        return await self.once(silently, status=HTTPStatus.NO_CONTENT)

    async def once_in_steps(
        self, work: Callable[[], Awaitable[BaseModel]], *, status: HTTPStatus, fingerprint: str | None = None
    ) -> Response:
        """Do work that takes many transactions as `once` does; it must do no harm when it is done again.

        The key is held by a connection of its own meanwhile, and stored with the answer at the end: a process that
        dies in between leaves no key, and the repeated request goes on with the rest.
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
        """Return what tells this request from another: whose key, where to, and the body's bytes."""
        url = self.request.url
        body = fingerprint or hashlib.sha256(await self.request.body()).hexdigest()
        parts = (self.principal.key_id, self.request.method, url.path, url.query, body)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def context_of(request: Request) -> AppContext:
    """Return the process's seams, or those a test has put in their place."""
    override: Callable[[], AppContext] = request.app.dependency_overrides.get(get_context, get_context)
    return override()


def bearer(request: Request) -> str:
    """Return the key of the Authorization header; empty without one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def admit(context: AppContext, connection: HTTPConnection, key: str) -> Principal:
    """Return whom the key stands for, and count this request. Raises `NotIdentified` and `TooMany`.

    A key that is known is looked for before anything is counted by address: nobody's wrong keys keep it out.
    """
    try:
        principal = await identify(context, key)
    except NotIdentified:
        count_wrong(context, connection, WRONG_KEYS)
        raise
    count_request(context, connection, principal.key_id)
    return principal


async def identify(context: AppContext, key: str) -> Principal:
    """Return whom the key stands for. Raises `NotIdentified`."""
    if not key:
        raise NotIdentified
    principal = await context.database.write(
        lambda session: resolve_key(session, key=key, now=context.clock.now())
    )
    if principal is None:
        raise NotIdentified
    return principal


def _query_names(dependant: Dependant) -> frozenset[str]:
    """Return the query parameters that a route and all it depends on take."""
    own = (field.alias for field in dependant.query_params)
    return frozenset(own).union(*map(_query_names, dependant.dependencies))


def _check_query(request: Request, known: frozenset[str]) -> None:
    """Refuse parameters that are not `known`. Raises `RequestValidationError`."""
    told = f"Use one of: {', '.join(sorted(known))}." if known else "This address takes none."
    unknown = [
        {"type": "query_unknown", "loc": ("query", name), "msg": f"There is no such parameter. {told}"}
        for name in request.query_params.keys() - known  # each once
    ]
    if unknown:
        raise RequestValidationError(unknown)


def _check_media_type(request: Request, accepted: frozenset[str]) -> None:
    if request.method not in _WITH_BODY or not _has_body(request):
        return
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in accepted:
        wanted = " or ".join(sorted(accepted))
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {wanted}, not {given or 'a body without a type'}."
        )


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


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
            description="New for each request. A request sent again is answered, and not done again.",
        ),
    ] = None,
) -> Caller:
    return Caller(caller.context, caller.principal, caller.now, caller.request, idempotency_key)


Keyed = Annotated[Caller, Depends(_caller)]
"""The caller of a route that reads."""
Repeatable = Annotated[Caller, Depends(_repeatable)]
"""The caller of a route that writes: it takes an `Idempotency-Key`."""
