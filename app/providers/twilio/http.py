"""The SDK's connections: its aiohttp client, with the time limits that it lacks."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus

from aiohttp import (
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    encode_basic_auth,
)
from aiohttp.connector import Connection
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response

TIMEOUT = ClientTimeout(total=7.0, connect=3.0)
"""Seconds for a whole request, and for getting a connection: inside the engine's guard of 10."""

CONNECTION_LIMIT = 400
"""Parallel requests to one carrier: as many as the dialer has under way at most."""

_LONGEST_WAIT_SECONDS = 3600.0
"""The longest wait, however long a `Retry-After` is."""

_IDLE_SECONDS = 10.0
"""We close unused connections before the carrier does: a POST on a closing connection has an unclear result."""


before_sending: Final[ContextVar[Callable[[], Awaitable[None]] | None]] = ContextVar(
    "before_sending", default=None
)
"""Awaited when a request has its connection, before its first byte is sent. If it raises, nothing is sent."""


class CarrierThrottled(Exception):
    """The carrier answered 429: it did not process the request."""

    def __init__(self, retry_after_seconds: float | None) -> None:
        super().__init__("the carrier answered 429 (too many requests)")
        self.retry_after_seconds = retry_after_seconds


class _AskingRequest(ClientRequest):
    """A request that awaits `before_sending` at the last moment: connecting may have taken seconds."""

    async def send(self, conn: Connection) -> ClientResponse:
        if (ask := before_sending.get()) is not None:
            await ask()
        return await super().send(conn)


class TwilioConnections(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK ships no type information
    """The SDK's async client on one session of ours.

    The SDK's version passes `timeout=None` to aiohttp, which overrides the session's limits and waits for ever. It also
    logs phone numbers and drops the `Retry-After` header. There are no retries at any level, because a repeated POST is
    a second call.
    """

    def __init__(self, *, limit: int = CONNECTION_LIMIT) -> None:
        super().__init__(pool_connections=False, max_retries=None)
        self._limit = limit
        self._open: ClientSession | None = None
        self.date = ""
        """The `Date` header of the last answer."""

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the SDK's signature
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - the SDK's signature
    ) -> Response:
        """Make one request. Raises `CarrierThrottled`, `aiohttp.ClientError` and `TimeoutError`."""
        sent_headers = dict(headers or {})
        if auth is not None:
            sent_headers["Authorization"] = _basic(*auth)
        limits = TIMEOUT if timeout is None else ClientTimeout(total=timeout, connect=min(timeout, 3.0))
        body = form_encoded(data) if data else None
        options: dict[str, Any] = {"params": params, "data": body, "headers": sent_headers}
        async with self._session().request(
            method.upper(), url, timeout=limits, allow_redirects=allow_redirects, **options
        ) as response:
            if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise CarrierThrottled(_seconds(response.headers.get("Retry-After")))
            self.date = response.headers.get("Date", "")
            # Twilio answers in UTF-8. Looking for another encoding in the headers takes longer than reading the answer.
            text = (await response.read()).decode("utf-8", "replace")
            return Response(response.status, text, response.headers)

    async def close(self) -> None:
        """Close the connections; the next request would open new ones."""
        if self._open is not None:
            await self._open.close()
            self._open = None

    def _session(self) -> ClientSession:
        if self._open is None or self._open.closed:
            connector = TCPConnector(limit=self._limit, keepalive_timeout=_IDLE_SECONDS)
            self._open = ClientSession(
                connector=connector,
                cookie_jar=DummyCookieJar(),
                trust_env=False,
                request_class=_AskingRequest,
            )
        return self._open


_COMMON: Final = (
    ("%", "%25"),
    (":", "%3A"),
    ("/", "%2F"),
    ("#", "%23"),
    ("=", "%3D"),
    ("&", "%26"),
    (",", "%2C"),
)
"""The characters that are frequent in our URLs. The per cent sign is first, because every escape contains one."""
_ESCAPED: Final = re.compile(r"[^A-Za-z0-9_.~%-]")
_ESCAPES: Final = {chr(code): quote_plus(chr(code)) for code in range(128)}


def form_encoded(data: Mapping[str, object]) -> bytes:
    """Return the body of a form, as `urlencode(data, doseq=True)`: a list is one field for each of its values.

    It is faster: aiohttp's encoding takes a quarter of the time of placing a call, and `urlencode` a tenth.
    """
    fields = [
        f"{_quoted(name)}={_quoted(each)}"
        for name, value in data.items()
        for each in (value if isinstance(value, list | tuple) else (value,))
    ]
    return "&".join(fields).encode()


def _quoted(value: object) -> str:
    text = str(value)
    if not text.isascii():
        return quote_plus(text)
    if text.isalnum():
        return text
    for plain, escape in _COMMON:
        text = text.replace(plain, escape)
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)


@lru_cache(maxsize=8)
def _basic(username: str, password: str) -> str:
    return encode_basic_auth(username, password)


def _seconds(retry_after: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None for its date form, which Twilio does not use."""
    if not retry_after or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(float(retry_after), _LONGEST_WAIT_SECONDS)
