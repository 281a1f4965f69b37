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
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.runtime.context import get_context
from app.services.access.sessions import SESSION_COOKIE, SignedInUser, resolve_session

EVENTS: Final = "/_event"
"""Where Reflex's socket is."""

UPLOADS: Final = "/_upload"
"""Where Reflex takes files."""

PERSON: Final = "callsheet.person"
"""In the scope of a request to one of the two: the `SignedInUser` that its cookie belongs to, or None."""

_UPLOAD_TOKEN: Final = b"reflex-client-token"
_SOCKET_QUERY: Final = frozenset({"EIO", "transport"})
"""What of a socket's query reaches Reflex beside the token; a polling session's id does not."""
_LONGEST_TOKEN: Final = 100
_KEY: Final = secrets.token_bytes(32)
"""Of this process, as are the states that it leads to."""
_POLICY_VIOLATION: Final = 1008
_TRY_AGAIN_LATER: Final = 1013
"""Of a WebSocket: RFC 6455, 7.4.1, and its registry."""
_LEAVE_WITHIN_SECONDS: Final = 2.0
_LOOK_EVERY_SECONDS: Final = 0.005

log = logging.getLogger(__name__)


class Tabs(Protocol):
    """The tabs whose sockets are open in this process."""

    def is_open(self, token: str) -> bool:
        """Tell whether a socket is open for what Reflex knows as `token`."""

    async def close(self, token: str) -> None:
        """Close that socket, if there is one."""


class ReflexTabs:
    """The tabs of a Reflex application."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    def is_open(self, token: str) -> bool:
        """Tell whether a socket is open for what Reflex knows as `token`."""
        return self._socket_of(token) is not None

    async def close(self, token: str) -> None:
        """Close that socket and wait until it has let go of its state; so long at most, for it may be stuck."""
        socket, server, namespace = self._socket_of(token), self._app.sio, self._app.event_namespace
        if socket is None or server is None or namespace is None:
            return
        await server.disconnect(socket, namespace=namespace.namespace)
        try:
            async with asyncio.timeout(_LEAVE_WITHIN_SECONDS):
                while self.is_open(token):  # noqa: ASYNC110  # Reflex rings nobody when it has let go
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
        except TimeoutError:
            log.warning("web.socket_did_not_leave")

    def _socket_of(self, token: str) -> str | None:
        namespace = self._app.event_namespace
        return None if namespace is None else namespace.token_to_sid.get(token)


class BindTabs:
    """ASGI middleware in front of Reflex's socket and uploads: binds each tab's token to the request's session.

    One tab has one socket. A tab whose connection broke comes back before the server, or a proxy between, knows that
    the old one is gone; Reflex would take it for a copy of itself and give it a new, empty state (its issue 6345). Here
    the old socket is closed first. A duplicated tab has a token of its own: `assets/tab.js` sees to it.
    """

    def __init__(self, app: ASGIApp, *, tabs: Tabs) -> None:
        self._app = app
        self._tabs = tabs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, bound."""
        path = scope.get("path", "")
        if scope["type"] == "websocket" and path.startswith(EVENTS):
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
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        try:
            person = await _person(scope)
        except (SQLAlchemyError, OSError) as error:
            log.warning("web.socket_refused", extra={"reason": type(error).__name__})
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
            return
        bound = bound_token(token, person)
        await self._tabs.close(bound)
        await self._app(_bound_socket(scope, person, bound), receive, send)


def bound_token(token: str, person: SignedInUser | None) -> str:
    """Return what Reflex gets in place of a tab's `token` when `person`, or nobody, sends it."""
    session = "" if person is None else str(person.session_id)
    return hmac.new(_KEY, f"{session}:{token}".encode(errors="replace"), hashlib.sha256).hexdigest()


async def _person(scope: Scope) -> SignedInUser | None:
    token = HTTPConnection(scope).cookies.get(SESSION_COOKIE, "")
    if not token:
        return None
    context = get_context()
    async with context.database.session() as session:
        return await resolve_session(session, token=token, now=context.clock.now())


def _socket_token(scope: Scope) -> str:
    """Return the token that a tab sends in the socket's address; empty for none that a browser would send."""
    token = dict(_query(scope)).get("token", "")
    return token if len(token) <= _LONGEST_TOKEN else ""


def _query(scope: Scope) -> Sequence[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"))


def _bound_socket(scope: Scope, person: SignedInUser | None, bound: str) -> Scope:
    pairs = [(name, value) for name, value in _query(scope) if name in _SOCKET_QUERY]
    query = urlencode([*pairs, ("token", bound)]).encode()
    return {**scope, "query_string": query, PERSON: person}


def _bound_upload(scope: Scope, person: SignedInUser | None) -> Scope:
    headers = [
        (name, bound_token(value.decode("latin-1"), person).encode() if name == _UPLOAD_TOKEN else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers, PERSON: person}
