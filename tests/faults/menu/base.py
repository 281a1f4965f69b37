"""What every scenario is: something done to a running campaign, after which everything must add up."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tests.faults.checker import violations
from tests.faults.harness import World
from tests.faults.processes import until

REST_FAULTS: Final[Mapping[str, object]] = {
    "too_many_requests": 0.2,
    "error_after_accept": 0.05,
    "error_before_accept": 0.05,
    "drop_after_accept": 0.05,
    "drop_before_accept": 0.02,
    "slow_rest": {"probability": 0.05, "seconds": 0.5},
    "accept_late": {"probability": 0.01, "seconds": 30},
}
CALLBACK_FAULTS: Final[Mapping[str, object]] = {
    "lose_callback": 0.3,
    "duplicate_callback": {"probability": 0.5, "copies": 4},
    "reorder_callback": {"probability": 1.0, "seconds": 20},
    "delay_callback": {"probability": 0.1, "seconds": 400},
}
MIX: Final[Mapping[str, float]] = {
    "answers_confirms": 34,
    "asks_removal": 2,
    "presses_9": 2,
    "hangs_up_early": 2,
    "no_answer": 25,
    "busy": 10,
    "voicemail": 10,
    "rejects": 5,
    "invalid_number": 5,
    "slow": 5,
}
"""The base run's people: 40 % completed, 25 % no answer, 10 % busy, 10 % voicemail, 10 % failed, 5 % slow."""


class NeverHappened(AssertionError):
    """The fault was not really done: the run proves nothing."""


@dataclass
class Outcome:
    """What came of one run."""

    name: str
    contacts: int
    done: dict[str, int] = field(default_factory=dict)
    """Which faults were done how often."""
    measured: dict[str, str] = field(default_factory=dict)
    """What was measured on the way, in words with its unit and, where there is one, its goal."""
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, what: str, times: int = 1) -> None:
        """Note that a fault was done."""
        self.done[what] = self.done.get(what, 0) + times


Scenario = Callable[[World, Outcome], Awaitable[None]]


async def run(world: World, scenario: Scenario, *, name: str, contacts: int) -> Outcome:
    """Do one scenario to a world without workers, and check everything after it."""
    outcome, began = Outcome(name, contacts), time.monotonic()
    await world.set_mix(**MIX)
    try:
        await scenario(world, outcome)
    finally:
        world.stop_workers()
        await world.set_faults()
    outcome.violations += await violations(world)
    outcome.seconds = time.monotonic() - began
    return outcome


def patience(outcome: Outcome) -> float:
    """Return for how many seconds a campaign of that size may go on: two busy cores end ten people a second."""
    return 120.0 + outcome.contacts / 10


async def wait_for_share(world: World, campaign_id: int, share: float, *, seconds: float = 90) -> None:
    """Wait until so much of the campaign is accounted for."""

    async def reached() -> bool:
        return await world.ended_share(campaign_id) >= share

    await until(reached, seconds=seconds, what=f"{share:.0%} of the contacts")


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] if ordered else 0.0


async def gaps_after(world: World, moments: Sequence[datetime]) -> list[float]:
    """Return the seconds from each moment to the carrier's next accepted call; without one it is left out."""
    accepted = sorted(datetime.fromisoformat(entry["accepted_at"]) for entry in await world.ledger())
    gaps = []
    for moment in moments:
        following = next((at for at in accepted if at > moment), None)
        if following is not None:
            gaps.append((following - moment).total_seconds())
    return gaps
