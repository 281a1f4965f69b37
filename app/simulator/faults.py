"""Faults to inject: each kind has a probability and may have a count. One seeded random source decides."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FaultName(StrEnum):
    """The kinds of faults. First block: the account; second: a create request; third: a status callback."""

    CREDENTIALS_REFUSED = "credentials_refused"
    ACCOUNT_SUSPENDED = "account_suspended"

    DROP_BEFORE_ACCEPT = "drop_before_accept"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    ERROR_BEFORE_ACCEPT = "error_before_accept"
    ERROR_AFTER_ACCEPT = "error_after_accept"
    TOO_MANY_REQUESTS = "too_many_requests"
    SLOW_REST = "slow_rest"
    ACCEPT_LATE = "accept_late"

    DUPLICATE_CALLBACK = "duplicate_callback"
    REORDER_CALLBACK = "reorder_callback"
    DELAY_CALLBACK = "delay_callback"
    LOSE_CALLBACK = "lose_callback"
    BAD_SIGNATURE = "bad_signature"
    WRONG_ACCOUNT_SID = "wrong_account_sid"


_DEFAULT_SECONDS = {
    FaultName.SLOW_REST: 5.0,
    FaultName.ACCEPT_LATE: 30.0,
    FaultName.DELAY_CALLBACK: 60.0,
    FaultName.REORDER_CALLBACK: 10.0,
}


class BadFault(ValueError):
    """An unknown fault, or a value out of its range."""


@dataclass(slots=True)
class InjectedFault:
    """One fault. `count`: how often it may still strike, None for no limit. `seconds`: the longest wait it causes.

    `copies`: most extra copies of a callback. `struck`: how often it did strike.
    """

    probability: float
    count: int | None
    seconds: float
    copies: int
    struck: int = 0


class Faults:
    """The faults that are set. None at the start: the carrier then works correctly."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.chance = random.Random(f"{seed}:faults")  # noqa: S311  # repeatable on purpose
        """Decides all that is random about faults. `replace` seeds it again."""
        self._faults: dict[FaultName, InjectedFault] = {}

    def replace(self, given: Mapping[str, object]) -> None:
        """Set these faults instead of the present ones, and seed `chance` again; `{}` removes all.

        Raises `BadFault`, and then changes nothing.
        """
        self._faults = {_name(key): _fault(_name(key), value) for key, value in given.items()}
        self.chance = random.Random(f"{self._seed}:faults")  # noqa: S311  # repeatable on purpose

    def strike(self, name: FaultName) -> InjectedFault | None:
        """Decide by one random number whether this fault strikes now; return it if so."""
        fault = self._faults.get(name)
        if fault is None or fault.count == 0 or self.chance.random() >= fault.probability:
            return None
        if fault.count is not None:
            fault.count -= 1
        fault.struck += 1
        return fault

    def may_strike(self, name: FaultName) -> bool:
        """Tell whether this fault can still strike; uses no random number."""
        fault = self._faults.get(name)
        return fault is not None and fault.count != 0 and fault.probability > 0

    def as_dict(self) -> dict[str, dict[str, float | int | None]]:
        """Return the faults with their remaining counts, and how often each struck."""
        return {
            name.value: {
                "probability": fault.probability,
                "count": fault.count,
                "seconds": fault.seconds,
                "copies": fault.copies,
                "struck": fault.struck,
            }
            for name, fault in self._faults.items()
        }


def _name(key: str) -> FaultName:
    try:
        return FaultName(key)
    except ValueError:
        raise BadFault(f"no fault is called {key!r}; there are: {', '.join(FaultName)}") from None


def _fault(name: FaultName, value: object) -> InjectedFault:
    fields: Mapping[str, object] = value if isinstance(value, Mapping) else {"probability": value}
    unknown = set(fields) - {"probability", "count", "seconds", "copies"}
    if unknown:
        raise BadFault(f"{name}: unknown {', '.join(sorted(map(str, unknown)))}")
    count = fields.get("count")
    return InjectedFault(
        probability=_number(name, "probability", fields.get("probability", 1.0), upper=1.0),
        count=None if count is None else int(_number(name, "count", count)),
        seconds=_number(name, "seconds", fields.get("seconds", _DEFAULT_SECONDS.get(name, 0.0))),
        copies=int(_number(name, "copies", fields.get("copies", 1))),
    )


def _number(name: FaultName, field: str, value: object, upper: float = float("inf")) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= upper:
        raise BadFault(f"{name}.{field} must be a number from 0 to {upper:g}")
    return float(value)
