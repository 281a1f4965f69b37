"""F15: four dialers on one campaign, with limits that only SQL holds."""

from typing import Final

from tests.faults.harness import World
from tests.faults.menu.base import Outcome, patience

_DIALERS: Final = 4
_LIMIT: Final = 5
_PER_SECOND: Final = 25


async def four_dialers(world: World, outcome: Outcome, *, runs: int = 2) -> None:
    """F15: every limit is narrow, four workers reach for each slot; the checker looks at every instant."""
    await world.start_workers(_DIALERS)
    await world.rows_changed("UPDATE carrier_account SET calls_per_second = :n", n=_PER_SECOND)
    await world.rows_changed("UPDATE agent SET max_concurrent_calls = :n", n=2 * _LIMIT)
    each = max(outcome.contacts // runs, 1)
    for _ in range(runs):
        campaign_id = await world.start_campaign(each, concurrent_limit=_LIMIT, rate_limit_per_minute=600)
        await world.completed(campaign_id, seconds=patience(outcome))
    outcome.count("runs", runs)
    reserved = await world.rows("SELECT count(DISTINCT reserved_by) AS n FROM attempt")
    outcome.measured["dialers that reserved"] = str(reserved[0]["n"])
