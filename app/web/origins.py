"""Whose page may open the socket: a browser lets any page of the web try, with the cookies of this host."""

import logging

from starlette.datastructures import Headers
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.tabs import is_tab_socket

log = logging.getLogger(__name__)


class RefuseForeignOrigins:
    """ASGI middleware in front of Reflex's socket, in place of Reflex's own list of origins, which must be complete.

    A page is loaded from any name that `app.api.hosts` knows, on any port that a proxy or tunnel has, and its socket
    goes where it came from. So a page of ours says the host that it asks; or the public URL, if a proxy asks us by
    another. Who says no origin is no browser's page.
    """

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what a page of ours asks for."""
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
    """Tell whether a page of this origin (RFC 6454) is ours, when it asks `host`.

    Under the public URL's own name the scheme is that of the public URL: what came in clear may be anybody's.
    """
    scheme, public = origin.partition("://")[0], _origin(public_url)
    if origin == public:
        return True
    if not host or scheme not in {"http", "https"} or origin != _origin(f"{scheme}://{host}"):
        return False
    return public not in {f"{other}{origin.removeprefix(scheme)}" for other in ("http", "https")}


def _origin(url: str) -> str:
    """Return the address as a browser names it: in lower case, without the port that goes without saying."""
    lower = url.lower()
    return lower.removesuffix(":443" if lower.startswith("https:") else ":80")
