"""`python -m tests.faults [--full] [NAME ...]`: run the fault menu and print a table.

Exits 1 on any violation, and if a policy that is wrong on purpose (F24) has none.
"""

import argparse
import asyncio
import os
import sys
from functools import partial
from typing import Final

from tests.faults.harness import TookTooLong, open_world
from tests.faults.scenarios import (
    NeverHappened,
    Outcome,
    Scenario,
    ambiguous_carrier,
    bad_callbacks,
    drain,
    kill_at_every_point,
    kill_at_random,
    lose_valkey,
    run,
    suspend,
)
from tests.faults.wrong_policies import at_least_once, at_most_once, hasty

_SHORT: Final[dict[str, tuple[Scenario, int]]] = {
    "F1": (kill_at_random, 120),
    "F2": (kill_at_every_point, 200),
    "F3": (drain, 80),
    "F4": (suspend, 150),
    "F5": (lose_valkey, 200),
    "F8": (ambiguous_carrier, 120),
    "F10": (bad_callbacks, 100),
}
_FULL: Final[dict[str, tuple[Scenario, int]]] = {
    "F1": (partial(kill_at_random, kills=40), 500),
    "F2": (partial(kill_at_every_point, times=3), 600),
    "F3": (partial(drain, times=8), 200),
    "F4": (partial(suspend, times=2), 400),
    "F5": (partial(lose_valkey, times=3), 500),
    "F8": (ambiguous_carrier, 400),
    "F10": (bad_callbacks, 400),
}


_WRONG: Final[dict[str, tuple[Scenario, int]]] = {
    "F24-at-least-once": (at_least_once, 60),
    "F24-at-most-once": (at_most_once, 60),
    "F24-hasty": (hasty, 60),
}
"""Wrong on purpose: these must violate."""


async def _one(name: str, scenario: Scenario, contacts: int, seed: int) -> Outcome:
    """Run one scenario in a world of its own; what keeps it from its end is a violation as well."""
    async with open_world(seed=seed) as world:
        try:
            return await run(world, scenario, name=name, contacts=contacts)
        except (TookTooLong, NeverHappened) as error:
            return Outcome(name, contacts, violations=[f"{type(error).__name__}: {error}"])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _line(outcome: Outcome) -> str:
    done = ", ".join(f"{name} {times}" for name, times in outcome.done.items())
    return (
        f"{outcome.name:17} {outcome.contacts:8} {outcome.seconds:7.1f} {len(outcome.violations):10}  {done}"
    )


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(_SHORT)}; default: all")
    parser.add_argument("--full", action="store_true", help="more contacts, more faults")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    _forget_the_environment()
    menu = _FULL if given.full else _SHORT
    _say(f"{'fault':17} {'contacts':>8} {'seconds':>7} {'violations':>10}  done")
    broken = 0
    for name in given.names or [*menu, *_WRONG]:
        outcome = asyncio.run(_one(name, *(menu | _WRONG)[name], seed=given.seed))
        _say(_line(outcome))
        for violation in outcome.violations[:20]:
            _say(f"      {violation}")
        broken += not outcome.violations if name in _WRONG else len(outcome.violations)
    return 1 if broken else 0


def _forget_the_environment() -> None:
    ours = ("CALLSHEET_", "SIMULATOR_", "TWILIO_", "DATABASE_URL", "REDIS_URL")
    for name in list(os.environ):
        if name.startswith(ours):
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
