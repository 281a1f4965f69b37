"""F14: ten operators click at once, while dialing goes on."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from app.services.campaigns.lifecycle import (
    cancel_campaign,
    pause_campaign,
    resume_campaign,
    retry_failed,
)
from app.services.campaigns.operations import duplicate_campaign, update_campaign
from app.services.errors import Conflict, FieldErrors, NotFound
from tests.faults.evidence import gather
from tests.faults.harness import World
from tests.faults.invariants.limits import AFTER_STOP, halts_of
from tests.faults.menu.base import Outcome, p95, patience
from tests.faults.processes import until

_CLICKS: Final = ("pause", "pause", "resume", "resume", "edit", "duplicate", "retry_failed", "cancel")
_AT_ONCE: Final = 8
"""Sequences under way together, each on a campaign of its own."""
_PEOPLE: Final = 8
"""Of each campaign."""
_EXPECTED: Final = (Conflict, FieldErrors, NotFound)
"""How an operator is told that the campaign is not what they took it for."""


async def operator_races(world: World, outcome: Outcome, *, sequences: int = 12, seed: int = 1) -> None:
    """F14: random sequences of clicks from several sessions, concurrently, each campaign dialing meanwhile."""
    await world.start_workers(2)
    chance = random.Random(seed)
    left = [random.Random(chance.random()) for _ in range(sequences)]
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(own: random.Random) -> None:
        async with slots:
            await _race(world, outcome, own)

    await asyncio.gather(*(one(own) for own in left))
    outcome.count("sequences", sequences)
    outcome.contacts = sequences * _PEOPLE
    await _all_over(world, outcome)
    await _silence_after_pauses(world, outcome)


async def _race(world: World, outcome: Outcome, chance: random.Random) -> None:
    campaign_id = await world.start_campaign(_PEOPLE, concurrent_limit=4)
    sessions = (_click_away(world, outcome, campaign_id, random.Random(chance.random())) for _ in range(3))
    await asyncio.gather(*sessions)
    # Whatever they made of it, it goes on to its end.
    await _click(world, outcome, campaign_id, "resume")


async def _click_away(world: World, outcome: Outcome, campaign_id: int, chance: random.Random) -> None:
    for _ in range(chance.randint(2, 4)):
        await asyncio.sleep(chance.uniform(0, 0.6))
        await _click(world, outcome, campaign_id, chance.choice(_CLICKS))


async def _click(world: World, outcome: Outcome, campaign_id: int, what: str) -> None:
    try:
        async with world.context.database.transaction() as session:
            await _acts(world)[what](
                session,
                principal=world.principal,
                campaign_ref=campaign_id,
                now=world.context.clock.now(),
                **_EXTRA.get(what, {}),
                **({"carrier": world.carrier_identity} if what in {"resume", "retry_failed"} else {}),
            )
        outcome.count(what)
        if what in {"pause", "cancel"}:
            world.stops[campaign_id].append(world.context.clock.now())
    except _EXPECTED:
        outcome.count("refused")
    except Exception as error:  # noqa: BLE001 - whatever else it is, an operator must not see it
        outcome.violations.append(f"F14: {what} failed with {type(error).__name__}: {error}")


def _acts(_: World) -> dict[str, Callable[..., Awaitable[Any]]]:
    return {
        "pause": pause_campaign,
        "resume": resume_campaign,
        "cancel": cancel_campaign,
        "retry_failed": retry_failed,
        "duplicate": duplicate_campaign,
        "edit": update_campaign,
    }


_EXTRA: Final[dict[str, dict[str, Any]]] = {"edit": {"changes": {"rate_limit_per_minute": 9_000}}}


async def _all_over(world: World, outcome: Outcome) -> None:
    async def over() -> bool:
        rows = await world.rows(
            "SELECT count(*) AS n FROM campaign WHERE status IN ('queued', 'running')"
            " OR status = 'cancelled' AND EXISTS (SELECT 1 FROM recipient r WHERE r.campaign_id = campaign.id"
            "                                     AND r.status = 'in_progress')"
        )
        return bool(rows[0]["n"] == 0)

    await until(over, seconds=patience(outcome), what="all campaigns to end", poll=0.3)
    await world.quiet()


async def _silence_after_pauses(world: World, outcome: Outcome) -> None:
    """Measure by the carrier's ledger how long after a pause or cancel its last call was still accepted."""
    evidence = await gather(world)
    halts, late = halts_of(evidence), []
    for entry in evidence.sent:
        attempt = evidence.attempts.get(entry["attempt_id"])
        for since, until_ in halts.get(attempt["campaign_id"], ()) if attempt else ():
            if since < entry["accepted_at"] < until_ and entry["accepted_at"] - since < timedelta(minutes=1):
                late.append((entry["accepted_at"] - since).total_seconds())
    most = max(late, default=0.0)
    goal = AFTER_STOP.total_seconds()
    outcome.measured["pause to last call"] = f"at most {most:.2f} s, p95 {p95(late):.2f} s (goal {goal:g})"
