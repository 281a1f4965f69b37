"""What `arq` runs: one worker a queue. Dictionaries, because arq ignores what a settings class inherits."""

from datetime import UTC
from typing import Any, Final

from arq import cron

from app.config import get_settings
from app.context import NotConfigured
from app.queue import QueueName, deserialize, redis_settings, serialize
from worker.jobs.dialing import launch_scheduled_campaigns, reconcile_attempts
from worker.jobs.imports import requeue_stalled_imports, run_import
from worker.state import start_bulk, start_dialing, stop_bulk, stop_dialing

_redis_url = get_settings().redis_url
if _redis_url is None:
    raise NotConfigured("REDIS_URL is not set; `callsheet up` sets it for the processes it starts")
_REDIS: Final = redis_settings(_redis_url)

_FIVE: Final = set(range(0, 60, 5))
_EVERY: Final = set(range(60))


_SHARED: Final[dict[str, Any]] = {
    "redis_settings": _REDIS,
    "job_serializer": serialize,
    "job_deserializer": deserialize,
    "timezone": UTC,
    "keep_result": 0,
    "poll_delay": 0.2,
    "health_check_interval": 10,
    # The supervisor waits 9 s for us, and the dialer's drain may need 8 of them (the carrier's timeout). A job cut
    # short by this only asks the carrier or the rows, and is made again.
    "job_completion_wait": 1,
    "max_tries": 5,
}

DIAL: Final[dict[str, Any]] = _SHARED | {
    "queue_name": QueueName.DIAL.value,
    "cron_jobs": [
        cron(reconcile_attempts, second=_FIVE, timeout=60, max_tries=1),
        cron(launch_scheduled_campaigns, second=_EVERY, timeout=20, max_tries=1),
    ],
    "job_timeout": 60,
    "on_startup": start_dialing,
    "on_shutdown": stop_dialing,
}
"""Dialing and what surrounds it. Every job is short, so that a killed worker's jobs are free again soon."""

BULK: Final[dict[str, Any]] = _SHARED | {
    "queue_name": QueueName.BULK.value,
    "functions": [run_import],
    "cron_jobs": [cron(requeue_stalled_imports, second={7, 37}, timeout=30, max_tries=1)],
    "job_timeout": 3600,
    "on_startup": start_bulk,
    "on_shutdown": stop_bulk,
}
"""Imports and other long work."""
