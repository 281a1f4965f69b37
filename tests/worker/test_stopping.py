"""A worker that is told to stop ends in time, whatever it was doing."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from app.runtime.config import Settings
from worker import runtime

PROJECT = Path(__file__).parents[2]

_STUCK = """
import asyncio, signal, sys
import worker.__main__ as main
main.DRAIN_SECONDS = 0.1

async def stuck() -> None:
    loop = asyncio.get_running_loop()
    asyncio.create_task(asyncio.sleep(3600), name="what it was doing")
    main._end_in_time(loop)
    {how}

main.configure()
asyncio.run(stuck())
"""
_HOW = ["await asyncio.sleep(3600)", "import time; time.sleep(3600)"]


@pytest.mark.parametrize("how", _HOW, ids=["a task that never ends", "a loop that is stuck"])
def test_it_ends_itself_when_draining_takes_too_long_and_says_what_it_was_doing(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STUCK.format(how=how)],
        cwd=PROJECT,
        env={**os.environ, "REDIS_URL": "redis://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "worker.drain_took_too_long" in done.stderr
    assert "what it was doing" in done.stderr


async def test_a_standing_task_that_loses_its_cancellation_does_not_keep_the_worker(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As libraries do now and then: the worker waited for ever for such a task to end."""
    beating, lost = asyncio.Event(), asyncio.Event()

    async def loses_one(*_: object, **__: object) -> None:
        beating.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        lost.set()

    monkeypatch.setattr(
        runtime, "get_settings", lambda: Settings(database_url=database_url, redis_url=redis_url)
    )
    monkeypatch.setattr(runtime, "beat", loses_one)
    async with asyncio.timeout(30), runtime.bulk_work():
        await beating.wait()
    assert lost.is_set()
