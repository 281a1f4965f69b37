"""Durable dials per second beside a bare aiohttp loop at the same concurrency, both posting to one fixed stub."""

import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
import uvloop
from pydantic import SecretStr
from sqlalchemy import text

from app.clock import SystemClock
from app.db import Database
from app.local import EmbeddedPostgres
from app.migrations import upgrade
from app.providers.base import CarrierAccount
from app.providers.registry import make_carrier
from tests.support.servers import temporary_home
from tests.support.stage import set_stage
from tests.support.waiting import until
from worker.dialer import Dialer

CONCURRENCY: Final = 50
CONTACTS: Final = 1_500
ROUNDS: Final = 5
GOAL: Final = 0.30
SID: Final = "AC" + "0" * 32


@dataclass(frozen=True, slots=True)
class Round:
    """One interleaved pair of measurements, in dials per second."""

    product: float
    yardstick: float


def run() -> dict[str, object]:
    """Measure, and return the figures `callsheet bench dial` prints."""
    with temporary_home() as home, stub() as url:
        postgres = EmbeddedPostgres(home, durable=True)
        try:
            database_url = postgres.start()
            upgrade(database_url)
            rounds, commits = uvloop.run(_rounds(database_url, url))  # as the worker does
        finally:
            postgres.purge()
    return {
        "name": "dial",
        "ratio": round(statistics.median(each.product / each.yardstick for each in rounds), 3),
        "product": round(statistics.median(each.product for each in rounds), 1),
        "yardstick": round(statistics.median(each.yardstick for each in rounds), 1),
        "unit": "dials/s",
        "goal": GOAL,
        "commits_per_dial": round(commits, 3),
        "rounds": [[round(each.product, 1), round(each.yardstick, 1)] for each in rounds],
    }


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


async def _rounds(database_url: str, url: str) -> tuple[list[Round], float]:
    database = Database(database_url, pool_size=10, ping=False)
    commits: list[float] = []
    rounds = []
    try:
        for _ in range(ROUNDS + 1):
            yardstick = await bare(url)
            product, commits_per_dial = await dialed(database, url)
            commits.append(commits_per_dial)
            rounds.append(Round(product, yardstick))
    finally:
        await database.dispose()
    return rounds[1:], statistics.median(commits)


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

    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector, auth=aiohttp.BasicAuth(SID, "token")) as session:
        began = time.perf_counter()
        await asyncio.gather(*(loop(session) for _ in range(CONCURRENCY)))
        return CONTACTS / (time.perf_counter() - began)


async def dialed(database: Database, url: str) -> tuple[float, float]:
    """Return dials a second of a campaign without limits, each reserved and recorded durably, and commits per dial."""
    await _empty(database)
    stage = await set_stage(
        database, contacts=CONTACTS, rate_limit_per_minute=0, concurrent_limit=100_000,
        organization={"outbound_limit": 1_000_000},
    )  # fmt: skip
    async with database.transaction() as session:
        await session.execute(text("UPDATE carrier_account SET calls_per_second = 1000000"))
        await session.execute(text("UPDATE recipient SET not_before = '2020-01-01+00'"))
    async with database.session() as session:
        await (await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})).execute(
            text("ANALYZE")
        )
    account = CarrierAccount(
        account_sid=SID, auth_token=SecretStr("token"), api_url=url, public_url=url,
        callback_secret=SecretStr("secret"), simulated=True,
    )  # fmt: skip
    dialer = Dialer(
        database=database, feed=None, carrier=make_carrier("twilio", account), clock=SystemClock(), worker="bench",
        carrier_account_id=stage.account.id, most_in_flight=CONCURRENCY,
    )  # fmt: skip
    before, began = await _commits(database), time.perf_counter()
    task = asyncio.create_task(dialer.run())
    await until(lambda: _all_placed(database), seconds=300)
    seconds = time.perf_counter() - began
    dialer.stop()
    await task
    await dialer.carrier.aclose()
    return CONTACTS / seconds, (await _commits(database) - before) / CONTACTS


async def _empty(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE organization, carrier_account, app_user CASCADE"))


async def _all_placed(database: Database) -> bool:
    async with database.session() as session:
        placed = await session.execute(text("SELECT count(*) FROM attempt WHERE provider_id IS NOT NULL"))
        return int(placed.scalar_one()) == CONTACTS


async def _commits(database: Database) -> int:
    """Return the transactions that wrote: each has an id of its own."""
    async with database.session() as session:
        current = await session.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))
        return int(current.scalar_one())
