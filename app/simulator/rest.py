"""What all REST resources share: authentication, reading forms, creating under faults, and pages of a list."""

import asyncio
import base64
import binascii
import hmac
import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import islice, takewhile
from typing import Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

import psutil
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.simulator import wire
from app.simulator.carrier import SimulatedCarrier
from app.simulator.errors import RequestRefused
from app.simulator.faults import FaultName, Faults
from app.simulator.settings import SimulatorSettings
from app.simulator.state import RefusedRequest, grouped

Json = dict[str, object]


class Identified(Protocol):
    """Anything with an id."""

    @property
    def sid(self) -> str:
        """Return the id."""
        ...


Record = TypeVar("Record", bound=Identified)

_PAGE_SIZE = 50
_LARGEST_PAGE = 1000


class Authentication:
    """Requires the account's SID and token (HTTP Basic, else 401) and a path of that account (else 404)."""

    def __init__(self, app: ASGIApp, settings: SimulatorSettings, faults: Faults) -> None:
        self._app = app
        self._settings = settings
        self._faults = faults
        self._expected = f"{settings.account_sid}:{settings.auth_token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal.response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> RequestRefused | None:
        headers = dict(scope["headers"])
        if not hmac.compare_digest(_basic(headers.get(b"authorization", b"")), self._expected):
            return RequestRefused(20003)
        if self._faults.strike(FaultName.CREDENTIALS_REFUSED):
            return RequestRefused(20003)
        account = str(scope["path"]).removeprefix(f"/{wire.API_VERSION}/Accounts/").split("/")[0]
        if account.removesuffix(".json") != self._settings.account_sid:
            return RequestRefused(20404, str(scope["path"]))
        return None


def _basic(header: bytes) -> bytes:
    scheme, _, credentials = header.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(credentials, validate=True)
    except binascii.Error:
        return b""


async def read_form(request: Request) -> QueryParams:
    """Return the form fields, blank and repeated ones included."""
    return QueryParams((await request.body()).decode(errors="replace"))


class Creation:
    """A request that creates a call or message: faults strike here, and refusals are recorded here."""

    def __init__(self, carrier: SimulatedCarrier) -> None:
        self._carrier = carrier

    async def create(self, request: Request, accept: Callable[[QueryParams], Json]) -> Response:
        """Create what the form asks for and answer 201, unless it is refused or a fault strikes."""
        parameters = await read_form(request)
        try:
            return await self._create(request, parameters, accept)
        except RequestRefused as refusal:
            self._keep(request, parameters, refusal.status, refusal.code, refusal.message)
            raise

    async def _create(
        self, request: Request, parameters: QueryParams, accept: Callable[[QueryParams], Json]
    ) -> Response:
        faults = self._carrier.faults
        if faults.strike(FaultName.ACCOUNT_SUSPENDED):
            raise RequestRefused(20005)
        if faults.strike(FaultName.TOO_MANY_REQUESTS):
            raise RequestRefused(20429)
        if faults.strike(FaultName.ERROR_BEFORE_ACCEPT):
            raise RequestRefused(20500)
        if faults.strike(FaultName.DROP_BEFORE_ACCEPT):
            self._keep(request, parameters, 0, None, FaultName.DROP_BEFORE_ACCEPT)
            return drop_connection(request)
        if late := faults.strike(FaultName.ACCEPT_LATE):
            self._carrier.webhooks.spawn(self._accept_late(parameters, accept, late.seconds))
            return drop_connection(request)
        body = accept(parameters)
        if slow := faults.strike(FaultName.SLOW_REST):
            await asyncio.sleep(slow.seconds)
        if faults.strike(FaultName.DROP_AFTER_ACCEPT):
            return drop_connection(request)
        if faults.strike(FaultName.ERROR_AFTER_ACCEPT):
            return RequestRefused(20500).response()
        return JSONResponse(body, 201)

    async def _accept_late(
        self, parameters: QueryParams, accept: Callable[[QueryParams], Json], seconds: float
    ) -> None:
        await self._carrier.clock.sleep(seconds)
        try:
            accept(parameters)
        except RequestRefused:
            return

    def _keep(
        self, request: Request, parameters: QueryParams, status: int, code: int | None, why: str
    ) -> None:
        now = self._carrier.clock.now()
        self._carrier.state.refused.append(
            RefusedRequest(now, request.url.path, status, code, why, grouped(parameters))
        )


