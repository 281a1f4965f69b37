"""When one of our numbers should rest: networks flag it, or it is answered less often than others of its pool."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp, lgamma
from typing import Final

from app.domain.attempt import Disposition

FLAGGED_FOR: Final = timedelta(hours=24)
"""How long a flagged number rests. Networks label by the calls of the last days; without calls the label fades."""

FLAGGED_AGAIN_WITHIN: Final = timedelta(days=7)
"""If a number is flagged twice within this, its label has not faded: it rests until a person puts it back."""

LOW_ANSWER_RATE_FOR: Final = timedelta(hours=4)

LOOK_BACK: Final = timedelta(hours=24)
"""Older calls do not count."""

MINIMUM_CALLS: Final = 30
"""A number is judged only if it has this many calls, and so have the others of its pool together."""

CHANCE: Final = 0.001
"""The accepted chance of a false alarm, for each time a pool is judged."""

NOTICEABLE: Final = 0.75
"""A number whose answer rate is at least this share of the others' never rests, however certain the difference."""

UNWANTED: Final = 607
"""The SIP code by which the called person rejects unwanted calls (RFC 8197)."""


class NumberRest(StrEnum):
    """Why one of our numbers makes no calls now."""

    FLAGGED = "flagged"
    """The carrier or the called networks say that it looks like spam (SIP 607, 608; Twilio 32017)."""
    LOW_ANSWER_RATE = "low_answer_rate"
    """It is answered significantly less often than the others of its pool."""
    MANUAL = "manual"


PICKED_UP: Final = frozenset({Disposition.ANSWERED, Disposition.VOICEMAIL, Disposition.OPTED_OUT})
"""A person or a machine answered the call."""

JUDGED: Final = PICKED_UP | {Disposition.NO_ANSWER, Disposition.BUSY, Disposition.REJECTED}
"""Outcomes that count for a number's answer rate. Others do not depend on the number."""


def said_by_the_person(sip_code: int | None) -> bool:
    """Tell whether the called person rejected the call; otherwise a network did."""
    return sip_code == UNWANTED


@dataclass(frozen=True, slots=True)
class Answered:
    """How often one number's calls were answered, by people or machines."""

    phone_number_id: int
    calls: int
    answered: int

    @property
    def percent(self) -> float:
        """The answer rate in percent."""
        return 100 * self.answered / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class Poor:
    """A number that is answered significantly less often than the others of its pool."""

    number: Answered
    others: Answered
    """All others of the pool together (`phone_number_id` 0)."""


def poorly_answered(pool: Sequence[Answered]) -> list[Poor]:
    """Return the numbers whose answer rate is significantly and noticeably below that of the pool's others.

    By Fisher's exact test, one-sided; the accepted chance of a false alarm is divided by the number of numbers.
    """
    calls, answered = sum(each.calls for each in pool), sum(each.answered for each in pool)
    judged = [Poor(each, Answered(0, calls - each.calls, answered - each.answered)) for each in pool]
    return [each for each in judged if _is_poor(each, numbers=len(pool))]


def tail(*, calls: int, answered: int, other_calls: int, other_answered: int) -> float:
    """Return the probability that a number as good as the others has this many answered calls or fewer."""
    successes = answered + other_answered
    least = max(0, successes - other_calls)
    whole = _log_choose(calls + other_calls, successes)
    return min(
        1.0,
        sum(
            exp(_log_choose(calls, few) + _log_choose(other_calls, successes - few) - whole)
            for few in range(least, answered + 1)
        ),
    )


def rest_after_flag(*, flagged_before: datetime | None, now: datetime) -> datetime | None:
    """Return until when a number that is flagged now rests; None: until a person puts it back.

    `flagged_before`: the time of its previous flag.
    """
    again = flagged_before is not None and now - flagged_before <= FLAGGED_AGAIN_WITHIN
    return None if again else now + FLAGGED_FOR


def _is_poor(poor: Poor, *, numbers: int) -> bool:
    number, others = poor.number, poor.others
    if min(number.calls, others.calls) < MINIMUM_CALLS or number.percent >= NOTICEABLE * others.percent:
        return False
    chance = tail(
        calls=number.calls,
        answered=number.answered,
        other_calls=others.calls,
        other_answered=others.answered,
    )
    return chance < CHANCE / numbers


def _log_choose(whole: int, part: int) -> float:
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)
