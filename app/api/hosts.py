"""The host names that this installation answers to. Redirects and links are built from the `Host` of a request."""

import ipaddress
from collections.abc import Iterable
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import problem
from app.api.webhooks import is_for_carrier

_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_HEALTH: Final = "/api/health"


class KnownHosts:
    """ASGI middleware: 421 for an unknown `Host`, with the setting to change; a WebSocket is not opened.

    Known are the host of the public URL, this machine's own names, and the allowed ones, on any port: a tunnel or a
    proxy may use another port.
    """

    def __init__(self, app: ASGIApp, *, public_url: str, allowed: Iterable[str] = ()) -> None:
        self._app = app
        self._public_url = public_url
        self._names = frozenset({urlsplit(public_url).hostname or "", *allowed}) | _THIS_MACHINE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        if scope["type"] not in {"http", "websocket"} or self._is_known(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": WS_1008_POLICY_VIOLATION})
        else:
            await self._refusal(HTTPConnection(scope))(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        # Load balancers ask for health by address, and the carrier's requests are signed: neither answer has a link.
        # Compare the whole path: `/webhooks/../sign-in` is the sign-in page.
        if is_for_carrier(scope) or (scope["type"] == "http" and scope["path"] == _HEALTH):
            return True
        named = HTTPConnection(scope).headers.getlist("host")
        return len(named) == 1 and host_name(named[0]) in self._names

    def _refusal(self, request: HTTPConnection) -> Response:
        named = request.headers.get("host", "")[:100]
        detail = (
            f"Callsheet is not served at “{named}”. Open {self._public_url}, or, where it runs, set "
            "CALLSHEET_PUBLIC_URL to the address that people use (or add the name to CALLSHEET_ALLOWED_HOSTS) "
            "and start it again."
        )
        if "text/html" in request.headers.get("accept", ""):
            page = f"<!doctype html><title>Another address</title><p>{escape(detail)}</p>"
            return HTMLResponse(page, HTTPStatus.MISDIRECTED_REQUEST)
        return problem(HTTPStatus.MISDIRECTED_REQUEST, detail)


def host_name(host: str) -> str:
    """Return the name in a `Host` header, in lower case and without the port; empty if it is invalid."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    if parts.netloc != host or "@" in host or parts.hostname is None:
        return ""
    name = parts.hostname.rstrip(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
