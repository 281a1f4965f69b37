"""The client's address, decided once. Behind a trusted proxy it is in the proxy's headers.

All code that needs the address or the scheme reads `scope["client"]` and `scope["scheme"]`, also for WebSockets.
"""

import logging
from collections.abc import Sequence

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app.runtime.config import Network

log = logging.getLogger(__name__)


class BehindProxies:
    """ASGI middleware, the outermost: writes the client's address and scheme behind trusted proxies into the scope.

    `X-Forwarded-For` is read from its right end, because each proxy appends its client. The first address that is not
    trusted is the client; addresses before it are ignored, because the client may have written them. Headers from a
    peer that is not trusted, or has no address (a Unix socket), are ignored.
    """

    def __init__(self, app: ASGIApp, *, trusted: Sequence[Network]) -> None:
        self._app: ASGIApp = wrap_asgi_with_proxy_headers(app, [str(network) for network in trusted])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        await self._app(scope, receive, send)


class NoticeProxies:
    """ASGI middleware without trusted proxies: logs once if there seems to be a proxy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._has_said = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        if not self._has_said and any(name == b"x-forwarded-for" for name, _ in scope.get("headers", ())):
            self._has_said = True
            log.warning("proxy.not_trusted", extra={"setting": "CALLSHEET_TRUSTED_PROXIES"})
        await self._app(scope, receive, send)


def address_of(connection: HTTPConnection) -> str:
    """Return the client's address; empty if the server knows none."""
    return connection.client.host if connection.client else ""
