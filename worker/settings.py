"""arq's settings, one worker per queue. They are dictionaries, because arq ignores inherited class attributes."""

from datetime import UTC
from typing import Any, Final

from arq import cron, func

from app.runtime.config import get_settings
from app.runtime.context import NotConfigured
from app.runtime.job_queue import deserialize, redis_settings, serialize
from app.runtime.jobs import ADVANCE_AUDIENCE, ADVANCE_BULK_CHANGE, FILL_RUN, RUN_IMPORT, QueueName
from worker.jobs.audiences import advance_audience, enqueue_due_audiences
from worker.jobs.contacts import advance_bulk_change, enqueue_due_bulk_changes
from worker.jobs.dialing import wake_dialer
from worker.jobs.housekeeping import forget_what_is_over
from worker.jobs.imports import requeue_stalled_imports, run_import
from worker.jobs.places import place_unplaced_contacts
from worker.jobs.runs import enqueue_due_runs, fill_run

_redis_url = get_settings().redis_url
if _redis_url is None:
    raise NotConfigured("REDIS_URL is not set; `callsheet up` sets it for the processes it starts")
_REDIS: Final = redis_settings(_redis_url)

_SHARED: Final[dict[str, Any]] = {
    "redis_settings": _REDIS,
    "job_serializer": serialize,
    "job_deserializer": deserialize,
    "timezone": UTC,
    "keep_result": 0,
    "poll_delay": 0.2,
    "health_check_interval": 10,
    "max_tries": 5,
}

DIAL: Final[dict[str, Any]] = _SHARED | {
    "queue_name": QueueName.DIAL.value,
    "cron_jobs": [cron(wake_dialer, second=set(range(0, 60, 10)), timeout=5, max_tries=1)],
    "job_timeout": 60,
}
"""The queue of the dial worker. The dialer runs beside it (`worker.runtime.dialing`) and needs no Redis."""

BULK: Final[dict[str, Any]] = _SHARED | {
    "queue_name": QueueName.BULK.value,
    "functions": [
        func(run_import, name=RUN_IMPORT.name),
        func(advance_audience, name=ADVANCE_AUDIENCE.name),
        func(advance_bulk_change, name=ADVANCE_BULK_CHANGE.name),
        func(fill_run, name=FILL_RUN.name),
    ],
    "cron_jobs": [
        cron(enqueue_due_audiences, second=set(range(3, 60, 10)), timeout=8, max_tries=1),
        cron(enqueue_due_bulk_changes, second=set(range(6, 60, 10)), timeout=8, max_tries=1),
        cron(enqueue_due_runs, second=set(range(1, 60, 5)), timeout=4, max_tries=1),
        cron(requeue_stalled_imports, second={7, 37}, timeout=30, max_tries=1),
        cron(place_unplaced_contacts, second={12, 42}, run_at_startup=True, timeout=1800, max_tries=1),
        cron(forget_what_is_over, minute={11}, second=0, timeout=300, max_tries=1),
    ],
    "job_timeout": 3600,
}
"""Imports and other long work."""
