"""Rate limits: a quota starts full and refills steadily (a token bucket)."""

from dataclasses import dataclass
from math import ceil, floor
from typing import Final

_ROUNDING: Final = 1e-6
"""The rounding error of sums of fractions."""


@dataclass(frozen=True, slots=True)
class Quota:
    """`amount` uses at once; then one more every `seconds / amount`.

    A client that makes at most `amount` requests in any `seconds` is never refused.
    """

    name: str
    amount: int
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a quota was used at time `at` (seconds of a monotonic clock)."""

    units: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class QuotaStanding:
    """The result of one use of a quota: whether it is refused, and how many uses remain."""

    quota: Quota
    remaining: int
    next_in: int
    """Whole seconds, at least 1, until one more use is available."""
    refused: bool


def use(quota: Quota, used: Used, *, now: float) -> tuple[Used, QuotaStanding]:
    """Use the quota once if any is left. A refused use does not count."""
    a_unit = quota.seconds / quota.amount
    units = max(0.0, used.units - (now - used.at) / a_unit)
    refused = units + 1 > quota.amount + _ROUNDING
    if not refused:
        units += 1
    remaining = max(0, floor(quota.amount - units + _ROUNDING))
    next_in = ceil((units - (quota.amount - remaining - 1)) * a_unit - _ROUNDING)
    return Used(units, now), QuotaStanding(quota, remaining, max(1, next_in), refused)
