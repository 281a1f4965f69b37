"""F10: callbacks are lost, doubled, reordered, late, and earlier than the answer they follow."""

import asyncio

from tests.faults.harness import World
from tests.faults.menu.base import CALLBACK_FAULTS, Outcome, patience


async def bad_callbacks(world: World, outcome: Outcome) -> None:
    """F10: 30 % lost, half doubled up to five times, all reordered, a tenth late; a third before our own answer."""
    await world.start_workers(2)
    early = {"slow_rest": {"probability": 0.3, "seconds": 0.5}}
    await world.set_faults(**CALLBACK_FAULTS, **early)
    campaign_id = await world.start_campaign(outcome.contacts)
    await world.completed(campaign_id, seconds=patience(outcome))
    outcome.done = await world.struck()
    outcome.done["early"] = outcome.done.pop("slow_rest")
    await asyncio.sleep(3)  # the latest callbacks come after the end
    await world.quiet()
