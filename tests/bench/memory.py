"""Resident memory of a real dial worker, and its growth over a hundred thousand attempts."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from sqlalchemy import text

from app.installation.frontend_build import PROJECT
from app.installation.process_commands import worker_launch
from app.runtime.database import Database
from tests.bench.dial import stub
from tests.bench.measuring import Figures, figures, median
from tests.bench.staging import NO_LIMITS, SID, database_at, durable_postgres, stage_of
from tests.support.servers import running_valkey
from tests.support.waiting import until

ATTEMPTS: Final = 100_000
WARM: Final = 10_000
"""Attempts after which caches and pools are as large as they get."""
MOST_MB: Final = 150.0
MOST_GROWTH_MB: Final = 4.0
"""What an allocator's rounding may make of no growth at all."""
_SAMPLE_SECONDS: Final = 0.5
_STALLED_SECONDS: Final = 60.0


def run() -> Figures:
    """Dial a hundred thousand people by one worker; return the most it held beside what it held at first."""
    with durable_postgres() as database_url, _valkey() as redis_url, stub() as carrier_url:
        samples = asyncio.run(_samples(database_url, redis_url, carrier_url))
    warm = [megabytes for done, megabytes in samples if WARM <= done < 2 * WARM]
    end = [megabytes for done, megabytes in samples if done >= ATTEMPTS - WARM]
    most, growth = max(megabytes for _, megabytes in samples), median(end) - median(warm)
    return figures(
        "memory",
        ratio=median(end) / median(warm),
        product=most,
        yardstick=samples[0][1],
        unit="MB",
        goal=f"RSS <= {MOST_MB:g} MB, growth over {ATTEMPTS:,} attempts <= {MOST_GROWTH_MB:g} MB (yardstick: idle)",
        met=most <= MOST_MB and growth <= MOST_GROWTH_MB,
        growth_mb=round(growth, 1),
        attempts=samples[-1][0],
    )


@contextmanager
def _valkey() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="callsheet-bench-") as folder,
        running_valkey(Path(folder)) as url,
    ):
        yield url


async def _samples(database_url: str, redis_url: str, carrier_url: str) -> list[tuple[int, float]]:
    """Return pairs of attempts made and megabytes held, the first while nothing is to do."""
    async with database_at(database_url) as database:
        await stage_of(database, ATTEMPTS, **NO_LIMITS)
        await _set(
            database,
            "UPDATE carrier_account SET account_sid = :sid, api_url = :url",
            sid=SID,
            url=carrier_url,
        )
        await _set(database, "UPDATE campaign SET status = 'paused'")
        with _worker(database_url, redis_url, carrier_url) as process:
            await until(lambda: _beats(database), seconds=60)
            samples = [(0, _megabytes(process))]
            await _set(database, "UPDATE campaign SET status = 'running'")
            await _dial(database, process, samples)
    return samples


@contextmanager
def _worker(database_url: str, redis_url: str, carrier_url: str) -> Iterator[psutil.Process]:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": "0" * 32,
        "TWILIO_API_URL": carrier_url,
        "CALLSHEET_SECRET": "s" * 32,
        "CALLSHEET_PUBLIC_URL": "https://calls.example.com",
        "CALLSHEET_CARRIER_SIMULATED": "true",
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            worker_launch("dial").command, env=environment, cwd=PROJECT, stdout=log, stderr=log
        )
        try:
            yield psutil.Process(process.pid)
        finally:
            process.kill()
            process.wait()


async def _dial(database: Database, process: psutil.Process, samples: list[tuple[int, float]]) -> None:
    """End the calls that were placed, and look at the worker, until everyone was called."""
    stalled = 0.0
    while samples[-1][0] < ATTEMPTS:
        ended = await _set(database, _END)
        samples.append((samples[-1][0] + ended, _megabytes(process)))
        stalled = 0.0 if ended else stalled + _SAMPLE_SECONDS
        assert stalled < _STALLED_SECONDS, f"the worker stopped after {samples[-1][0]} attempts"
        await asyncio.sleep(_SAMPLE_SECONDS)


_END: Final = """
    WITH ended AS (
        UPDATE attempt SET status = 'completed', disposition = 'answered', deadline_at = NULL, price = 0,
                           ended_at = now()
        WHERE status = 'queued' RETURNING recipient_id
    )
    UPDATE recipient SET status = 'completed' FROM ended WHERE recipient.id = ended.recipient_id
    """


async def _set(database: Database, statement: str, **given: object) -> int:
    async with database.transaction() as session:
        connection = await session.connection()
        return (await connection.execute(text(statement), given)).rowcount


async def _beats(database: Database) -> bool:
    async with database.session() as session:
        return bool((await session.execute(text("SELECT count(*) FROM worker_heartbeat"))).scalar_one())


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6
