"""The fault menu: every scenario, in its short and its full size."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.faults.menu.base import Scenario
from tests.faults.menu.callbacks import bad_callbacks
from tests.faults.menu.carrier import ambiguous_carrier, carrier_down
from tests.faults.menu.dialers import four_dialers
from tests.faults.menu.kills import drain, kill_at_every_point, kill_at_random, suspend
from tests.faults.menu.operators import operator_races
from tests.faults.menu.servers import lose_postgres, lose_valkey
from tests.faults.menu.storm import forged_webhooks, webhook_storm
from tests.faults.opening import Wishes
from tests.faults.wrong_policies import at_least_once, at_most_once, hasty


@dataclass(frozen=True)
class Dish:
    """One scenario of the menu."""

    short: Scenario
    full: Scenario
    contacts: tuple[int, int]
    """Short, full. A scenario that makes people as it needs them takes it as how many at once."""
    wishes: Wishes = field(default_factory=Wishes)
    seeds: int = 1
    """How many worlds, each of a seed of its own, the full run of it has."""


_SLOWER: Final = 40.0
"""Calls of a second each: there are always many under way when a worker is killed."""

MENU: Final[dict[str, Dish]] = {
    "F1": Dish(
        kill_at_random, partial(kill_at_random, kills=200, timed=True), (120, 10_000), Wishes(speed=_SLOWER)
    ),
    "F2": Dish(
        kill_at_every_point, partial(kill_at_every_point, times=50), (150, 600), Wishes(speed=_SLOWER)
    ),
    "F3": Dish(drain, partial(drain, times=20), (80, 400)),
    "F4": Dish(suspend, partial(suspend, times=4), (150, 800)),
    "F5": Dish(lose_valkey, partial(lose_valkey, times=5), (200, 1_000)),
    "F6": Dish(lose_postgres, partial(lose_postgres, times=5), (120, 1_000), Wishes(durable=True)),
    "F8": Dish(ambiguous_carrier, ambiguous_carrier, (120, 1_000), Wishes(by_line=True)),
    "F9": Dish(carrier_down, partial(carrier_down, times=2, seconds=20.0), (100, 400), Wishes(by_line=True)),
    "F10": Dish(bad_callbacks, bad_callbacks, (100, 400), seeds=5),
    "F11": Dish(webhook_storm, partial(webhook_storm, events=10_000, timed=True), (150, 1_500)),
    "F12": Dish(forged_webhooks, partial(forged_webhooks, requests=1_000, judged=100_000), (40, 100)),
    "F14": Dish(operator_races, partial(operator_races, sequences=1_000), (100, 8_000)),
    "F15": Dish(four_dialers, partial(four_dialers, runs=100, per_second=25), (60, 2_000)),
}

WRONG: Final[dict[str, Dish]] = {
    "F24-at-least-once": Dish(at_least_once, at_least_once, (60, 60)),
    "F24-at-most-once": Dish(at_most_once, at_most_once, (60, 60)),
    "F24-hasty": Dish(hasty, hasty, (60, 60)),
}
"""Wrong on purpose: these must violate."""
