"""From a worker's SIGKILL, with slots free, to the next new POST: by a survivor, and by its successor."""

import asyncio
import time
from datetime import datetime
from typing import Final
from uuid import UUID

from tests.bench.measuring import Figures, figures, median, percentile
from tests.faults.harness import World
from tests.faults.opening import Wishes, open_world
from tests.faults.processes import until

KILLS: Final = 12
"""Of each kind."""
PEOPLE: Final = 6_000
GOAL_SECONDS: Final = 5.0
_EVERY_MS: Final = 100
"""One call is due each tenth of a second, so that an idle moment is a dead dialer's."""


def run() -> Figures:
    """Kill both ways; return the successor's 95th percentile, which is the longer, beside the survivor's."""
    survivor, successor = asyncio.run(_measured())
    worst = max(percentile(survivor, 95), percentile(successor, 95))
    return figures(
        "recovery",
        ratio=percentile(successor, 95) / percentile(survivor, 95),
        product=percentile(successor, 95),
        yardstick=percentile(survivor, 95),
        unit="s, p95",
        goal=f"SIGKILL -> next new POST p95 <= {GOAL_SECONDS:g} s, by a process begun again (yardstick: by a survivor)",
        met=worst <= GOAL_SECONDS,
        median_s=[round(median(successor), 2), round(median(survivor), 2)],
        worst_s=[round(max(successor), 2), round(max(survivor), 2)],
        kills=len(survivor) + len(successor),
    )


async def _measured() -> tuple[list[float], list[float]]:
    async with open_world(Wishes(speed=50.0, durable=True)) as world:
        await world.set_mix(busy=1)
        await world.start_campaign(
            PEOPLE,
            concurrent_limit=1000,
            max_attempts=1,
            throttle_delay_ms=_EVERY_MS,
            rate_limit_per_minute=10_000,
        )
        await world.start_workers(2)
        survivor = [await _killed(world, kill=number % 2, keep=True) for number in range(KILLS)]
        world.workers[1].kill()
        successor = [await _killed(world, kill=0, keep=False) for _ in range(KILLS)]
        return survivor, successor


async def _killed(world: World, *, kill: int, keep: bool) -> float:
    """Kill a worker while it dials; return the seconds to the next call reserved after that. It is begun again."""
    await _reserved_after(world, time.time())
    worker = world.workers[kill]
    worker.kill()
    killed = time.time()
    if not keep:
        worker.start(cold=True)  # as the supervisor does
    attempt_id = await _reserved_after(world, killed)
    accepted = await _accepted(world, attempt_id)
    if keep:
        worker.start()
        await worker.ready()
    return accepted - killed


async def _reserved_after(world: World, moment: float) -> UUID:
    """Wait for an attempt reserved after that moment; return the first that the carrier has."""
    found: list[UUID] = []

    async def is_there() -> bool:
        rows = await world.rows(
            "SELECT id FROM attempt WHERE reserved_at > to_timestamp(:moment) AND provider_id IS NOT NULL"
            " ORDER BY reserved_at LIMIT 1",
            moment=moment,
        )
        found[:] = [row["id"] for row in rows]
        return bool(found)

    await until(is_there, seconds=60, what="another call")
    return found[0]


async def _accepted(world: World, attempt_id: UUID) -> float:
    entry = next(
        entry for entry in await world.ledger() if str(attempt_id) in entry["parameters"]["StatusCallback"]
    )
    return datetime.fromisoformat(str(entry["accepted_at"])).timestamp()
