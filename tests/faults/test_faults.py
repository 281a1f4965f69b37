"""A short selection of the fault menu; `python -m tests.faults --full` runs all of it at its full size."""

from functools import partial

import pytest

from tests.faults.harness import World
from tests.faults.menu.base import CALLBACK_FAULTS, REST_FAULTS, Outcome, run
from tests.faults.menu.dialers import four_dialers
from tests.faults.menu.kills import kill_at_random
from tests.faults.menu.operators import operator_races
from tests.faults.menu.storm import forged_webhooks, webhook_storm
from tests.faults.opening import open_world
from tests.faults.points import dial_points, web_points
from tests.faults.wrong_policies import at_least_once


async def everything_at_once(world: World, outcome: Outcome) -> None:
    """F1, F8 and F10 together."""
    await world.set_faults(**REST_FAULTS, **CALLBACK_FAULTS)
    await kill_at_random(world, outcome, kills=3, texts=0)
    outcome.done |= await world.struck()


@pytest.mark.timeout(300)
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


@pytest.mark.timeout(300)
async def test_operators_forgers_a_storm_and_four_dialers_break_no_limit_and_lose_nobody() -> None:
    async with open_world() as world:
        for name, scenario, contacts in (
            ("F14", partial(operator_races, sequences=4), 32),
            ("F11", partial(webhook_storm, events=100), 60),
            ("F12", partial(forged_webhooks, requests=60, judged=100), 10),
            ("F15", partial(four_dialers, runs=1), 20),
        ):
            outcome = await run(world, scenario, name=name, contacts=contacts)
            assert outcome.violations == []


def test_every_fault_point_in_the_source_is_on_the_menu() -> None:
    assert {"before_reserve", "after_reserve_commit", "before_post", "after_post"} <= set(dial_points())
    assert {"before_webhook_commit", "after_webhook_commit"} <= set(web_points())
    assert not set(dial_points()) & set(web_points())
