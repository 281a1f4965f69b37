"""A guarded ramp: a few people first, then ever more of them, each step only when the one before went well."""

from typing import Final

STEPS: Final = (2, 10, 50, 100)
"""Percent of a campaign's contacts that may have been tried by the end of each step."""

LAST: Final = len(STEPS) - 1


def people(step: int, *, total: int, least: int) -> int:
    """Return how many people may have been tried by the end of the step (0 is the first).

    `least`: how many more each step tries at least, so that it shows something in a short list too.
    """
    share = -(-total * STEPS[step] // 100)
    return total if step >= LAST else min(total, max(share, least * (step + 1)))


def step_for(reached: int, *, step: int, total: int, least: int) -> int:
    """Return the step to go on with when the people of `step` were tried: the first that lets more be tried.

    The last when there are no more. Never one before `step`.
    """
    while step < LAST and people(step, total=total, least=least) <= reached:
        step += 1
    return step
