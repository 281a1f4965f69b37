"""Rates through three worker processes: never over, by reservations and by the carrier's ledger, and fully used."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.domain.pacing import GUARD, LONGEST_GUARD
from tests.bench.measuring import Figures, figures
from tests.faults.harness import World
from tests.faults.opening import Wishes, open_world

WORKERS: Final = 3
GOAL: Final = 0.97
PER_SECOND: Final = 20
PER_MINUTE: Final = 300
_UNBOUND: Final = 1000


@dataclass(frozen=True, slots=True)
class Paced:
    """How one rate was kept."""

    limit: int
    window: float
    """Seconds."""
    used: float
    """Part of the allowed rate."""
    over_by_reservations: int
    """Reservations that were one too many in the window that ends with them."""
    over_by_departures: int
    """The same of requests, by when each left us, beyond what the guard margin forgives."""
    over_by_ledger: int
    """The same of calls, by the carrier's clock: how unevenly late they arrived there adds to it."""
    closest_ms: float
    """By how much two calls that must be a window apart were further apart at the carrier; negative: nearer."""


def run() -> Figures:
    """Keep calls per second of the account, then calls per minute of a campaign; return the worse use."""
    paced = asyncio.run(_paced())
    worst = min(paced.values(), key=lambda each: each.used)
    over = sum(each.over_by_reservations + each.over_by_ledger for each in paced.values())
    return figures(
        "pacing",
        ratio=worst.used,
        product=worst.used * worst.limit,
        yardstick=worst.limit,
        unit=f"calls in {worst.window:g} s",
        goal=f"0 over, >= {GOAL} of the allowed rate used, by {WORKERS} workers",
        met=over == 0 and worst.used >= GOAL,
        over=over,
        rates={
            name: {
                "used": round(each.used, 4),
                "over_by_reservations": each.over_by_reservations,
                "over_by_departures": each.over_by_departures,
                "over_by_ledger": each.over_by_ledger,
                "closest_ms": round(each.closest_ms, 1),
            }
            for name, each in paced.items()
        },
    )


async def _paced() -> dict[str, Paced]:
    async with open_world(Wishes(speed=200.0, durable=True)) as world:
        await world.set_mix(busy=1)
        await world.start_workers(WORKERS)
        return {
            "per_second": await _per_second(world, seconds=20),
            "per_minute": await _per_minute(world, minutes=2),
        }


async def _per_second(world: World, *, seconds: int) -> Paced:
    await _set_pace(world, PER_SECOND)
    paced = await _run(world, PER_SECOND * (seconds + 1), limit=PER_SECOND, window=1.0)
    await _set_pace(world, _UNBOUND)
    return paced


async def _per_minute(world: World, *, minutes: int) -> Paced:
    limits = {"rate_limit_per_minute": PER_MINUTE}
    return await _run(world, PER_MINUTE * (minutes + 1), limit=PER_MINUTE, window=60.0, **limits)


async def _set_pace(world: World, calls_per_second: int) -> None:
    await world.rows_changed("UPDATE carrier_account SET calls_per_second = :pace", pace=calls_per_second)


async def _run(world: World, people: int, *, limit: int, window: float, **settings: Any) -> Paced:
    """Call so many people under that limit."""
    before = len(await world.ledger())
    changes: dict[str, Any] = {"concurrent_limit": _UNBOUND, "max_attempts": 1, **settings}
    campaign_id = await world.start_campaign(people, **changes)
    await world.completed(campaign_id, seconds=60 + 2 * people / limit * window)
    rows = await world.rows(
        "SELECT reserved_at, placed_at FROM attempt WHERE campaign_id = :id AND placed_at IS NOT NULL",
        id=campaign_id,
    )
    reserved = _seconds([row["reserved_at"] for row in rows])
    ledger = (await world.ledger())[before:]
    accepted = _seconds([datetime.fromisoformat(str(entry["accepted_at"])) for entry in ledger])
    guard = min(window * GUARD, LONGEST_GUARD.total_seconds())
    return Paced(
        limit=limit,
        window=window,
        used=_used(reserved, limit, window),
        over_by_reservations=_over(reserved, limit, window),
        over_by_departures=_over(_seconds([row["placed_at"] for row in rows]), limit, window - guard),
        over_by_ledger=_over(accepted, limit, window - guard),
        closest_ms=1000 * min(late - early - window for early, late in _apart(accepted, limit)),
    )


def _seconds(moments: Sequence[datetime]) -> list[float]:
    return sorted(moment.timestamp() for moment in moments)


def _used(times: Sequence[float], limit: int, window: float) -> float:
    """Return the part of the allowed rate used until the last window began."""
    last = next(at for at in times if at > times[-1] - window / 2)
    return sum(at < last for at in times) / (limit * (last - times[0]) / window)


def _over(times: Sequence[float], limit: int, window: float) -> int:
    """Return how many came while `limit` others of the half-open window before them already had."""
    return sum(late - early < window for early, late in _apart(times, limit))


def _apart(times: Sequence[float], limit: int) -> list[tuple[float, float]]:
    """Return the pairs that must be a window apart."""
    return list(zip(times, times[limit:], strict=False))
