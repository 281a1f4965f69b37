"""Every route of `/api/v1`."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter

from app.api.problems import MEDIA_TYPE, Problem
from app.api.rate_limits import TOO_MANY_RESPONSE
from app.api.v1 import (
    agents,
    attempts,
    audiences,
    campaign_actions,
    campaigns,
    contact_bulk,
    contacts,
    import_actions,
    import_data,
    imports,
    keys,
    numbers,
    organization,
    recipients,
    segments,
    suppressions,
    trips,
)

_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    **{
        int(status): {
            "description": status.phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}},
        }
        for status in (
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    },
    int(HTTPStatus.TOO_MANY_REQUESTS): TOO_MANY_RESPONSE,
}


def v1_router() -> APIRouter:
    """Return the router of `/v1`, to be included in the application under `/api`."""
    router = APIRouter(prefix="/v1", responses=_ERRORS)
    for part in (campaigns, campaign_actions, trips, recipients, audiences, import_data):
        router.include_router(part.router)
    for part in (import_actions, imports, attempts):
        router.include_router(part.router)
    router.include_router(agents.router, prefix="/agents", tags=["agents"])
    router.include_router(
        agents.router, prefix="/assistants", tags=["assistants: the seeds' word for agents"]
    )
    for part in (numbers, contact_bulk, contacts, segments, suppressions, organization, keys):
        router.include_router(part.router)
    router.include_router(suppressions.uploads)
    return router
