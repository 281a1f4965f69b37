"""What follows an ended attempt: a retry and its time, or none and the reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from app.domain.attempt import Disposition
from app.domain.events import FailureClass

_D = Disposition

RETRIED_BY_DEFAULT: Final = frozenset({_D.NO_ANSWER, _D.BUSY, _D.CARRIER_ERROR})
"""Seeds `002`, `003`: no answer, busy and failed. Failures that cannot succeed later are never retried."""

RETRIABLE: Final = RETRIED_BY_DEFAULT | {_D.VOICEMAIL, _D.UNDELIVERED, _D.REJECTED}
"""What a campaign can choose to retry. Reached, opted out, invalid and cancelled are never retried."""

_LASTING: Final[Mapping[FailureClass | None, str]] = {
    FailureClass.BAD_NUMBER: "The number cannot be reached.",
    FailureClass.OPTED_OUT: "The person asked not to be contacted again.",
    FailureClass.CONTENT: "The carrier refuses this text; trying again would not change that.",
    FailureClass.UNRECOGNIZED: "The carrier refuses this, for a cause we do not know.",
}
"""Failures that a retry would only repeat: never retried, whatever the campaign's settings. With the reason."""

NOT_THE_RECIPIENTS: Final = frozenset({FailureClass.THROTTLED, FailureClass.MISCONFIGURED})
"""Refusals that do not concern this recipient: nothing was placed, and no attempt is counted."""


class RetryOutcome(StrEnum):
    """The choices of "retry on", named as in the seeds."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    VOICEMAIL = "voicemail"


DISPOSITIONS_OF: Final[Mapping[RetryOutcome, frozenset[Disposition]]] = {
    RetryOutcome.NO_ANSWER: frozenset({_D.NO_ANSWER}),
    RetryOutcome.BUSY: frozenset({_D.BUSY}),
    RetryOutcome.FAILED: frozenset({_D.CARRIER_ERROR, _D.UNDELIVERED}),
    RetryOutcome.VOICEMAIL: frozenset({_D.VOICEMAIL}),
}
"""The dispositions of each choice."""

OUTCOME_OF: Final[Mapping[Disposition, RetryOutcome]] = {
    disposition: outcome for outcome, covered in DISPOSITIONS_OF.items() for disposition in covered
} | {_D.REJECTED: RetryOutcome.FAILED}
"""Disposition -> the choice whose delays it uses."""

LONGEST_DELAY: Final = timedelta(days=30)
"""The longest delay of a back-off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """A campaign's retry settings. `max_attempts` counts all attempts of a recipient, for whatever cause."""

    max_attempts: int = 3
    """In total, with the first: one more than the retries of the guide dialect."""
    retry_delay_minutes: int = 30
    retry_on: frozenset[Disposition] = RETRIED_BY_DEFAULT
    delays: tuple[int, ...] = ()
    """Minutes before the 2nd, 3rd ... attempt; the last value repeats. Empty: `retry_delay_minutes`."""
    delays_by_outcome: Mapping[RetryOutcome, tuple[int, ...]] = field(default_factory=dict)
    """Separate lists; an outcome without one uses `delays`."""
    back_off: bool = False
    """After the end of the list each delay is twice the one before, up to `LONGEST_DELAY`."""

    @classmethod
    def of(cls, campaign: Mapping[Any, Any]) -> Self:
        """Return the policy of a campaign's row. Raises `ValueError`, `TypeError` or `AttributeError`."""
        by_outcome = campaign["retry_delays_by_outcome"].items()
        return replace(
            cls.numbers_of(campaign),
            retry_on=frozenset(map(Disposition, campaign["retry_on"])),
            delays=delays_from(campaign["retry_delays"]),
            delays_by_outcome={RetryOutcome(outcome): delays_from(delays) for outcome, delays in by_outcome},
            back_off=campaign["retry_back_off"],
        )

    @classmethod
    def numbers_of(cls, campaign: Mapping[Any, Any]) -> Self:
        """Return the plain numbers of a row and defaults for the rest, for a row whose other columns are invalid."""
        return cls(
            max_attempts=attempts_allowed_in(campaign), retry_delay_minutes=campaign["retry_delay_minutes"]
        )

    def allowing(self, attempts: int | None) -> Self:
        """Return the policy for a recipient with its own limit of attempts; None: it has none."""
        return self if attempts is None else replace(self, max_attempts=attempts)


