"""F15: four dialers on one campaign, with limits that only SQL holds."""

from typing import Final

from app.services.agents.operations import create_agent
from tests.faults.harness import World
from tests.faults.menu.base import Outcome, patience

_DIALERS: Final = 4
_LIMIT: Final = 5


async def four_dialers(
    world: World, outcome: Outcome, *, runs: int = 2, per_second: int | None = None
) -> None:
    """F15: every limit is narrow, four workers reach for each slot; the checker looks at every instant.

    `per_second` narrows the carrier account too: only for a world in which nothing else was dialed.
    """
    await world.start_workers(_DIALERS)
    if per_second is not None:
        await world.rows_changed("UPDATE carrier_account SET calls_per_second = :n", n=per_second)
    agent_id = await _busy_agent(world)
    each = max(outcome.contacts // runs, 1)
    for _ in range(runs):
        campaign_id = await world.start_campaign(
            each, agent_id=agent_id, concurrent_limit=_LIMIT + 1, rate_limit_per_minute=600
        )
        await world.completed(campaign_id, seconds=patience(outcome))
    outcome.count("runs", runs)
    reserved = await world.rows(
        "SELECT count(DISTINCT reserved_by) AS n FROM attempt WHERE agent_id = :id", id=agent_id
    )
    outcome.measured["dialers that reserved"] = str(reserved[0]["n"])


async def _busy_agent(world: World) -> int:
    async with world.context.database.transaction() as session:
        return await create_agent(
            session,
            principal=world.principal,
            changes={"name": "Bea", "max_concurrent_calls": _LIMIT},
            now=world.context.clock.now(),
        )
