"""The fault menu: each fault is done to a running campaign, and everything must add up afterwards."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from redis.asyncio import Redis

from tests.faults.checker import violations
from tests.faults.harness import Worker, World, until

DIAL_POINTS: Final = (
    "before_reserve",
    "before_reserve_commit",
    "after_reserve_commit",
    "before_post",
    "after_post",
    "before_record_commit",
    "after_record_commit",
    "before_reconcile_commit",
    "before_sweep_commit",
)
WEB_POINTS: Final = ("before_webhook_commit", "after_webhook_commit")
DRAIN_SECONDS: Final = 12.0
STOPPED_SECONDS: Final = 15.0
"""Longer than the engine's guard of 10 s."""

REST_FAULTS: Final[Mapping[str, object]] = {
    "too_many_requests": 0.2,
    "error_after_accept": 0.05,
    "error_before_accept": 0.05,
    "drop_after_accept": 0.05,
    "drop_before_accept": 0.02,
    "slow_rest": {"probability": 0.05, "seconds": 0.5},
}
CALLBACK_FAULTS: Final[Mapping[str, object]] = {
    "lose_callback": 0.3,
    "duplicate_callback": {"probability": 0.5, "copies": 4},
    "reorder_callback": {"probability": 1.0, "seconds": 20},
    "delay_callback": {"probability": 0.1, "seconds": 400},
}


class NeverHappened(AssertionError):
    """The fault was not really done: the run proves nothing."""


@dataclass
class Outcome:
    """What came of one run."""

    name: str
    contacts: int
    done: dict[str, int] = field(default_factory=dict)
    """Which faults were done how often."""
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0


Scenario = Callable[[World, Outcome], Awaitable[None]]


async def run(world: World, scenario: Scenario, *, name: str, contacts: int) -> Outcome:
    """Do one scenario to a world without workers, and check everything after it."""
    outcome, began = Outcome(name, contacts), time.monotonic()
    try:
        await scenario(world, outcome)
    finally:
        world.stop_workers()
        await world.set_faults()
    outcome.violations += await violations(world)
    outcome.seconds = time.monotonic() - began
    return outcome


async def kill_at_every_point(world: World, outcome: Outcome, *, times: int = 1) -> None:
    """F2: SIGKILL at every named point of the dial path, and at those of the webhooks."""
    steady, victim = (await world.start_workers(2))[:2]
    victim.kill()
    steady.kill()
    await world.set_faults(error_after_accept=0.1, lose_callback=0.1, drop_before_accept=0.05)
    campaign_id = await world.start_campaign(outcome.contacts)
    for turn in range(1, times + 1):
        for point in DIAL_POINTS:
            await _die_at(world, victim, point, turn)
            outcome.done[point] = outcome.done.get(point, 0) + 1
    await world.start_workers(2)
    for point in WEB_POINTS * times:
        await _web_dies_at(world, point)
        outcome.done[point] = outcome.done.get(point, 0) + 1
    await world.set_faults()
    await world.completed(campaign_id)


async def _die_at(world: World, victim: Worker, point: str, turn: int) -> None:
    victim.start(fault=f"{point}:{turn}")
    status = await victim.ended(seconds=60)
    if status != -signal.SIGKILL:
        raise NeverHappened(f"{victim.name} ended with {status} instead of being killed at {point}")


async def _web_dies_at(world: World, point: str) -> None:
    world.web.kill()
    world.web.start(fault=f"{point}:2")
    await world.web.ended(seconds=60)
    world.web.kill()
    world.web.start()
    await world.web.ready()


async def kill_at_random(world: World, outcome: Outcome, *, kills: int = 8, seed: int = 1) -> None:
    """F1: SIGKILL random workers at random instants, each started again at once."""
    chance = random.Random(seed)
    workers = await world.start_workers(2)
    campaign_id = await world.start_campaign(outcome.contacts)
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.1, 2.0))
        victim = chance.choice(workers)
        victim.kill()
        victim.start()
    outcome.done["SIGKILL"] = kills
    await world.completed(campaign_id)


async def drain(world: World, outcome: Outcome, *, times: int = 3) -> None:
    """F3: SIGTERM: nothing becomes unproven, and the worker ends in time."""
    (worker,) = await world.start_workers(1)
    await world.set_faults(slow_rest={"probability": 0.5, "seconds": 0.5})
    campaign_id = await world.start_campaign(outcome.contacts)
    for turn in range(times):
        await _wait_for_share(world, campaign_id, (turn + 1) / (times + 2))
        worker.send(signal.SIGTERM)
        began = time.monotonic()
        await worker.ended(seconds=30)
        if time.monotonic() - began > DRAIN_SECONDS:
            outcome.violations.append(f"F3: the worker took {time.monotonic() - began:.1f} s to end")
        left = await world.rows("SELECT count(*) AS n FROM attempt WHERE status IN ('placing', 'unknown')")
        if left[0]["n"]:
            outcome.violations.append(f"F3: {left[0]['n']} attempts were left unproven")
        worker.start()
        await worker.ready()
    outcome.done["SIGTERM"] = times
    await world.completed(campaign_id)


async def suspend(world: World, outcome: Outcome, *, times: int = 1) -> None:
    """F4: a worker is stopped for longer than it may take to place, while another goes on, and wakes as a zombie."""
    sleeper, _ = await world.start_workers(2)
    campaign_id = await world.start_campaign(outcome.contacts)
    for _ in range(times):
        await _wait_for_share(world, campaign_id, 0.1)
        sleeper.send(signal.SIGSTOP)
        await asyncio.sleep(STOPPED_SECONDS)
        sleeper.send(signal.SIGCONT)
    outcome.done["SIGSTOP"] = times
    await world.completed(campaign_id)


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
    await world.completed(campaign_id)


async def _dials_on(world: World, outcome: Outcome, what: str) -> None:
    """Wait until calls were made since now; there must be some within 5 s unless nobody is left to call."""
    outcome.done[what] = outcome.done.get(what, 0) + 1
    before = len(await world.ledger())

    async def made_some() -> bool:
        open_rows = await world.rows("SELECT 1 FROM recipient WHERE status = 'pending' LIMIT 1")
        return len(await world.ledger()) > before + 3 or not open_rows

    began = time.monotonic()
    with suppress(AssertionError):
        await until(made_some, seconds=20, what="calls")
    if (took := time.monotonic() - began) > 5:
        outcome.violations.append(f"F5: no calls for {took:.1f} s with Valkey {what}")


async def ambiguous_carrier(world: World, outcome: Outcome) -> None:
    """F8: the carrier turns away, fails before and after it accepted, cuts connections, and answers late."""
    await world.start_workers(2)
    await world.set_faults(**REST_FAULTS)
    campaign_id = await world.start_campaign(outcome.contacts)
    await world.completed(campaign_id)
    outcome.done = await world.struck()


async def bad_callbacks(world: World, outcome: Outcome) -> None:
    """F10: callbacks are lost, doubled, reordered and late."""
    await world.start_workers(2)
    await world.set_faults(**CALLBACK_FAULTS)
    campaign_id = await world.start_campaign(outcome.contacts)
    await world.completed(campaign_id)
    outcome.done = await world.struck()
    await asyncio.sleep(3)  # the latest callbacks come after the end
    await world.quiet()


async def _wait_for_share(world: World, campaign_id: int, share: float) -> None:
    async def reached() -> bool:
        return await world.ended_share(campaign_id) >= share

    await until(reached, seconds=90, what=f"{share:.0%} of the contacts")
