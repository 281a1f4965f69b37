"""F1 to F4: a worker is killed, killed at every step, drained, and suspended."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final

from app.runtime.tasks import end_tasks
from app.services.errors import Conflict
from tests.faults.harness import World
from tests.faults.menu.base import NeverHappened, Outcome, gaps_after, p95, patience, wait_for_share
from tests.faults.points import dial_points, web_points
from tests.faults.processes import Process, TookTooLong

DRAIN_SECONDS: Final = 12.0
RECOVERY_SECONDS: Final = 5.0
STOPPED_SECONDS: Final = 15.0
"""Longer than the engine's guard of 10 s."""
_MANY: Final = 200
"""Slots of a campaign that is killed often: what a dead worker reserved holds its slot for 20 s."""
_PER_SECOND: Final = 20
"""Reservations a second while each start is a kill: what every one leaves behind must be looked up."""
_REACHED_WITHIN: Final = 90.0
_BOTH_EVERY: Final = 5
_COLD_EVERY: Final = 20


async def kill_at_random(
    world: World, outcome: Outcome, *, kills: int = 8, texts: int = 1, seed: int = 1, timed: bool = False
) -> None:
    """F1: SIGKILL random workers at random instants, each started again at once; sometimes both together.

    `texts`: how many campaigns of text messages run beside the calls. `timed`: a slow recovery is a violation too,
    for a machine that has nothing else to do.
    """
    chance = random.Random(seed)
    workers = await world.start_workers(2)
    campaign_id = await world.start_campaign(outcome.contacts, concurrent_limit=_MANY)
    few = max(5, outcome.contacts // 20)
    text_ids = [await world.start_campaign(few, channel="sms") for _ in range(texts)]
    killed_at: list[datetime] = []
    while len(killed_at) < kills:
        share = 0.95 * len(killed_at) / kills
        await wait_for_share(world, campaign_id, share, seconds=patience(outcome))
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        both = len(killed_at) % _BOTH_EVERY == _BOTH_EVERY - 1 and len(killed_at) + 2 <= kills
        victims = workers if both else [chance.choice(workers)]
        killed_at += [world.context.clock.now()] * len(victims)
        for victim in victims:
            victim.kill()
        for victim in victims:
            victim.start(cold=len(killed_at) % _COLD_EVERY == 0)
    outcome.count("SIGKILL", kills)
    await world.completed(campaign_id, *text_ids, seconds=patience(outcome))
    gaps = await gaps_after(world, killed_at)
    outcome.measured["kill to next call, p95"] = f"{p95(gaps):.2f} s (goal {RECOVERY_SECONDS:g})"
    if timed and p95(gaps) > RECOVERY_SECONDS:
        outcome.violations.append(f"F1: from a kill to the next call p95 is {p95(gaps):.1f} s")


async def kill_at_every_point(world: World, outcome: Outcome, *, times: int = 1) -> None:
    """F2: SIGKILL at every named point of the dial path, and at those of the webhooks."""
    (victim,) = await world.start_workers(1)
    victim.kill()
    await world.rows_changed("UPDATE carrier_account SET calls_per_second = :n", n=_PER_SECOND)
    await world.set_faults(error_after_accept=0.1, lose_callback=0.1, drop_before_accept=0.05)
    people = _People(world, outcome.contacts)
    for turn in range(times):
        for point in dial_points():
            await people.are_enough()
            async with _made_likely(world, point):
                await _die_at(victim, point, turn % 3 + 1)
            outcome.count(point)
    await world.start_workers(2)
    for turn in range(times):
        for point in web_points():
            await people.are_enough()
            await _web_dies_at(world, point, turn % 3 + 1)
            outcome.count(point)
    await world.set_faults()
    outcome.contacts = people.called
    await world.completed(*people.campaign_ids, seconds=patience(outcome))
    await world.rows_changed("UPDATE carrier_account SET calls_per_second = 1000")


class _People:
    """Campaigns enough that there is always somebody left to call."""

    def __init__(self, world: World, at_once: int) -> None:
        self._world = world
        self._at_once = at_once
        self.called = 0
        self.campaign_ids: list[int] = []

    async def are_enough(self) -> None:
        """Start another campaign when few are left."""
        waiting = await self._world.rows("SELECT count(*) AS n FROM recipient WHERE status = 'pending'")
        if waiting[0]["n"] < self._at_once // 2:
            self.campaign_ids.append(await self._world.start_campaign(self._at_once, concurrent_limit=_MANY))
            self.called += self._at_once


@asynccontextmanager
async def _made_likely(world: World, point: str) -> AsyncIterator[None]:
    """Do meanwhile what ordinary dialing does not, if the point is not passed without it."""
    task = asyncio.create_task(_keep_cancelling(world)) if "hang_up" in point else None
    try:
        yield
    finally:
        if task is not None:
            await end_tasks(task)


async def _keep_cancelling(world: World) -> None:
    """Cancel campaigns in the middle of their calls, and have those hung up."""
    while True:
        campaign_id = await world.start_campaign(10, concurrent_limit=_MANY)
        await asyncio.sleep(0.8)
        with suppress(Conflict):
            await world.cancel(campaign_id, hang_up=True)


async def _die_at(process: Process, point: str, nth: int) -> None:
    process.start(fault=f"{point}:{nth}")
    try:
        status = await process.ended(seconds=_REACHED_WITHIN)
    except TookTooLong:
        raise NeverHappened(f"{process.name} never came to {point} ({nth})") from None
    if status != -signal.SIGKILL:
        raise NeverHappened(f"{process.name} ended with {status} instead of being killed at {point}")


async def _web_dies_at(world: World, point: str, nth: int) -> None:
    world.web.kill()
    await _die_at(world.web, point, nth)
    world.web.start()
    await world.web.ready()


async def drain(world: World, outcome: Outcome, *, times: int = 3) -> None:
    """F3: SIGTERM: nothing becomes unproven, and the worker ends in time."""
    (worker,) = await world.start_workers(1)
    await world.set_faults(slow_rest={"probability": 0.5, "seconds": 0.5})
    campaign_id = await world.start_campaign(outcome.contacts)
    took: list[float] = []
    for turn in range(times):
        await wait_for_share(world, campaign_id, (turn + 1) / (times + 2), seconds=patience(outcome))
        worker.send(signal.SIGTERM)
        began = time.monotonic()
        await worker.ended(seconds=30)
        took.append(time.monotonic() - began)
        left = await world.rows("SELECT count(*) AS n FROM attempt WHERE status IN ('placing', 'unknown')")
        if left[0]["n"]:
            outcome.violations.append(f"F3: {left[0]['n']} attempts were left unproven")
        worker.start()
        await worker.ready()
    outcome.count("SIGTERM", times)
    outcome.measured["longest drain"] = f"{max(took):.1f} s (goal {DRAIN_SECONDS:g})"
    if max(took) > DRAIN_SECONDS:
        outcome.violations.append(f"F3: the worker took {max(took):.1f} s to end")
    await world.completed(campaign_id, seconds=patience(outcome))


async def suspend(world: World, outcome: Outcome, *, times: int = 1) -> None:
    """F4: a worker is stopped for longer than it may take to place, while another goes on, and wakes as a zombie."""
    sleeper, _ = await world.start_workers(2)
    campaign_id = await world.start_campaign(outcome.contacts)
    for turn in range(times):
        await wait_for_share(world, campaign_id, 0.1 + 0.8 * turn / times, seconds=patience(outcome))
        sleeper.send(signal.SIGSTOP)
        await asyncio.sleep(STOPPED_SECONDS)
        sleeper.send(signal.SIGCONT)
    outcome.count("SIGSTOP", times)
    await world.completed(campaign_id, seconds=patience(outcome))
