"""How often `/api/v1` may be asked, and how wrong one may be: 429, `Retry-After`, and the `RateLimit` fields.

Whoever has the right key, ticket or cookie is let in, whatever others do from the same address: only what is wrong is
counted by address. That costs one look-up by an index each, and lets nobody guess: they are 256 random bits.

The fields: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, as of September 2025.
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
"""Requests of one address without a key that is known, `/api/v1` and the progress socket together."""
WRONG_TICKETS: Final = Quota("wrong-tickets", 20)
"""Sign-in tickets of one address that are good for nothing."""
WRONG_SESSIONS: Final = Quota("wrong-sessions", 20)
"""Downloads of one address with a session's cookie that is good for nothing."""
MOST_SOCKETS_OF_A_KEY: Final = 200
"""Progress sockets that one key may have open at a time, in one process."""

_STANDING: Final = "callsheet.standing"
"""Where in the scope of a request it stands, for its answer."""


def count_request(context: AppContext, connection: HTTPConnection, key_id: int | None) -> None:
    """Count one request of a key. Raises `TooMany`."""
    if context.settings.api_requests_per_minute:
        quota = Quota("per-key", context.settings.api_requests_per_minute)
        _use(context, connection, quota, key_id)


def count_wrong(context: AppContext, connection: HTTPConnection, quota: Quota) -> None:
    """Count something wrong from this address. Raises `TooMany`."""
    address = counted_as(address_of(connection))
    _use(context, connection, quota, address)
    log.warning("api.refused", extra={"quota": quota.name, "address": address})


def _use(context: AppContext, connection: HTTPConnection, quota: Quota, who: object) -> None:
    standing = context.quotas.use(quota, who)
    connection.scope[_STANDING] = standing
    if standing.refused:
        raise TooMany(quota.name, standing.next_in)


class RateLimitHeaders:
    """ASGI middleware: writes where a request stands into its answer, whatever that is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's
        async def send_with_standing(message: Message) -> None:
            standing = scope.get(_STANDING)
            if message["type"] == "http.response.start" and standing is not None and not _leads_on(message):
                told = [(name.lower().encode(), value.encode()) for name, value in _fields(standing).items()]
                message["headers"] = [*message.get("headers", ()), *told]
            await send(message)

        await self._app(scope, receive, send_with_standing)


def _leads_on(message: Message) -> bool:
    """Tell whether this is a redirect: a client that heeds the fields might wait before it follows."""
    status: int = message["status"]
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


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
    "description": "Too many requests of this key; or, without a key that is known, from this address.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}},
    "headers": {
        "Retry-After": _header("Seconds until the next request is answered.", 1),
        "RateLimit-Policy": _header("The limit, and the seconds it is for.", '"per-key";q=1200;w=60'),
        "RateLimit": _header("What is left, and the seconds until there is more.", '"per-key";r=0;t=1'),
    },
}
"""How the 429 is documented, for every operation."""