RETRY_COLUMNS: Final = (
    "max_attempts", "retry_delay_minutes", "retry_on", "retry_delays", "retry_delays_by_outcome", "retry_back_off",
)  # fmt: skip
"""The columns that `RetryPolicy.of` reads."""


def attempts_allowed_in(campaign: Mapping[Any, Any]) -> int:
    """Return the most attempts of a recipient without its own limit, including the first."""
    most: int = campaign["max_attempts"]
    return most


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The recipient goes back to pending and is due at `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NoRetry:
    """No retry. The reason is a sentence for users."""

    reason: str


def delays_from(stored: Iterable[object]) -> tuple[int, ...]:
    """Return a stored list of minutes before each retry. Raises `ValueError` or `TypeError` if it is invalid."""
    return tuple(_minutes(each) for each in stored)


def _minutes(stored: object) -> int:
    if isinstance(stored, bool) or not isinstance(stored, int) or stored < 0:
        raise ValueError("a delay is a whole number of minutes")
    return stored


def retry_on(outcomes: frozenset[RetryOutcome]) -> frozenset[Disposition]:
    """Return the dispositions of the chosen outcomes."""
    return frozenset(disposition for outcome in outcomes for disposition in DISPOSITIONS_OF[outcome])


def decide(
    policy: RetryPolicy,
    *,
    disposition: Disposition,
    failure: FailureClass | None,
    attempts_made: int,
    now: datetime,
) -> RetryAt | NoRetry:
    """Return what follows an attempt that ended with this disposition.

    `attempts_made` includes this attempt. Attempts that were not placed do not count.
    """
    if failure in _LASTING:
        return NoRetry(_LASTING[failure])
    if disposition not in RETRIABLE:
        return NoRetry(_SETTLED[disposition])
    if disposition not in policy.retry_on:
        return NoRetry(f"The campaign does not retry after {disposition.replace('_', ' ')}.")
    if attempts_made >= policy.max_attempts:
        return NoRetry(all_used(policy.max_attempts))
    return RetryAt(now + delay_after(policy, disposition=disposition, attempts_made=attempts_made))


def delay_after(policy: RetryPolicy, *, disposition: Disposition, attempts_made: int) -> timedelta:
    """Return the delay after the recipient's `attempts_made`-th attempt ended with this disposition."""
    own = policy.delays_by_outcome.get(OUTCOME_OF[disposition], ()) if disposition in OUTCOME_OF else ()
    delays = own or policy.delays or (policy.retry_delay_minutes,)
    past = max(0, attempts_made - len(delays))
    minutes = delays[min(max(attempts_made, 1), len(delays)) - 1]
    # 2 ** 16 minutes is already more than the longest delay; a larger power could overflow.
    factor = 2 ** min(past, 16) if policy.back_off else 1
    return min(timedelta(minutes=minutes) * factor, max(LONGEST_DELAY, timedelta(minutes=minutes)))


def attempts_left(policy: RetryPolicy, *, attempts_made: int) -> int:
    """Return how many attempts remain, never less than 0."""
    return max(0, policy.max_attempts - attempts_made)


_SETTLED: Final[Mapping[Disposition, str]] = {
    _D.ANSWERED: "The person was reached.",
    _D.DELIVERED: "The message was delivered.",
    _D.INVALID_NUMBER: "The number cannot be reached.",
    _D.OPTED_OUT: "The person asked not to be contacted again.",
    _D.CANCELLED: "The attempt was cancelled.",
}
WHY_SETTLED: Final[Mapping[Disposition, str]] = {**_SETTLED, _D.VOICEMAIL: "A machine answered."}
"""The sentence for a recipient that ended without an error; the other dispositions have none."""


def all_used(most: int) -> str:
    """Return the sentence that says that all attempts of a recipient are used."""
    return "The only attempt is used." if most <= 1 else f"All {most} attempts are used."
