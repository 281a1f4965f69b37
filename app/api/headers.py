"""Security headers: what a browser may load and run, no type sniffing, no framing, https only.

The outermost middleware, so that every response has them: of a route, a check, or the framework's own 404.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"permissions-policy",
        (
            b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
            b"microphone=(), midi=(), payment=(), usb=()"
        ),
    ),
)
_HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")
"""For a year. Without subdomains: they may belong to others."""

_CLOSED: Final = "frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'"
NO_PAGE: Final = f"default-src 'none'; {_CLOSED}"
"""The policy of responses that are no pages: a browser that opens one loads and runs nothing."""

_STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})
_INLINE: Final = re.compile(r"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def page_policy(scripts: Iterable[str], *, evaluates: bool = False) -> str:
    """Return the Content-Security-Policy of pages that run our own files and these inline scripts.

    `evaluates`: the pages use `eval`. Inline styles are allowed: component libraries set them at run time.
    """
    hashes = (f"'sha256-{each}'" for each in sorted(map(_digest, set(scripts))))
    allowed = " ".join(["'self'", *hashes, *(["'unsafe-eval'"] if evaluates else [])])
    return (
        f"default-src 'self'; script-src {allowed}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; {_CLOSED}"
    )


def inline_scripts(html: str) -> list[str]:
    """Return the inline scripts of a page."""
    return _INLINE.findall(html)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


class SecurityHeaders:
    """ASGI middleware: adds the headers to every response that does not have its own.

    `pages` is the policy of HTML. `over_https`: browsers reach us by https, even if a proxy forwards plain http.
    """

    def __init__(self, app: ASGIApp, *, pages: str = NO_PAGE, over_https: bool = False) -> None:
        self._app = app
        self._pages = pages.encode()
        self._over_https = over_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        always = [*_ALWAYS]
        if self._over_https or scope.get("scheme") in {"https", "wss"}:
            always.append(_HTTPS_ONLY)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                given = Headers(raw=list(message.get("headers", ())))
                # A response without a type is a 304: its headers replace those of the page in the browser's cache.
                is_page = given.get("content-type", "text/html").startswith("text/html")
                ours = [*always, (b"content-security-policy", self._pages if is_page else NO_PAGE.encode())]
                message["headers"] = given.raw + [each for each in ours if each[0].decode() not in given]
            await send(message)

        await self._app(scope, receive, send_with_headers)
