"""F5 and F6: Valkey and PostgreSQL are taken away."""

import asyncio
import signal
import time
from contextlib import suppress
from typing import Final

import psutil
from redis.asyncio import Redis

from tests.faults.harness import World
from tests.faults.menu.base import Outcome, patience, wait_for_share
from tests.faults.processes import until

FREEZE_SECONDS: Final = 5.0
_SOON: Final = 5.0


async def lose_valkey(world: World, outcome: Outcome, *, times: int = 1) -> None:
    """F5: everything in Valkey is flushed; it is frozen; it is killed, stays away, and comes back empty."""
    workers = await world.start_workers(2)
    campaign_id = await world.start_campaign(outcome.contacts)
    for _ in range(times):
        client: Redis = Redis.from_url(str(world.settings.redis_url))
        await client.flushall()
        await client.aclose()
        await _dials_on(world, outcome, "flushed")
        assert world.valkey.process is not None
        world.valkey.process.send_signal(signal.SIGSTOP)
        await _dials_on(world, outcome, "frozen")
        world.valkey.process.kill()
        await asyncio.to_thread(world.valkey.process.wait)
        await _dials_on(world, outcome, "away")
        world.valkey.stop()
        world.valkey.start()
    for worker in workers:
        if not worker.alive:
            outcome.violations.append(f"F5: {worker.name} ended because Valkey was away")
    await world.completed(campaign_id, seconds=patience(outcome))


async def _dials_on(world: World, outcome: Outcome, what: str) -> None:
    """Wait until calls were made since now; there must be some within 5 s unless nobody is left to call."""
    outcome.count(what)
    before = len(await world.ledger())

    async def made_some() -> bool:
        open_rows = await world.rows("SELECT 1 FROM recipient WHERE status = 'pending' LIMIT 1")
        return len(await world.ledger()) > before + 3 or not open_rows

    began = time.monotonic()
    with suppress(AssertionError):
        await until(made_some, seconds=20, what="calls", poll=0.1)
    if (took := time.monotonic() - began) > _SOON:
        outcome.violations.append(f"F5: no calls for {took:.1f} s with Valkey {what}")


async def lose_postgres(world: World, outcome: Outcome, *, times: int = 1) -> None:
    """F6: PostgreSQL is killed and restarted, cuts every session off, and freezes. Needs a durable one."""
    workers = await world.start_workers(2)
    campaign_id = await world.start_campaign(outcome.contacts)
    faults = {"restarted": _restart, "cut off": _cut_off, "frozen": _freeze}
    for turn in range(times):
        for step, (what, fault) in enumerate(faults.items()):
            share = 0.9 * (turn + (step + 1) / 4) / times
            await wait_for_share(world, campaign_id, share, seconds=patience(outcome))
            await fault(world)
            outcome.count(what)
    for worker in workers:
        if not worker.alive:
            outcome.violations.append(f"F6: {worker.name} ended because PostgreSQL was away")
    await world.completed(campaign_id, seconds=patience(outcome))


async def _restart(world: World) -> None:
    """As `pg_ctl restart -m immediate`: no checkpoint, crash recovery at the next start."""
    assert world.postgres.process is not None
    world.postgres.process.send_signal(signal.SIGQUIT)
    await asyncio.to_thread(world.postgres.process.wait)
    world.postgres.stop()
    world.postgres.start()
    await world.context.database.dispose()


async def _cut_off(world: World) -> None:
    await world.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    await world.context.database.dispose()


async def _freeze(world: World) -> None:
    assert world.postgres.process is not None
    postmaster = psutil.Process(world.postgres.process.pid)
    postmaster.suspend()
    frozen = [postmaster, *postmaster.children(recursive=True)]
    for process in frozen[1:]:
        process.suspend()
    await asyncio.sleep(FREEZE_SECONDS)
    for process in reversed(frozen):
        with suppress(psutil.NoSuchProcess):
            process.resume()
