"""A ramp: a few people first, then more with each step. A step begins only if the one before went well."""

from typing import Final

STEPS: Final = (2, 10, 50, 100)
"""Percent of the contacts that may be tried by the end of each step."""

LAST: Final = len(STEPS) - 1


def people(step: int, *, total: int, least: int) -> int:
    """Return how many people may be tried by the end of the step (0 is the first).

    `least`: each step adds at least this many, so that it is large enough to judge in a short list too.
    """
    share = -(-total * STEPS[step] // 100)
    return total if step >= LAST else min(total, max(share, least * (step + 1)))


def step_for(reached: int, *, step: int, total: int, least: int) -> int:
    """Return the first step, from `step` on, that allows more people than the `reached` ones; else the last."""
    while step < LAST and people(step, total=total, least=least) <= reached:
        step += 1
    return step
