"""When one of our numbers should rest: networks flag it, or people pick up less than for the others of its pool."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp, lgamma
from typing import Final

from app.domain.attempt import Disposition

FLAGGED_FOR: Final = timedelta(hours=24)
"""How long a number rests that a network flagged: their labels follow the last days' calls, and fade without any."""

FLAGGED_AGAIN_WITHIN: Final = timedelta(days=7)
"""Flagged twice within this, a number rests until a person puts it back: its label has not faded."""

LOW_ANSWER_RATE_FOR: Final = timedelta(hours=4)

LOOK_BACK: Final = timedelta(hours=24)
"""Calls older than this say nothing of how a number does today."""

MINIMUM_CALLS: Final = 30
"""Fewer calls of a number, or of all others of its pool, prove nothing."""

CHANCE: Final = 0.001
"""How likely a pool of equally good numbers may lose one of them by bad luck, each time it is judged."""

NOTICEABLE: Final = 0.75
"""A number answered at least this share as often as the others is left alone, however sure the difference."""

UNWANTED: Final = 607
"""The SIP answer by which the called person says that they do not want our calls (RFC 8197)."""


class NumberRest(StrEnum):
    """Why one of our numbers makes no calls just now."""

    FLAGGED = "flagged"
    """The carrier or the called networks say that it looks like spam (SIP 607, 608; Twilio 32017)."""
    LOW_ANSWER_RATE = "low_answer_rate"
    """It is answered significantly less often than the others of its pool."""
    MANUAL = "manual"


PICKED_UP: Final = frozenset({Disposition.ANSWERED, Disposition.VOICEMAIL, Disposition.OPTED_OUT})
"""Somebody or something answered the call."""

JUDGED: Final = PICKED_UP | {Disposition.NO_ANSWER, Disposition.BUSY, Disposition.REJECTED}
"""These ends of a call say how well its number does; the others say nothing of it."""


def said_by_the_person(sip_code: int | None) -> bool:
    """Tell whether it was the called person who did not want the call, not a network that distrusts our number."""
    return sip_code == UNWANTED


@dataclass(frozen=True, slots=True)
class Answered:
    """How often one number's calls were answered, by people or machines."""

    phone_number_id: int
    calls: int
    answered: int

    @property
    def percent(self) -> float:
        """Answered calls of a hundred."""
        return 100 * self.answered / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class Poor:
    """A number that is answered significantly less often than the others of its pool."""

    number: Answered
    others: Answered
    """All others of the pool together (`phone_number_id` 0)."""


def poorly_answered(pool: Sequence[Answered]) -> list[Poor]:
    """Return the numbers whose answer rate is significantly and noticeably below that of the pool's others.

    By Fisher's exact test, one-sided; the chance of a false alarm is shared out over the numbers of the pool.
    """
    judged = [Poor(number, _others(pool, number)) for number in pool]
    return [each for each in judged if _is_poor(each, numbers=len(pool))]


def tail(*, calls: int, answered: int, other_calls: int, other_answered: int) -> float:
    """Return how likely a number as good as the others has so few of its calls answered, or fewer."""
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
    """Return until when a number rests that is flagged now; None: until a person puts it back to work.

    `flagged_before`: when its last flag before this rest came.
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


def _others(pool: Sequence[Answered], number: Answered) -> Answered:
    others = [each for each in pool if each.phone_number_id != number.phone_number_id]
    return Answered(0, sum(each.calls for each in others), sum(each.answered for each in others))


def _log_choose(whole: int, part: int) -> float:
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)
