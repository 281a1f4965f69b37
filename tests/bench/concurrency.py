"""How full the slots are while people wait: open calls, by the carrier's ledger, beside the limit."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from tests.bench.measuring import Figures, figures
from tests.faults.opening import Wishes, open_world

LIMIT: Final = 20
PEOPLE: Final = 260
SPEED: Final = 8.0
"""Calls of about half a minute last some four real seconds."""
WORKERS: Final = 2
GOAL: Final = 0.98

Entry = dict[str, Any]


def run() -> Figures:
    """Call everyone at most twenty at once; return how much of the twenty was used while there was a backlog."""
    ledger = asyncio.run(_ledger())
    calls = [(_at(entry, "accepted_at"), _at(entry, "ended_at")) for entry in ledger]
    used, most = _use(calls)
    return figures(
        "concurrency",
        ratio=used / LIMIT,
        product=used,
        yardstick=LIMIT,
        unit="slots used",
        goal=f">= {GOAL} of the limit while a backlog exists, 0 over",
        met=used / LIMIT >= GOAL and most <= LIMIT,
        most_at_once=most,
        calls=len(calls),
        mean_call_seconds=round(sum(end - begin for begin, end in calls) / len(calls), 2),
    )


async def _ledger() -> list[Entry]:
    async with open_world(Wishes(speed=SPEED, durable=True)) as world:
        await world.set_mix(answers_confirms=1)
        await world.start_workers(WORKERS)
        campaign_id = await world.start_campaign(PEOPLE, concurrent_limit=LIMIT, max_attempts=1)
        await world.completed(campaign_id, seconds=300)
        return await world.ledger()


def _at(entry: Entry, name: str) -> float:
    return datetime.fromisoformat(str(entry[name])).timestamp()


def _use(calls: Sequence[tuple[float, float]]) -> tuple[float, int]:
    """Return the mean of open calls from when all slots were first full until the last person's turn, and the most."""
    changes = sorted([(begin, 1) for begin, _ in calls] + [(end, -1) for _, end in calls])
    full, last = sorted(begin for begin, _ in calls)[LIMIT - 1], max(begin for begin, _ in calls)
    count = most = 0
    slot_seconds = 0.0
    for (at, step), (following, _) in pairwise(changes):
        count += step
        most = max(most, count)
        slot_seconds += count * max(0.0, min(following, last) - max(at, full))
    return slot_seconds / (last - full), most
