"""The job queue. Only this module and `worker/` import arq. A job carries ids only, and may be lost."""

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.constants import in_progress_key_prefix
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.runtime.jobs import Job

log = logging.getLogger(__name__)

_PATIENCE_SECONDS: Final = 2


class AlreadyQueued(Exception):
    """A job with this id is queued or running. arq itself would drop the new one without an error."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} is already queued or running")


def serialize(job: dict[str, Any]) -> bytes:
    """Write a job as JSON. With pickle, write access to Redis would allow running code in the worker."""
    return json.dumps(job, default=str).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    """Read a job written by `serialize`."""
    job: dict[str, Any] = json.loads(data)
    return job


def redis_settings(redis_url: str) -> RedisSettings:
    """Return arq's settings for a `redis://`, `rediss://` or `unix://` URL, with retries while Redis is away.

    By default arq ends the worker process when it loses the connection (its issues 386, 435, 498).
    """
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        database = int(parse_qs(parts.query).get("db", ["0"])[0])
        settings = RedisSettings(unix_socket_path=parts.path, database=database)
    else:
        settings = RedisSettings.from_dsn(redis_url)
    settings.retry = Retry(ExponentialBackoff(cap=2, base=0.1), 20)
    settings.retry_on_error = [RedisConnectionError, RedisTimeoutError, OSError]
    return settings


class JobQueue:
    """Enqueues jobs."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._pool: ArqRedis | None = None

    async def enqueue(self, job: Job, row_id: int) -> None:
        """Enqueue a job for that row. Raises `AlreadyQueued` if one for it is queued or running."""
        pool = await self._connected()
        job_id = job.id_for(row_id)
        arguments: dict[str, Any] = {
            job.parameter: row_id,
            "_job_id": job_id,
            "_queue_name": job.queue.value,
        }
        if await pool.enqueue_job(job.name, **arguments) is None:
            raise AlreadyQueued(job_id)

    async def hint(self, job: Job, row_id: int) -> None:
        """Ask a worker to start work that is already committed as a row. Cron finds the row without this too.

        If Redis does not answer soon, that is only logged.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self.enqueue(job, row_id)
        except (AlreadyQueued, RedisError, OSError) as error:
            log.warning(
                "job.not_enqueued", extra={"job_id": job.id_for(row_id), "error": type(error).__name__}
            )

    async def enqueue_again(self, job: Job, row_id: int) -> None:
        """Enqueue a job that no process works on, even if a worker was killed during it.

        Without this, arq keeps the job of a killed worker reserved until the whole job timeout is over.
        """
        pool = await self._connected()
        await pool.delete(in_progress_key_prefix + job.id_for(row_id))
        with suppress(AlreadyQueued):
            await self.enqueue(job, row_id)

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None

    async def _connected(self) -> ArqRedis:
        if self._pool is None:
            self._pool = await create_pool(
                redis_settings(self._redis_url),
                job_serializer=serialize,
                job_deserializer=deserialize,
            )
        return self._pool
