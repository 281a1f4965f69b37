"""The circuit breaker: which signs in a campaign's last attempts pause it, and at which threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from app.domain.attempt import Disposition
from app.domain.events import FailureClass

HANG_UP_SECONDS: Final = 6
"""A person who hangs up sooner than this did not listen."""

_SPOKEN_PER_SECOND: Final = 15
"""Characters a voice speaks in a second. A script shorter than `HANG_UP_SECONDS` is no evidence of a hang-up."""


class Sign(StrEnum):
    """What the breaker looks for."""

    FAILURES = "failures"
    REFUSALS = "refusals"
    """The carrier refused the request, and the contact's number was not the cause."""
    REFUSALS_IN_A_ROW = "refusals_in_a_row"
    OPT_OUTS = "opt_outs"
    HANG_UPS = "hang_ups"
    """People who answered and hung up within `HANG_UP_SECONDS`."""


class BreakerInvalid(ValueError):
    """Some of the policy's fields are wrong. `errors`: field -> what to change."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a campaign is paused on bad signs. Rates are percent; 0 switches a sign off.

    The defaults let an ordinary campaign with its retries pass, and stop one whose carrier, list or script is broken.
    `refusal_rate` follows the advice of Twilio's error table.
    """

    window: int = 50
    """How many of the last settled attempts are looked at."""
    minimum: int = 20
    """Rates count from this many attempts on; the hang-up rate from half as many answered calls."""
    failure_rate: float = 50.0
    """Percent of the window: attempts that ended rejected, undelivered, with a wrong number or a carrier's error."""
    refusal_rate: float = 20.0
    """Percent of the window: requests the carrier refused, for a cause other than the contact's number."""
    refusals_in_a_row: int = 5
    """This many requests refused in a row, for a cause that does not pass by itself, trip it at once."""
    opt_out_rate: float = 30.0
    """Percent of the window: people who asked not to be contacted again."""
    hang_up_rate: float = 50.0
    """Percent of the people in the window who answered: those who hung up within `HANG_UP_SECONDS`."""

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Return the policy; a missing field has its default. Raises `BreakerInvalid` with every wrong field."""
        errors = {name: "The breaker has no such setting." for name in raw if name not in RANGES}
        values: dict[str, Any] = {}
        for name in RANGES:
            if name not in raw:
                continue
            problem = _problem(name, raw[name])
            if problem is None:
                values[name] = raw[name]
            else:
                errors[name] = problem
        policy = cls(**values)
        if not errors and policy.minimum > policy.window:
            errors["minimum"] = f"Choose at most the window, {policy.window}."
        if errors:
            raise BreakerInvalid(errors)
        return policy

    @classmethod
    def or_defaults(cls, raw: Any) -> Self:
        """Return the policy, or the defaults if it cannot be read. For showing it only: never dial by it."""
        try:
            return cls.from_json(raw)
        except (ValueError, TypeError):
            return cls()

    def to_json(self) -> dict[str, Any]:
        """Return every field, as `from_json` takes them."""
        return asdict(self)

    @property
    def is_off(self) -> bool:
        """Whether every sign is switched off."""
        return not any(
            (
                self.failure_rate,
                self.refusal_rate,
                self.refusals_in_a_row,
                self.opt_out_rate,
                self.hang_up_rate,
            )
        )


RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "window": (10, 500),
    "minimum": (5, 500),
    "failure_rate": (0, 100),
    "refusal_rate": (0, 100),
    "refusals_in_a_row": (0, 100),
    "opt_out_rate": (0, 100),
    "hang_up_rate": (0, 100),
}
"""Least and most of every setting."""

_WHOLE: Final = frozenset({"window", "minimum", "refusals_in_a_row"})

OFF: Final = BreakerPolicy(
    failure_rate=0, refusal_rate=0, refusals_in_a_row=0, opt_out_rate=0, hang_up_rate=0
)


def _problem(name: str, value: Any) -> str | None:
    least, most = RANGES[name]
    is_whole = name in _WHOLE
    kinds = int if is_whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        what = "a whole number" if is_whole else "a percentage"
        return f"Enter {what} from {least} to {most}."
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the breaker knows of one attempt that has ended."""

    attempt_id: UUID
    disposition: Disposition
    failure: FailureClass | None = None
    accepted: bool = True
    """Whether the carrier accepted the request."""
    duration_seconds: int | None = None
    """The length of an answered call."""
    spoken_characters: int = 0
    """The length of our script."""

    @property
    def failed(self) -> bool:
        """Whether it ended without a contact, for another cause than no answer or busy."""
        return self.disposition in _FAILURES

    @property
    def refused(self) -> bool:
        """Whether the carrier refused the request for a cause other than the contact's number."""
        return not self.accepted and self.failure not in _OF_THE_NUMBER

    @property
    def refused_for_good(self) -> bool:
        """Whether it was refused for a cause that does not pass by itself."""
        return self.refused and self.failure not in _PASSING

    @property
    def opted_out(self) -> bool:
        """Whether the person asked not to be contacted again, because of this attempt."""
        return self.disposition is Disposition.OPTED_OUT and self.failure is not FailureClass.OPTED_OUT

    @property
    def by_person(self) -> bool:
        """Whether a person answered a call."""
        spoke = self.disposition is Disposition.ANSWERED or self.opted_out
        return spoke and self.duration_seconds is not None

    @property
    def hung_up(self) -> bool:
        """Whether a person answered and hung up before our script could end."""
        return (
            self.disposition is Disposition.ANSWERED
            and self.by_person
            and (self.duration_seconds or 0) < HANG_UP_SECONDS
            and self.spoken_characters >= HANG_UP_SECONDS * _SPOKEN_PER_SECOND
        )


