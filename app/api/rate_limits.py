"""Rate limits of `/api/v1`, and of wrong keys: 429, `Retry-After`, and the `RateLimit` headers.

Wrong keys, tickets and cookies are counted by address. A right one is always accepted, even if others at the same
address send wrong ones. That costs one index look-up for each wrong one, and does not help guessing: they have 256
random bits.

The headers: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, as of September 2025.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import MEDIA_TYPE, Problem, TooMany
from app.api.proxies import address_of
from app.domain.addresses import counted_as
from app.domain.quotas import Quota, QuotaStanding
from app.runtime.context import AppContext

log = logging.getLogger(__name__)

WRONG_KEYS: Final = Quota("wrong-keys", 20)
"""Requests of one address without a known key, to `/api/v1` and the progress socket together."""
WRONG_TICKETS: Final = Quota("wrong-tickets", 20)
"""Invalid sign-in tickets of one address."""
WRONG_SESSIONS: Final = Quota("wrong-sessions", 20)
"""Downloads of one address with an invalid session cookie."""
MOST_SOCKETS_OF_A_KEY: Final = 200
"""The most progress sockets that one key may have open in one process."""

_STANDING: Final = "callsheet.standing"
"""The key in a request's scope under which its quota standing is kept for the response."""


def count_request(context: AppContext, connection: HTTPConnection, key_id: int | None) -> None:
    """Count one request of a key. Raises `TooMany` if it exceeds the key's limit."""
    if context.settings.api_requests_per_minute:
        quota = Quota("per-key", context.settings.api_requests_per_minute)
        _use(context, connection, quota, key_id)


def count_wrong(context: AppContext, connection: HTTPConnection, quota: Quota) -> None:
    """Count a wrong key, ticket or cookie from this address. Raises `TooMany`."""
    address = counted_as(address_of(connection))
    _use(context, connection, quota, address)
    log.warning("api.refused", extra={"quota": quota.name, "address": address})


def _use(context: AppContext, connection: HTTPConnection, quota: Quota, who: object) -> None:
    standing = context.quotas.use(quota, who)
    connection.scope[_STANDING] = standing
    if standing.refused:
        raise TooMany(quota.name, standing.next_in)


class RateLimitHeaders:
    """ASGI middleware: adds the `RateLimit` headers to every response but redirects."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        async def send_with_standing(message: Message) -> None:
            standing = scope.get(_STANDING)
            # Not on a redirect: a client that follows these headers might wait before it follows the redirect.
            if (
                message["type"] == "http.response.start"
                and standing is not None
                and not HTTPStatus.MULTIPLE_CHOICES <= message["status"] < HTTPStatus.BAD_REQUEST
            ):
                told = [(name.lower().encode(), value.encode()) for name, value in _fields(standing).items()]
                message["headers"] = [*message.get("headers", ()), *told]
            await send(message)

        await self._app(scope, receive, send_with_standing)


def _fields(standing: QuotaStanding) -> Mapping[str, str]:
    quota = standing.quota
    return {
        "RateLimit-Policy": f'"{quota.name}";q={quota.amount};w={quota.seconds}',
        "RateLimit": f'"{quota.name}";r={standing.remaining};t={standing.next_in}',
    }


def _header(description: str, example: str | int) -> dict[str, Any]:
    kind = "integer" if isinstance(example, int) else "string"
    return {"description": description, "schema": {"type": kind}, "example": example}


TOO_MANY_RESPONSE: Final[dict[str, Any]] = {
    "description": "Too many requests of this key; or, without a known key, from this address.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}},
    "headers": {
        "Retry-After": _header("Seconds until the next request is accepted.", 1),
        "RateLimit-Policy": _header("The limit, and its period in seconds.", '"per-key";q=1200;w=60'),
        "RateLimit": _header(
            "The remaining requests, and the seconds until there is one more.", '"per-key";r=0;t=1'
        ),
    },
}
"""The documentation of 429, for every operation."""
