"""Refuses sockets that pages of other sites open: a browser sends them with the cookies of this host."""

import logging

from starlette.datastructures import Headers
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.tabs import is_tab_socket

log = logging.getLogger(__name__)


class RefuseForeignOrigins:
    """ASGI middleware in front of Reflex's socket. It replaces Reflex's list of origins, which cannot name all of ours.

    A page may be loaded from any name that `app.api.hosts` knows, on any port of a proxy or tunnel, and opens its
    socket at the same address. So the origin of our page is the requested host; or the public URL, if a proxy changes
    the host. A request without an origin is not from a browser's page.
    """

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests, except sockets of other sites' pages."""
        if not is_tab_socket(scope) or self._is_own(scope):
            await self._app(scope, receive, send)
        else:
            log.info("web.foreign_origin")
            await send({"type": "websocket.close", "code": WS_1008_POLICY_VIOLATION})

    def _is_own(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origins, host = headers.getlist("origin"), headers.get("host", "")
        return not origins or (
            len(origins) == 1 and is_own(origins[0], host=host, public_url=self._public_url)
        )


def is_own(origin: str, *, host: str, public_url: str) -> bool:
    """Tell whether a page of this origin (RFC 6454) that requests `host` is ours.

    For the host of the public URL, the scheme must be that of the public URL too: others could change a page on its way
    over plain HTTP.
    """
    scheme, public = origin.partition("://")[0], _origin(public_url)
    if origin == public:
        return True
    if not host or scheme not in {"http", "https"} or origin != _origin(f"{scheme}://{host}"):
        return False
    return public not in {f"{other}{origin.removeprefix(scheme)}" for other in ("http", "https")}


def _origin(url: str) -> str:
    """Return the origin as a browser writes it: in lower case, without the default port."""
    lower = url.lower()
    return lower.removesuffix(":443" if lower.startswith("https:") else ":80")
