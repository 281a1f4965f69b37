"""How often somebody may do something: a quota that is all there at first and comes back steadily."""

from dataclasses import dataclass
from math import ceil, floor
from typing import Final

_ROUNDING: Final = 1e-6
"""What sums of fractions may be off by."""


@dataclass(frozen=True, slots=True)
class Quota:
    """`amount` at once, and as many again in `seconds`, one after the other.

    Who keeps to `amount` in any `seconds` is never refused; who uses up all of it waits for the next, not for all.
    """

    name: str
    amount: int
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a quota somebody had used at a moment, by a steady clock's seconds."""

    units: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class QuotaStanding:
    """Where somebody stands with a quota: whether this once more is refused, and what is left after it."""

    quota: Quota
    remaining: int
    next_in: int
    """Whole seconds, at least 1, until there is one more."""
    refused: bool


def use(quota: Quota, used: Used, *, now: float) -> tuple[Used, QuotaStanding]:
    """Use the quota once, if there is enough of it; a refusal uses nothing."""
    a_unit = quota.seconds / quota.amount
    units = max(0.0, used.units - (now - used.at) / a_unit)
    refused = units + 1 > quota.amount + _ROUNDING
    if not refused:
        units += 1
    remaining = max(0, floor(quota.amount - units + _ROUNDING))
    next_in = ceil((units - (quota.amount - remaining - 1)) * a_unit - _ROUNDING)
    return Used(units, now), QuotaStanding(quota, remaining, max(1, next_in), refused)
