"""F8 and F9: the carrier is ambiguous, and it is down."""

import asyncio
from datetime import datetime
from typing import Final

from tests.faults.harness import LIMIT, World
from tests.faults.menu.base import REST_FAULTS, Outcome, gaps_after, patience, wait_for_share

CUT_EVERY: Final = 5
RESUMES_WITHIN: Final = 35.0
"""The longest back-off is 30 s."""
BURSTS: Final = 8
"""Back-off doubles from 1 s: so many probes at most in half a minute."""


async def ambiguous_carrier(world: World, outcome: Outcome) -> None:
    """F8: it turns away, fails before and after it accepted, cuts lines at each byte, answers and accepts late."""
    await world.start_workers(2)
    await world.set_faults(**REST_FAULTS)
    world.line.cut_every = CUT_EVERY
    campaign_id = await world.start_campaign(outcome.contacts)
    texts_id = await world.start_campaign(max(5, outcome.contacts // 20), channel="sms")
    await world.completed(campaign_id, texts_id, seconds=2 * patience(outcome))
    world.line.cut_every = 0
    outcome.done = await world.struck()
    outcome.count("cut at a byte", world.line.cuts)
    throttled = await world.rows(
        "SELECT count(*) AS n FROM attempt WHERE status = 'not_placed' AND error_message LIKE '%429%'"
    )
    outcome.measured["429, no attempt spent"] = str(throttled[0]["n"])


async def carrier_down(world: World, outcome: Outcome, *, times: int = 1, seconds: float = 6.0) -> None:
    """F9: nobody answers at the carrier's address; then it answers 503 to everything. No attempt is spent."""
    await world.start_workers(2)
    campaign_id = await world.start_campaign(outcome.contacts)
    for turn in range(times):
        await wait_for_share(world, campaign_id, 0.8 * (turn + 0.3) / times, seconds=patience(outcome))
        await _refuse(world, outcome, seconds)
        await wait_for_share(world, campaign_id, 0.8 * (turn + 0.6) / times, seconds=patience(outcome))
        await world.set_faults(error_before_accept=1.0)
        await asyncio.sleep(seconds / 2)
        await world.set_faults()
        outcome.count("answers 500")
    await world.completed(campaign_id, seconds=patience(outcome) + times * RESUMES_WITHIN)


async def _refuse(world: World, outcome: Outcome, seconds: float) -> None:
    before = await _not_placed(world)
    await world.line.stop()
    await asyncio.sleep(seconds)
    probes = await _not_placed(world) - before
    await world.line.start()
    back_at = world.context.clock.now()
    outcome.count("refuses connections")
    outcome.measured["tries while away"] = f"{probes} (goal {BURSTS * LIMIT})"
    if probes > BURSTS * LIMIT:
        outcome.violations.append(f"F9: {probes} tries in {seconds:g} s at a carrier that is away")
    await _calls_again(world, outcome, back_at)


async def _not_placed(world: World) -> int:
    rows = await world.rows("SELECT count(*) AS n FROM attempt WHERE status = 'not_placed'")
    return int(rows[0]["n"])


async def _calls_again(world: World, outcome: Outcome, back_at: datetime) -> None:
    for _ in range(int(RESUMES_WITHIN)):
        await asyncio.sleep(1)
        if gaps := await gaps_after(world, [back_at]):
            outcome.measured["back to next call"] = f"{gaps[0]:.1f} s (goal {RESUMES_WITHIN:g})"
            return
    outcome.violations.append(f"F9: no call within {RESUMES_WITHIN:g} s of the carrier's return")
