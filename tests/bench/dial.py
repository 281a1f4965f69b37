"""Durable dials per second beside a bare aiohttp loop over as many connections, both posting to one fixed stub."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import aiohttp
import uvloop
from sqlalchemy import text

from app.runtime.database import Database
from tests.bench.measuring import Figures, figures, median
from tests.bench.staging import (
    NO_LIMITS,
    SID,
    carrier_at,
    database_at,
    dialer_of,
    durable_postgres,
    empty,
    stage_of,
)
from worker.gc_tuning import tune_garbage_collector
from worker.runtime import dialing_database

CONNECTIONS: Final = 50
CONTACTS: Final = 3_000
ROUNDS: Final = 5
GOAL: Final = 0.30
COMMITS_GOAL: Final = 0.5
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Round:
    """One interleaved pair of measurements, in dials per second; and the commits of each of our dials."""

    product: float
    yardstick: float
    commits: float


def run() -> Figures:
    """Measure, and return the figures `callsheet bench dial` prints."""
    tune_garbage_collector()  # as the worker does; the yardstick gains by it too
    with durable_postgres() as database_url, stub() as url:
        rounds = uvloop.run(_rounds(database_url, url))  # as the worker does
    ratio = median([each.product / each.yardstick for each in rounds])
    commits = median([each.commits for each in rounds])
    return figures(
        "dial",
        ratio=ratio,
        product=median([each.product for each in rounds]),
        yardstick=median([each.yardstick for each in rounds]),
        unit="dials/s",
        goal=f">= {GOAL} of a bare aiohttp loop, <= {COMMITS_GOAL} commits a dial",
        met=ratio >= GOAL and commits <= COMMITS_GOAL,
        commits_per_dial=round(commits, 3),
        rounds=[[round(each.product, 1), round(each.yardstick, 1)] for each in rounds],
    )


@contextmanager
def stub() -> Iterator[str]:
    """A stub in a process of its own; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.stub", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def _rounds(database_url: str, url: str) -> list[Round]:
    rounds = []
    the_dialers = dialing_database(database_url)
    async with database_at(database_url) as database:
        for _ in range(ROUNDS + 1):
            yardstick = await bare(url)
            product, commits = await dialed(database, the_dialers, url)
            rounds.append(Round(product, yardstick, commits))
    await the_dialers.dispose()
    return rounds[1:]  # the first warms everything up


async def bare(url: str) -> float:
    """Return how many POSTs a second a bare aiohttp loop gets through."""
    form = {
        "To": "+12025550100",
        "From": "+12015550123",
        "Url": f"{url}/voice",
        "StatusCallback": f"{url}/status",
    }
    left = iter(range(CONTACTS))
    target = f"{url}/2010-04-01/Accounts/{SID}/Calls.json"

    async def loop(session: aiohttp.ClientSession) -> None:
        for _ in left:
            async with session.post(target, data=form) as response:
                await response.json()

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, auth=aiohttp.BasicAuth(SID, "token")) as session:
        began = time.perf_counter()
        await asyncio.gather(*(loop(session) for _ in range(CONNECTIONS)))
        return CONTACTS / (time.perf_counter() - began)


async def dialed(database: Database, the_dialers: Database, url: str) -> tuple[float, float]:
    """Return dials a second of a campaign without limits, each reserved and recorded durably, and commits per dial.

    `the_dialers`: connections of its own, as the worker gives it.
    """
    await empty(database)
    stage = replace(await stage_of(database, CONTACTS, **NO_LIMITS), database=the_dialers)
    dialer = dialer_of(stage, carrier_at(url, connections=CONNECTIONS))
    before, began = await _commits(database), time.perf_counter()
    task = asyncio.create_task(dialer.run())
    try:
        await _all_placed(database)
        seconds = time.perf_counter() - began
    finally:
        dialer.stop()
        await task
        await dialer.carrier.aclose()
    return CONTACTS / seconds, (await _commits(database) - before) / CONTACTS


_PLACED: Final = text("SELECT count(*) FROM attempt WHERE provider_id IS NOT NULL")


async def _all_placed(database: Database) -> None:
    """Wait until every call is recorded. Asks the less often the longer it will take: it takes time from the dialer."""
    while True:
        async with database.session() as session:
            left = CONTACTS - int((await session.execute(_PLACED)).scalar_one())
        if left == 0:
            return
        await asyncio.sleep(_POLL_SECONDS if left < CONTACTS / 10 else 10 * _POLL_SECONDS)


async def _commits(database: Database) -> int:
    """Return the transactions that wrote: each has an id of its own."""
    async with database.session() as session:
        current = await session.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))
        return int(current.scalar_one())
