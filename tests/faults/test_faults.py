"""A short selection of the fault menu; `python -m tests.faults --full` runs all of it."""

import pytest

from tests.faults.harness import World
from tests.faults.menu.base import CALLBACK_FAULTS, REST_FAULTS, Outcome, run
from tests.faults.menu.kills import kill_at_random
from tests.faults.opening import open_world
from tests.faults.wrong_policies import at_least_once


async def everything_at_once(world: World, outcome: Outcome) -> None:
    """F1, F8 and F10 together."""
    await world.set_faults(**REST_FAULTS, **CALLBACK_FAULTS)
    await kill_at_random(world, outcome, kills=3)
    outcome.done |= await world.struck()


@pytest.mark.timeout(240)
async def test_kills_a_carrier_that_lies_and_bad_callbacks_lose_nobody_and_a_wrong_policy_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.faults.wrong_policies.MOST_SECONDS", 6.0)
    async with open_world() as world:
        outcome = await run(world, everything_at_once, name="F1+F8+F10", contacts=40)
        assert outcome.violations == []
        assert outcome.done["SIGKILL"] == 3
        assert outcome.done["lose_callback"] > 0
        wrong = await run(world, at_least_once, name="F24", contacts=20)
        assert wrong.violations != []
