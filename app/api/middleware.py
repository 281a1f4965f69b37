"""The middleware around everything that a process serves."""

from starlette.types import ASGIApp

from app.api.headers import NO_PAGE, SecurityHeaders
from app.api.hosts import KnownHosts
from app.api.paths import RefuseControlCharacters
from app.api.proxies import BehindProxies, NoticeProxies
from app.api.redirects import RelativeRedirects
from app.runtime.config import Settings


def with_middleware(app: ASGIApp, settings: Settings, *, pages: str = NO_PAGE) -> ASGIApp:
    """Return the application with the checks of host and path, and with security headers on every response.

    The client's address is determined first. `pages` is the Content-Security-Policy of HTML.
    """
    known = KnownHosts(
        RefuseControlCharacters(RelativeRedirects(app)),
        public_url=settings.public_url,
        allowed=settings.allowed_hosts,
    )
    answering = SecurityHeaders(known, pages=pages, over_https=settings.served_over_https)
    trusted = settings.trusted_proxies
    return BehindProxies(answering, trusted=trusted) if trusted else NoticeProxies(answering)
