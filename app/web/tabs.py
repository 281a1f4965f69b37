"""A tab belongs to the session that opened it.

Reflex keeps what a tab shows, and who acts in it, under a token that the tab sends; it stands in the socket's address,
which proxies write down. Whoever sends it would be handed that content and act as that person. So Reflex never gets the
tab's own token: it gets one made of that token and of the session that the cookie of this very request belongs to.
With another session, or with none, the same token leads to another tab, which is empty.
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
"""In the scope of a request to one of the two: the `SignedInUser` that its cookie belongs to, or None."""

BROWSER: Final = "callsheet.browser"
"""In the scope of a stranger's socket: what tells the browser from others, or None if nobody has signed in with it."""

CONNECTION: Final = "callsheet.connection"
"""In the scope of a socket: its `TabConnection`."""

_UPLOAD_TOKEN: Final = b"reflex-client-token"
_SOCKET_QUERY: Final = frozenset({"EIO", "transport"})
"""What of a socket's query reaches Reflex beside the token; a polling session's id does not."""
_LONGEST_TOKEN: Final = 100
_KEY: Final = secrets.token_bytes(32)
"""Of this process, as are the states that it leads to."""
_LEAVE_WITHIN_SECONDS: Final = 2.0
_REMEMBERED_SECONDS: Final = 120.0
"""How long what a stranger's tab shows outlives its connection, for it may come back."""
_LOOK_EVERY_SECONDS: Final = 0.005

log = logging.getLogger(__name__)


class Tabs(Protocol):
    """The tabs whose sockets are open in this process."""

    def is_open(self, token: str) -> bool:
        """Tell whether a socket is open for what Reflex knows as `token`."""

    def forget(self, token: str) -> None:
        """Let go of what such a tab shows, unless its socket is open."""


class ReflexTabs:
    """The tabs of a Reflex application."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    def is_open(self, token: str) -> bool:
        """Tell whether a socket is open for what Reflex knows as `token`."""
        namespace = self._app.event_namespace
        return namespace is not None and token in namespace.token_to_sid

    def forget(self, token: str) -> None:
        """Let go of what such a tab shows, unless its socket is open."""
        states = self._app.state_manager
        if not self.is_open(token) and isinstance(states, StateManagerMemory):
            # Reflex has no public way: it waits for an hour, in which strangers could fill the memory.
            states._purge_token(rx.BaseStateToken(ident=token, cls=rx.State))  # noqa: SLF001


class BindTabs:
    """ASGI middleware in front of Reflex's socket and uploads: binds each tab's token to the request's session.

    One tab has one socket. A tab whose connection broke comes back before the server, or a proxy between, knows that
    the old one is gone; Reflex would take it for a copy of itself and give it a new, empty state (its issue 6345). Here
    the old one is ended first. A duplicated tab has a token of its own: `assets/tab.js` sees to it.
    """

    def __init__(self, app: ASGIApp, *, tabs: Tabs) -> None:
        self._app = app
        self._tabs = tabs
        self._connections: dict[str, TabConnection] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, bound."""
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
        token = _socket_token(scope)
        if not token:
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
            await self._app({**_bound_socket(scope, bound), **told}, connection.receive, connection.send)
        finally:
            connection.gone.set()
            if self._connections.get(bound) is connection:
                del self._connections[bound]
            if person is None:
                asyncio.get_running_loop().call_later(_REMEMBERED_SECONDS, self._tabs.forget, bound)

    async def _replace(self, older: TabConnection, bound: str) -> None:
        """End the older connection and wait until Reflex has let go of the tab; so long at most: it may be stuck."""
        await older.end()
        try:
            async with asyncio.timeout(_LEAVE_WITHIN_SECONDS):
                await older.gone.wait()
                while self._tabs.is_open(bound):  # noqa: ASYNC110  # Reflex rings nobody when it has let go
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
        except TimeoutError:
            log.warning("web.socket_did_not_leave")


def is_tab_socket(scope: Scope) -> bool:
    """Tell whether this is a socket for Reflex, as one of our pages opens it."""
    return bool(scope["type"] == "websocket" and scope["path"].startswith(EVENTS))


def bound_token(token: str, person: SignedInUser | None) -> str:
    """Return what Reflex gets in place of a tab's `token` when `person`, or nobody, sends it."""
    session = "" if person is None else str(person.session_id)
    return hmac.new(_KEY, f"{session}:{token}".encode(errors="replace"), hashlib.sha256).hexdigest()


async def _person(scope: Scope) -> SignedInUser | None:
    person, _ = await _visitor(scope)
    return person


async def _visitor(scope: Scope) -> tuple[SignedInUser | None, str | None]:
    """Return who is signed in; else, if somebody has signed in with this browser before, what it is known by."""
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


def _socket_token(scope: Scope) -> str:
    """Return the token that a tab sends in the socket's address; empty for none that a browser would send."""
    token = dict(_query(scope)).get("token", "")
    return token if len(token) <= _LONGEST_TOKEN else ""


def _query(scope: Scope) -> Sequence[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"))


def _bound_socket(scope: Scope, bound: str) -> Scope:
    pairs = [(name, value) for name, value in _query(scope) if name in _SOCKET_QUERY]
    query = urlencode([*pairs, ("token", bound)]).encode()
    return {**scope, "query_string": query}


def _bound_upload(scope: Scope, person: SignedInUser | None) -> Scope:
    headers = [
        (name, bound_token(value.decode("latin-1"), person).encode() if name == _UPLOAD_TOKEN else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers, PERSON: person}
