"""From the end of a call at the carrier to the next POST's arrival there: one slot, so that each end frees one turn."""

import asyncio
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from tests.bench.measuring import Figures, figures, median, percentile
from tests.faults.opening import Wishes, open_world

PEOPLE: Final = 120
WORKERS: Final = 2
GOAL_MS: Final = 100.0
BARE_TURNS: Final = 60


def run() -> Figures:
    """Return the 95th percentile of the gaps, beside that of a bare request to the same carrier."""
    gaps, bare = asyncio.run(_measured())
    product = percentile(gaps, 95)
    return figures(
        "refill",
        ratio=product / percentile(bare, 95),
        product=product,
        yardstick=percentile(bare, 95),
        unit="ms, p95",
        goal=f"terminal webhook -> next POST p95 <= {GOAL_MS:g} ms (yardstick: a bare request to the carrier)",
        met=product <= GOAL_MS,
        median_ms=round(median(gaps), 1),
        worst_ms=round(max(gaps), 1),
        refills=len(gaps),
    )


async def _measured() -> tuple[list[float], list[float]]:
    async with open_world(Wishes(speed=60.0, durable=True)) as world:
        await world.set_mix(answers_confirms=1)
        await world.start_workers(WORKERS)
        campaign_id = await world.start_campaign(PEOPLE, concurrent_limit=1, max_attempts=1)
        bare = []
        for _ in range(BARE_TURNS):
            began = asyncio.get_running_loop().time()
            (await world.http.get("/_simulator/health")).raise_for_status()
            bare.append((asyncio.get_running_loop().time() - began) * 1000)
            await asyncio.sleep(0.2)
        await world.completed(campaign_id, seconds=200)
        ledger = await world.ledger()
    calls = sorted((_at(entry, "accepted_at"), _at(entry, "ended_at")) for entry in ledger)
    return [(after[0] - before[1]) * 1000 for before, after in pairwise(calls)], bare


def _at(entry: dict[str, Any], name: str) -> float:
    return datetime.fromisoformat(str(entry[name])).timestamp()
