"""The model as a dish of the menu: so many histories, and each seeded bug found."""

import logging
import time
from typing import Final

from app.runtime.migrations import upgrade
from tests.faults.menu.base import Outcome
from tests.faults.model.machine import explore
from tests.faults.model.mutants import MUTANTS, is_found
from tests.support.servers import running_postgres, temporary_home

_STEPS: Final = 40


def model(*, full: bool) -> Outcome:
    """Explore random histories of one campaign, and have each seeded bug found."""
    examples, mutant_examples = (400, 200) if full else (15, 60)
    outcome, began = Outcome("model", 0), time.monotonic()
    logging.disable(logging.CRITICAL)
    with temporary_home() as home, running_postgres(home) as url:
        upgrade(url)
        try:
            explore(url, examples=examples, steps=_STEPS)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever it is, it is told
            outcome.violations.append(f"{type(error).__name__}: {error}")
        outcome.count("histories", examples)
        for name, mutant in MUTANTS.items():
            if is_found(url, mutant, examples=mutant_examples):
                outcome.count("seeded bugs found")
            else:
                outcome.violations.append(f"the seeded bug {name!r} was not found")
    outcome.seconds = time.monotonic() - began
    return outcome
