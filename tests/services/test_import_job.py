"""The import jobs: translate, call one operation, and put back what was dropped."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from app.domain.contact_import import ImportStatus
from app.models import ContactImport
from app.runtime.config import Settings
from app.runtime.context import AppContext, build_context
from app.runtime.database import Database
from app.services.imports import operations
from tests.support.builders import NOON, make_organization, principal
from worker.jobs.imports import requeue_stalled_imports, run_import


@pytest.fixture
async def context(database: Database, database_url: str, redis_url: str) -> AsyncIterator[AppContext]:
    settings = Settings(database_url=database_url, redis_url=redis_url)
    context = build_context(settings)
    yield context
    await context.close()


async def queued_import(database: Database) -> int:
    async with database.transaction() as session:
        owner = principal(await make_organization(session))
        import_id, _ = await operations.store_import(
            session,
            principal=owner,
            campaign_ref=None,
            file_name="a.csv",
            data=b"phone\n2025550143\n",
            now=NOON,
        )
        await operations.queue_import(session, principal=owner, import_ref=import_id, now=NOON)
        return import_id


async def status_of(database: Database, import_id: int) -> ImportStatus:
    async with database.session() as session:
        return (await session.get_one(ContactImport, import_id)).status


async def test_the_job_runs_the_import(database: Database, context: AppContext) -> None:
    import_id = await queued_import(database)

    await run_import({"context": context}, import_id)

    assert await status_of(database, import_id) is ImportStatus.COMPLETED


@pytest.mark.filterwarnings("ignore:Call to '__init__':DeprecationWarning")  # arq's use of redis-py
async def test_an_import_whose_job_was_lost_gets_one_job_again(
    database: Database, context: AppContext, redis: Redis
) -> None:
    import_id = await queued_import(database)
    ctx: dict[str, Any] = {"context": context}

    await requeue_stalled_imports(ctx)
    await requeue_stalled_imports(ctx)

    jobs = await redis.zrange("callsheet:bulk", 0, -1)
    assert jobs == [f"import:{import_id}".encode()]