_FAILURES: Final = frozenset(
    {
        Disposition.REJECTED,
        Disposition.INVALID_NUMBER,
        Disposition.CARRIER_ERROR,
        Disposition.UNDELIVERED,
    }
)
_OF_THE_NUMBER: Final = frozenset({FailureClass.BAD_NUMBER, FailureClass.OPTED_OUT})
_PASSING: Final = frozenset({FailureClass.TRANSIENT, FailureClass.THROTTLED, FailureClass.TOMORROW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A sign that passed its threshold."""

    sign: Sign
    measured: float
    """Percent of `window`; for refusals in a row, their number."""
    threshold: float
    window: int
    """How many attempts were looked at."""
    attempt_ids: tuple[UUID, ...]
    """The attempts that show the sign, newest first."""


def judge(policy: BreakerPolicy, newest_first: Sequence[Settled]) -> Trip | None:
    """Return the first sign that the last attempts show; None if they show none.

    `newest_first`: ended attempts; only the first `policy.window` of them count.
    """
    window = newest_first[: policy.window]
    by_person = [each for each in window if each.by_person]
    enough_people = max(policy.minimum // 2, 1)
    return (
        _row(policy.refusals_in_a_row, window)
        or _rate(Sign.REFUSALS, policy.refusal_rate, window, policy.minimum)
        or _rate(Sign.FAILURES, policy.failure_rate, window, policy.minimum)
        or _rate(Sign.OPT_OUTS, policy.opt_out_rate, window, policy.minimum)
        or _rate(Sign.HANG_UPS, policy.hang_up_rate, by_person, enough_people)
    )


def _row(most: int, window: Sequence[Settled]) -> Trip | None:
    newest = window[:most]
    if not most or len(newest) < most or not all(each.refused_for_good for each in newest):
        return None
    return Trip(
        sign=Sign.REFUSALS_IN_A_ROW,
        measured=float(most),
        threshold=float(most),
        window=most,
        attempt_ids=tuple(each.attempt_id for each in newest),
    )


def _rate(sign: Sign, most: float, among: Sequence[Settled], minimum: int) -> Trip | None:
    shows = [each.attempt_id for each in among if _SHOWS[sign](each)]
    if not most or len(among) < minimum or 100 * len(shows) <= most * len(among):
        return None
    return Trip(
        sign=sign,
        measured=round(100 * len(shows) / len(among), 1),
        threshold=most,
        window=len(among),
        attempt_ids=tuple(shows),
    )


_SHOWS: Final = {
    Sign.REFUSALS: lambda each: each.refused,
    Sign.FAILURES: lambda each: each.failed,
    Sign.OPT_OUTS: lambda each: each.opted_out,
    Sign.HANG_UPS: lambda each: each.hung_up,
}


def describe(trip: Trip) -> str:
    """Return the trip as a sentence for users, without a full stop."""
    if trip.sign is Sign.REFUSALS_IN_A_ROW:
        return f"The carrier refused {trip.window} attempts in a row"
    return f"{trip.measured:g}% of the last {_SENTENCES[trip.sign].format(trip.window)} (limit {trip.threshold:g}%)"


_SENTENCES: Final[Mapping[Sign, str]] = {
    Sign.FAILURES: "{} attempts failed",
    Sign.REFUSALS: "{} attempts were refused by the carrier",
    Sign.OPT_OUTS: "{} attempts ended with an opt-out",
    Sign.HANG_UPS: f"{{}} people who answered hung up within {HANG_UP_SECONDS} seconds",
}
