"""What is asked for is what the worker does: jobs agree on both sides of the queue."""

import importlib
import inspect

import pytest
from arq.worker import Function

from app.runtime.config import get_settings
from app.runtime.jobs import JOBS, QueueName


def test_the_worker_registers_every_job_with_the_parameter_that_it_is_sent(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    get_settings.cache_clear()
    settings = importlib.import_module("worker.settings")
    get_settings.cache_clear()
    for queue in (settings.DIAL, settings.BULK):
        functions: list[Function] = queue.get("functions", [])
        registered = {each.name: list(inspect.signature(each.coroutine).parameters) for each in functions}
        sent = {
            job.name: ["ctx", job.parameter] for job in JOBS if job.queue is QueueName(queue["queue_name"])
        }
        assert registered == sent


def test_no_two_jobs_share_a_name_or_an_id() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert len({job.id_for(1) for job in JOBS}) == len(JOBS)
