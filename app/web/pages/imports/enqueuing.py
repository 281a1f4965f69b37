"""Handing an import to a worker."""

import logging

from redis.exceptions import RedisError

from app.context import get_context
from app.queue import AlreadyQueued

log = logging.getLogger(__name__)


async def enqueue_import(import_id: int) -> None:
    """Have a worker go on with it. If Redis is away the row says so itself: cron finds it."""
    try:
        await get_context().queue.enqueue("run_import", job_id=f"import:{import_id}", import_id=import_id)
    except (AlreadyQueued, RedisError, OSError) as error:
        log.warning("import.not_enqueued", extra={"import_id": import_id, "error": type(error).__name__})