def drop_connection(request: Request) -> Response:
    """Close the client's connection without an answer. The response returned here is never sent."""
    assert request.client is not None
    peer = (request.client.host, int(request.client.port))  # granian gives the port as text
    for connection in psutil.Process().net_connections("inet"):
        if tuple(connection.raddr) == peer and connection.fd >= 0:
            with socket.socket(fileno=os.dup(connection.fd)) as ours:
                ours.shutdown(socket.SHUT_RDWR)
    return Response(status_code=500)


class ListPage:
    """One page of a list. `PageToken` is `PA` and the id before the page, or `PB` and the id after it."""

    def __init__(self, request: Request, key: str) -> None:
        self._path = request.url.path
        self._query = request.query_params
        self._key = key
        self._size = min(max(_natural(self._query.get("PageSize"), _PAGE_SIZE), 1), _LARGEST_PAGE)
        self._number = _natural(self._query.get("Page"), 0)
        self._token = self._query.get("PageToken", "")

    def json(self, records: Iterator[Record], render: Callable[[Record], Json]) -> JSONResponse:
        """Answer with the page in Twilio's envelope."""
        shown, has_more = self._cut(records)
        ends = (shown[0].sid, shown[-1].sid) if shown else ("", "")
        return self.envelope([render(record) for record in shown], ends if has_more else (ends[0], ""))

    def envelope(self, items: list[Json], ends: tuple[str, str] = ("", "")) -> JSONResponse:
        """Answer with these items. `ends`: the id of the first, and of the last if there is a next page."""
        first, last = ends
        start = self._number * self._size
        return JSONResponse(
            {
                "first_page_uri": self._uri(0),
                "end": start + max(len(items) - 1, 0),
                "previous_page_uri": self._uri(self._number - 1, f"PB{first}") if self._number else None,
                self._key: items,
                "uri": self._uri(self._number, self._token),
                "page_size": self._size,
                "start": start,
                "next_page_uri": self._uri(self._number + 1, f"PA{last}") if last else None,
                "page": self._number,
            },
        )

    def _cut(self, records: Iterator[Record]) -> tuple[list[Record], bool]:
        if self._token.startswith("PB"):
            return list(takewhile(lambda record: f"PB{record.sid}" != self._token, records))[
                -self._size :
            ], True
        if self._token:
            for record in records:
                if f"PA{record.sid}" == self._token:
                    break
        found = list(islice(records, self._size + 1))
        return found[: self._size], len(found) > self._size

    def _uri(self, number: int, token: str = "") -> str:
        kept = [(k, v) for k, v in self._query.multi_items() if k not in {"Page", "PageToken", "PageSize"}]
        paging = [("PageSize", str(self._size)), ("Page", str(number))]
        if token:
            paging.append(("PageToken", token))
        return f"{self._path}?{urlencode([*kept, *paging])}"


def _natural(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default


def within(query: QueryParams, name: str, moment: datetime | None) -> bool:
    """Tell whether `moment` passes the filters `name`, `name<` and `name>`, if given; None passes none of them."""
    for suffix in ("", "<", ">"):
        text = query.get(name + suffix)
        if text and (moment is None or not _passes(suffix, text, moment)):
            return False
    return True


def _passes(suffix: str, text: str, moment: datetime) -> bool:
    bound = wire.parse_moment(text)
    if bound is None:
        raise RequestRefused(20001, text)
    if not isinstance(bound, datetime):
        return _compares(suffix, moment.astimezone(UTC).date(), bound)
    if suffix == "":
        return moment.astimezone(UTC).date() == bound.astimezone(UTC).date()
    return _compares(suffix, moment, bound)


Moment = TypeVar("Moment", datetime, date)


def _compares(suffix: str, left: Moment, right: Moment) -> bool:
    return {"": left == right, "<": left <= right, ">": left >= right}[suffix]


def is_web_address(text: str) -> bool:
    """Tell whether Twilio accepts this address: http or https, and a host without underscore."""
    try:
        address = urlsplit(text)
    except ValueError:
        return False
    host = address.hostname or ""
    return address.scheme in {"http", "https"} and bool(host) and "_" not in host and " " not in text
