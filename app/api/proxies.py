"""Who a request is from, decided once: behind a proxy of ours the peer is the proxy, and its headers tell who came.

Whatever asks for an address or for https reads `scope["client"]` and `scope["scheme"]`, the browser's socket too.
"""

import logging
from collections.abc import Sequence

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app.runtime.config import Network

log = logging.getLogger(__name__)


class BehindProxies:
    """ASGI middleware, the outermost: writes address and scheme of who came to a trusted proxy into the scope.

    `X-Forwarded-For` is read from its right end, each proxy having added whom it was asked by: the first that is not
    trusted is who came. Whatever stands before that was written by them, and is not believed. From a peer that is not
    trusted, or has no address as on a Unix socket, no header is.
    """

    def __init__(self, app: ASGIApp, *, trusted: Sequence[Network]) -> None:
        self._app: ASGIApp = wrap_asgi_with_proxy_headers(app, [str(network) for network in trusted])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        await self._app(scope, receive, send)


class NoticeProxies:
    """ASGI middleware where no proxy is trusted: says once in the log that one seems to be there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._has_said = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        if not self._has_said and any(name == b"x-forwarded-for" for name, _ in scope.get("headers", ())):
            self._has_said = True
            log.warning("proxy.not_trusted", extra={"setting": "CALLSHEET_TRUSTED_PROXIES"})
        await self._app(scope, receive, send)


def address_of(connection: HTTPConnection) -> str:
    """Return the address a request or a socket is from; empty if the server knows none."""
    return connection.client.host if connection.client else ""
