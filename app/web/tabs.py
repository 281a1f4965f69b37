"""Binds a tab to the session that opened it.

Reflex keeps the state of a tab, with its user, under a token that the tab sends. The token is in the socket's address,
which proxies log. Anyone who sends it would get that state and act as that user. So Reflex never gets the tab's own
token. It gets a token made from it and from the session of the request's cookie. With another session, or with none,
the same tab token leads to another state, which is empty.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlencode

import reflex as rx
from reflex.istate.manager.memory import StateManagerMemory
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.status import WS_1008_POLICY_VIOLATION, WS_1013_TRY_AGAIN_LATER
from starlette.types import ASGIApp, Receive, Scope, Send

from app.runtime.config import get_settings
from app.runtime.context import get_context
from app.services.access.cookies import tokens_in
from app.services.access.known_browsers import BROWSER_COOKIE, known_browser
from app.services.access.sessions import SESSION_COOKIE, SignedInUser, resolve_session
from app.web.tab_connection import TabConnection

EVENTS: Final = "/_event"
"""Where Reflex's socket is."""

UPLOADS: Final = "/_upload"
"""Where Reflex takes files."""

PERSON: Final = "callsheet.person"
"""In the scope of a request to one of the two: the `SignedInUser` of its cookie, or None."""

BROWSER: Final = "callsheet.browser"
"""In the scope of a socket that is not signed in: the id of a browser in which a user has signed in before, or None."""

CONNECTION: Final = "callsheet.connection"
"""In the scope of a socket: its `TabConnection`."""

_UPLOAD_TOKEN: Final = b"reflex-client-token"
_SOCKET_QUERY: Final = frozenset({"EIO", "transport"})
"""The parameters of a socket's query that Reflex gets besides the token. The id of a polling session is left out."""
_LONGEST_TOKEN: Final = 100
_KEY: Final = secrets.token_bytes(32)
"""Made in this process, which alone has the states."""
_LEAVE_WITHIN_SECONDS: Final = 2.0
_REMEMBERED_SECONDS: Final = 120.0
"""How long the state of a tab that is not signed in is kept after its connection, in case it reconnects."""
_LOOK_EVERY_SECONDS: Final = 0.005

log = logging.getLogger(__name__)


class Tabs(Protocol):
    """The tabs whose sockets are open in this process."""

    def is_open(self, token: str) -> bool:
        """Tell whether a socket is open for what Reflex knows as `token`."""

    def forget(self, token: str) -> None:
        """Delete the state of such a tab, unless its socket is open."""


class ReflexTabs:
    """The tabs of a Reflex application."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    def is_open(self, token: str) -> bool:
        """Tell whether a socket is open for what Reflex knows as `token`."""
        namespace = self._app.event_namespace
        return namespace is not None and token in namespace.token_to_sid

    def forget(self, token: str) -> None:
        """Delete the state of such a tab, unless its socket is open."""
        states = self._app.state_manager
        if not self.is_open(token) and isinstance(states, StateManagerMemory):
            # Reflex has no public method for it, and keeps the state for an hour. Strangers could fill the memory.
            states._purge_token(rx.BaseStateToken(ident=token, cls=rx.State))  # noqa: SLF001


class BindTabs:
    """ASGI middleware in front of Reflex's socket and uploads: binds each tab's token to the request's session.

    A tab has one socket. A tab that lost its connection may reconnect before the server, or a proxy between, knows that
    the old connection is gone. Reflex would take it for a duplicated tab and give it a new, empty state (its issue
    6345). So the old connection is ended first. A duplicated tab gets a token of its own from `assets/tab.js`.
    """

    def __init__(self, app: ASGIApp, *, tabs: Tabs) -> None:
        self._app = app
        self._tabs = tabs
        self._connections: dict[str, TabConnection] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the bound token."""
        path = scope.get("path", "")
        if is_tab_socket(scope):
            await self._open(scope, receive, send)
        elif scope["type"] == "http" and path.startswith(UPLOADS):
            person = await _person(scope)
            await self._app(_bound_upload(scope, person), receive, send)
        elif scope["type"] == "http" and path.startswith(EVENTS):
            refusal = JSONResponse({"detail": "There is only a socket here."}, HTTPStatus.NOT_FOUND)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = dict(_query(scope)).get("token", "")
        if not 0 < len(token) <= _LONGEST_TOKEN:
            await send({"type": "websocket.close", "code": WS_1008_POLICY_VIOLATION})
            return
        try:
            person, browser = await _visitor(scope)
        except (SQLAlchemyError, OSError) as error:
            log.warning("web.socket_refused", extra={"reason": type(error).__name__})
            await send({"type": "websocket.close", "code": WS_1013_TRY_AGAIN_LATER})
            return
        bound, connection = bound_token(token, person), TabConnection(receive, send)
        told = {PERSON: person, BROWSER: browser, CONNECTION: connection}
        older, self._connections[bound] = self._connections.get(bound), connection
        try:
            if older is not None:
                await self._replace(older, bound)
            pairs = [(name, value) for name, value in _query(scope) if name in _SOCKET_QUERY]
            query = urlencode([*pairs, ("token", bound)]).encode()
            await self._app({**scope, "query_string": query, **told}, connection.receive, connection.send)
        finally:
            connection.gone.set()
            if self._connections.get(bound) is connection:
                del self._connections[bound]
            if person is None:
                asyncio.get_running_loop().call_later(_REMEMBERED_SECONDS, self._tabs.forget, bound)

    async def _replace(self, older: TabConnection, bound: str) -> None:
        """End the older connection and wait until Reflex has closed it, but not for ever: it may be stuck."""
        await older.end()
        try:
            async with asyncio.timeout(_LEAVE_WITHIN_SECONDS):
                await older.gone.wait()
                while self._tabs.is_open(bound):  # noqa: ASYNC110  # Reflex has no event for it
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
        except TimeoutError:
            log.warning("web.socket_did_not_leave")


def is_tab_socket(scope: Scope) -> bool:
    """Tell whether this is a socket of Reflex, which our pages open."""
    return bool(scope["type"] == "websocket" and scope["path"].startswith(EVENTS))


def bound_token(token: str, person: SignedInUser | None) -> str:
    """Return the token that Reflex gets instead of a tab's `token`. `person`: the signed-in user, or None."""
    session = "" if person is None else str(person.session_id)
    return hmac.new(_KEY, f"{session}:{token}".encode(errors="replace"), hashlib.sha256).hexdigest()


async def _person(scope: Scope) -> SignedInUser | None:
    person, _ = await _visitor(scope)
    return person


async def _visitor(scope: Scope) -> tuple[SignedInUser | None, str | None]:
    """Return the signed-in user; without one, the id of the browser if a user has signed in with it before."""
    cookies, over_https = HTTPConnection(scope).headers.getlist("cookie"), get_settings().served_over_https
    sessions = tokens_in(cookies, SESSION_COOKIE, over_https=over_https)
    browsers = tokens_in(cookies, BROWSER_COOKIE, over_https=over_https)
    if not sessions and not browsers:
        return None, None
    context = get_context()
    now = context.clock.now()
    async with context.database.session() as session:
        person = await resolve_session(session, tokens=sessions, now=now) if sessions else None
        if person is not None or not browsers:
            return person, None
        return None, await known_browser(session, tokens=browsers, now=now)


def _query(scope: Scope) -> Sequence[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"))


def _bound_upload(scope: Scope, person: SignedInUser | None) -> Scope:
    headers = [
        (name, bound_token(value.decode("latin-1"), person).encode() if name == _UPLOAD_TOKEN else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers, PERSON: person}
