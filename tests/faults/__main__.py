"""`python -m tests.faults [--full] [NAME ...]`: run the fault menu and print a table.

Exits 1 on any violation, and if a policy that is wrong on purpose (F24) has none.
"""

import argparse
import asyncio
import os
import sys
from dataclasses import replace
from typing import Final

from tests.faults.menu.base import NeverHappened, Outcome, run
from tests.faults.menu.card import MENU, WRONG, Dish
from tests.faults.model.runs import model
from tests.faults.opening import open_world
from tests.faults.processes import TookTooLong

MODEL: Final = "model"
_ALL: Final = (*MENU, *WRONG, MODEL)
_MOST_SHOWN: Final = 20


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(_ALL)}; default: all")
    parser.add_argument("--full", action="store_true", help="more contacts, more faults")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    _forget_the_environment()
    _say(f"{'fault':17} {'contacts':>8} {'seconds':>7} {'violations':>10}  result")
    broken = 0
    for name in given.names or _ALL:
        for outcome in _served(name, full=given.full, seed=given.seed):
            broken += _is_broken(name, outcome)
            _tell(name, outcome)
    return 1 if broken else 0


def _served(name: str, *, full: bool, seed: int) -> list[Outcome]:
    if name == MODEL:
        return [model(full=full)]
    dish = (MENU | WRONG)[name]
    seeds = range(seed, seed + (dish.seeds if full else 1))
    return [asyncio.run(_one(name, dish, full=full, seed=each)) for each in seeds]


async def _one(name: str, dish: Dish, *, full: bool, seed: int) -> Outcome:
    """Run one scenario in a world of its own; what keeps it from its end is a violation as well."""
    scenario, contacts = (dish.full, dish.contacts[1]) if full else (dish.short, dish.contacts[0])
    async with open_world(replace(dish.wishes, seed=seed)) as world:
        try:
            return await run(world, scenario, name=name, contacts=contacts)
        except (TookTooLong, NeverHappened) as error:
            return Outcome(name, contacts, violations=[f"{type(error).__name__}: {error}"])


def _is_broken(name: str, outcome: Outcome) -> bool:
    return not outcome.violations if name in WRONG else bool(outcome.violations)


def _tell(name: str, outcome: Outcome) -> None:
    done = ", ".join(f"{fault} {times}" for fault, times in outcome.done.items())
    found = len(outcome.violations)
    verdict = ("NOT CAUGHT" if not found else "caught") if name in WRONG else ("BROKEN" if found else "ok")
    _say(f"{outcome.name:17} {outcome.contacts:8} {outcome.seconds:7.1f} {found:10}  {verdict}: {done}")
    for what, figure in outcome.measured.items():
        _say(f"      {what}: {figure}")
    for violation in outcome.violations[:_MOST_SHOWN]:
        _say(f"      {violation}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _forget_the_environment() -> None:
    ours = ("CALLSHEET_", "SIMULATOR_", "TWILIO_", "DATABASE_URL", "REDIS_URL")
    for name in list(os.environ):
        if name.startswith(ours):
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
