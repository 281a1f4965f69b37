"""The API as one application: `/api`, `/auth`, `/download`, the carrier's webhooks and the progress WebSocket."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from fastapi import FastAPI

from app.api import documentation, downloads, health, live, problems, sign_in, webhooks
from app.api.body_limits import LimitBodies
from app.api.rate_limits import RateLimitHeaders
from app.api.v1.router import v1_router

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_DESCRIPTION: Final = """
Outbound campaigns without a browser. Send `Authorization: Bearer cs_…` with every request.

Ids are integers or UUIDs, either everywhere. Times are ISO 8601 with an offset. Lists come in pages.
Errors are problem details (RFC 9457) that name the field.
Each answer has the key's rate limit and what is left of it (`RateLimit-Policy`, `RateLimit`).
429 says in `Retry-After` how many seconds to wait; such a request has no effect.
All writing requests (POST, PUT, PATCH, DELETE) take an `Idempotency-Key`: they may be repeated for 24 hours, and are
done once. The same key with another request is 422; while the first request is in progress, 409 with `Retry-After`.

The WebSocket `/ws/campaigns/{id}/progress?token=cs_…` sends a campaign's progress: at once, then each change.
"""


def create_api(*, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the application. The browser UI may be mounted behind it, and `with_middleware` wraps all of it.

    `/api` is a mounted application, with its own documentation and its own 404.
    """
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    rest = _rest()
    rest.dependency_overrides = api.dependency_overrides
    problems.install(api)
    for router in (sign_in.router, downloads.router, live.router):
        api.include_router(router)
    api.mount("/api", rest)
    api.add_middleware(RateLimitHeaders)
    api.add_middleware(webhooks.AnswerWebhooks)
    return api


def _rest() -> FastAPI:
    rest = FastAPI(
        title="Callsheet",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    problems.install(rest)
    rest.add_middleware(LimitBodies)
    rest.include_router(health.router)
    rest.include_router(v1_router())
    documentation.install(rest)
    _describe_problems(rest)
    return rest


def _describe_problems(rest: FastAPI) -> None:
    """Add the schema of problem details to the documentation: no route declares it as its model."""
    original = rest.openapi

    def openapi() -> dict[str, Any]:
        schema = original()
        described = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        nested = described.pop("$defs", {})
        schema["components"]["schemas"] |= nested | {problems.Problem.__name__: described}
        return schema

    rest.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend its schema
