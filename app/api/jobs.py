"""Asking a worker to begin what a request has just written down: a hint, since cron finds it anyway."""

import asyncio
import logging
from typing import Final

from redis.exceptions import RedisError

from app.api.caller import Caller
from app.queue import AlreadyQueued, QueueName

log = logging.getLogger(__name__)

_PATIENCE_SECONDS: Final = 2


async def ring(caller: Caller, job: str, *, job_id: str, **ids: int) -> None:
    """Enqueue a job for work that is committed. Without Redis nothing is lost but half a minute."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await caller.context.queue.enqueue(job, job_id=job_id, queue=QueueName.BULK, **ids)
    except (AlreadyQueued, RedisError, OSError) as error:
        log.warning("job.not_enqueued", extra={"job_id": job_id, "error": type(error).__name__})
