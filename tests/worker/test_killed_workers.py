"""A worker that was killed at a job keeps no other from going on with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from arq.connections import ArqRedis, create_pool
from arq.worker import Worker, func
from redis.asyncio import Redis

from app.runtime.job_queue import AlreadyQueued, JobQueue, deserialize, redis_settings, serialize
from app.runtime.jobs import Job, QueueName

_WORK = Job(name="work", noun="import", parameter="import_id")
_JOB = "import:7"


async def test_a_job_that_a_killed_worker_had_begun_is_taken_up_at_once(redis: Redis, redis_url: str) -> None:
    done: list[int] = []
    async with _queued_and_begun(redis_url) as queue:
        with pytest.raises(AlreadyQueued):
            await queue.enqueue(_WORK, 7)
        assert await _ran(redis_url, done) == []
        await queue.enqueue_again(_WORK, 7)
        assert await _ran(redis_url, done) == [7]
    assert not await redis.exists(f"arq:in-progress:{_JOB}")


async def test_a_job_that_was_lost_is_enqueued_again(redis: Redis, redis_url: str) -> None:
    async with _queued_and_begun(redis_url) as queue:
        await redis.flushdb()
        await queue.enqueue_again(_WORK, 7)
        await queue.enqueue_again(_WORK, 7)
        assert await _ran(redis_url, []) == [7]


@asynccontextmanager
async def _queued_and_begun(redis_url: str) -> AsyncIterator[JobQueue]:
    """A queue with one job, and the mark that arq's worker sets before it begins."""
    queue = JobQueue(redis_url)
    await queue.enqueue(_WORK, 7)
    pool = await _pool(redis_url)
    await pool.psetex(f"arq:in-progress:{_JOB}", 3_600_000, b"1")
    await pool.aclose()
    yield queue
    await queue.close()


async def _ran(redis_url: str, done: list[int]) -> list[int]:
    """Let a worker do what it may take, and return what it has done."""

    async def work(ctx: dict[str, object], import_id: int) -> None:
        done.append(import_id)

    pool = await _pool(redis_url)
    worker = Worker(
        [func(work, name="work")],
        redis_pool=pool,
        queue_name=QueueName.BULK.value,
        burst=True,
        poll_delay=0,
        max_burst_jobs=1,
        handle_signals=False,
        keep_result=0,
        job_serializer=serialize,
        job_deserializer=deserialize,
    )
    await worker._poll_iteration()
    for task in list(worker.tasks.values()):
        await task
    await pool.aclose()
    return done


async def _pool(redis_url: str) -> ArqRedis:
    return await create_pool(
        redis_settings(redis_url), job_serializer=serialize, job_deserializer=deserialize
    )
