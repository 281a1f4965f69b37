"""From the commit of a start to the first POST's arrival at the carrier."""

import asyncio
import time
from datetime import datetime
from typing import Any, Final

from app.services.campaigns.lifecycle import start_campaign
from tests.bench.measuring import Figures, figures, median, percentile
from tests.faults.harness import World
from tests.faults.opening import Wishes, open_world
from tests.faults.processes import until

STARTS: Final = 40
GOAL_MS: Final = 200.0


def run() -> Figures:
    """Return the 95th percentile of the waits, beside that of a bare request to the same carrier."""
    waits, bare = asyncio.run(_measured())
    product = percentile(waits, 95)
    return figures(
        "start",
        ratio=product / percentile(bare, 95),
        product=product,
        yardstick=percentile(bare, 95),
        unit="ms, p95",
        goal=f"commit of the start -> first POST p95 <= {GOAL_MS:g} ms (yardstick: a bare request to the carrier)",
        met=product <= GOAL_MS,
        median_ms=round(median(waits), 1),
        worst_ms=round(max(waits), 1),
        starts=len(waits),
    )


async def _measured() -> tuple[list[float], list[float]]:
    async with open_world(Wishes(speed=200.0, durable=True)) as world:
        await world.set_mix(busy=1)
        await world.start_workers(1)
        waits, bare = [], []
        for _ in range(STARTS):
            waits.append(await _wait_of_one(world))
            began = time.perf_counter()
            (await world.http.get("/_simulator/health")).raise_for_status()
            bare.append((time.perf_counter() - began) * 1000)
        return waits, bare


async def _wait_of_one(world: World) -> float:
    """Start a campaign to one person; return the milliseconds until the carrier had the call."""
    before = len(await world.ledger())
    campaign_id = await world.draft_campaign(1, max_attempts=1)
    async with world.context.database.transaction() as session:
        await start_campaign(
            session,
            principal=world.principal,
            campaign_ref=campaign_id,
            carrier=world.carrier_identity,
            now=world.context.clock.now(),
        )
        await session.commit()
        committed = time.time()
    ledger: list[dict[str, Any]] = []

    async def is_there() -> bool:
        ledger[:] = (await world.ledger())[before:]
        return bool(ledger)

    await until(is_there, seconds=30, what="the first call")
    return (datetime.fromisoformat(str(ledger[0]["accepted_at"])).timestamp() - committed) * 1000
