"""Whether this process works: the database, its schema, and Redis."""

import asyncio
import logging
from collections.abc import Awaitable
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from app.runtime.context import AppContext, get_context
from app.runtime.database import Database
from app.runtime.migrations import newest_revision

router = APIRouter(tags=["health"])

log = logging.getLogger(__name__)

_PATIENCE_SECONDS: Final = 3.0


class Health(BaseModel):
    """What works. `degraded`: without Redis all works, but changes are shown later."""

    status: str
    database: str
    migrations: str
    redis: str


@router.get("/health", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Health}})
async def health(response: Response, context: Annotated[AppContext, Depends(get_context)]) -> Health:
    """Tell whether requests can be served: 503 without the database, or with another schema."""
    (database, migrations), redis = await asyncio.gather(
        _database(context.database), _redis(context.settings.redis_url)
    )
    able = database == "ok" and migrations == "ok"
    if not able:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    status = "unavailable" if not able else "ok" if redis == "ok" else "degraded"
    response.headers["Cache-Control"] = "no-store"
    return Health(status=status, database=database, migrations=migrations, redis=redis)


async def _database(database: Database) -> tuple[str, str]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), database.session() as session:
            revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        return "ok", "none"
    except (SQLAlchemyError, OSError) as error:
        log.warning("health.database_away", extra={"error": type(error).__name__})
        return "unreachable", "unknown"
    return "ok", "ok" if revision == _newest() else "behind"


async def _redis(url: str | None) -> str:
    if url is None:
        return "unreachable"
    client: Redis = Redis.from_url(url)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await cast("Awaitable[bool]", client.ping())
    except (RedisError, OSError):
        return "unreachable"
    finally:
        await client.aclose()
    return "ok"


@lru_cache(maxsize=1)
def _newest() -> str:
    return newest_revision()
