"""Which of our numbers a call shows: the strategies of a pool, and the caps, bursts and rests of its numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers

DAY: Final = timedelta(hours=24)


class NumberStrategy(StrEnum):
    """Which number of a pool a call shows."""

    ROUND_ROBIN = "round_robin"
    LEAST_USED = "least_used"
    """The one with the fewest starts in the last 24 hours."""
    STICKY = "sticky"
    """The one this contact saw last, in any campaign."""
    LOCAL_PRESENCE = "local_presence"
    """One with the contact's area code, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCaps:
    """How many calls one of our numbers may start. 0 is no cap."""

    daily: int = 0
    """Most starts in any 24 hours."""
    burst: int = 0
    """This many starts within `burst_window` are a burst: the number then cools down."""
    burst_window: timedelta = timedelta(minutes=10)
    cool_down: timedelta = timedelta(minutes=30)
    """How long it rests after the last start of a burst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUse:
    """The current state of one number of the pool."""

    phone_number_id: int
    number: str
    used: int = 0
    """Starts in the last 24 hours."""
    most: int | None = None
    """How many more calls it may start now; None if there is no limit."""
    free_at: datetime | None = None
    """If it may start none: when it may again; None if a person has to put it back."""
    is_lost: bool = False
    """It is flagged until a person repairs that. A number that a person set aside is not lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStarts:
    """The recent starts of one number."""

    in_a_day: int = 0
    day_full_since: datetime | None = None
    """The time of the `NumberCaps.daily`-th newest start within 24 hours; None if there are fewer."""
    newest: Sequence[datetime] = ()
    """The newest starts in any order: at least `NumberCaps.burst` of them, if there are that many."""


def number_use(
    phone_number_id: int,
    number: str,
    *,
    caps: NumberCaps,
    starts: NumberStarts,
    now: datetime,
    resting: bool = False,
    resting_until: datetime | None = None,
    flagged: bool = False,
) -> NumberUse:
    """Return the state of one number. A rest without `resting_until` lasts until a person ends it.

    `flagged`: it rests because networks flagged it.
    """
    lost = resting and flagged and resting_until is None
    use = NumberUse(phone_number_id=phone_number_id, number=number, used=starts.in_a_day, is_lost=lost)
    if resting and (resting_until is None or resting_until > now):
        return replace(use, most=0, free_at=resting_until)
    waits = [_after_burst(caps, sorted(starts.newest), now)]
    if caps.daily and starts.in_a_day >= caps.daily and starts.day_full_since is not None:
        waits.append(starts.day_full_since + DAY)
    if free_at := max((at for at in waits if at is not None), default=None):
        return replace(use, most=0, free_at=free_at)
    left = [caps.daily - starts.in_a_day] if caps.daily else []
    if caps.burst:
        left.append(caps.burst - sum(start > now - caps.burst_window for start in starts.newest))
    return replace(use, most=min(left, default=None))


def _after_burst(caps: NumberCaps, starts: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when the cool-down of the newest burst ends; None if there is none."""
    if not caps.burst or len(starts) < caps.burst:
        return None
    first, last = starts[-caps.burst], starts[-1]
    if last - first >= caps.burst_window:
        return None
    until = max(last + caps.cool_down, first + caps.burst_window)
    return until if until > now else None


@dataclass(slots=True)
class Pool:
    """The numbers of a campaign during one pass. Each choice counts against the number's limits."""

    strategy: NumberStrategy
    numbers: tuple[NumberUse, ...]
    """In the order of the pool."""
    cursor: int = 0
    """Where round robin continues."""
    _chosen: dict[int, int] = field(default_factory=dict)

    @property
    def free(self) -> bool:
        """Whether any number may start a call now."""
        return any(self._left(each) for each in self.numbers)

    @property
    def is_lost(self) -> bool:
        """Whether every number is lost; also if the pool is empty."""
        return all(each.is_lost for each in self.numbers)

    @property
    def free_at(self) -> datetime | None:
        """When the first number is free again; None if a person has to act first."""
        return min((each.free_at for each in self.numbers if each.free_at is not None), default=None)

    def choose(
        self, to: str, *, seen_last: int | None = None, other_than: int | None = None
    ) -> NumberUse | None:
        """Return the number to show to `to`, and count the start; None if no number is free.

        `seen_last`: the id of the number this contact saw last. `other_than`: the id to avoid if another is free.
        """
        free = [each for each in self.numbers if self._left(each)]
        free = [each for each in free if each.phone_number_id != other_than] or free
        if not free:
            return None
        chosen = self._prefer(free, to, seen_last)
        self._chosen[chosen.phone_number_id] = self._chosen.get(chosen.phone_number_id, 0) + 1
        return chosen

    def _prefer(self, free: Sequence[NumberUse], to: str, seen_last: int | None) -> NumberUse:
        match self.strategy:
            case NumberStrategy.LEAST_USED:
                return min(free, key=lambda each: each.used + self._chosen.get(each.phone_number_id, 0))
            case NumberStrategy.STICKY:
                same = [each for each in free if each.phone_number_id == seen_last]
                return self._next(same or free)
            case NumberStrategy.LOCAL_PRESENCE:
                area = area_code(to)
                local = [each for each in free if area is not None and area_code(each.number) == area]
                return self._next(local or free)
            case NumberStrategy.ROUND_ROBIN:
                return self._next(free)

    def _next(self, among: Iterable[NumberUse]) -> NumberUse:
        """Return the next of them in round-robin order, and move the cursor behind it."""
        allowed = {each.phone_number_id for each in among}
        places = range(self.cursor, self.cursor + len(self.numbers))
        place = next(at for at in places if self._at(at).phone_number_id in allowed)
        self.cursor = (place + 1) % len(self.numbers)
        return self._at(place)

    def _at(self, place: int) -> NumberUse:
        return self.numbers[place % len(self.numbers)]

    def _left(self, use: NumberUse) -> bool:
        return use.most is None or use.most > self._chosen.get(use.phone_number_id, 0)


@lru_cache(maxsize=10_000)
def area_code(number: str) -> str | None:
    """Return the country and area code of an E.164 number; None if it has no area code, as mobile numbers."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    length = phonenumbers.length_of_geographical_area_code(parsed)
    if not length:
        return None
    return f"{parsed.country_code}-{phonenumbers.national_significant_number(parsed)[:length]}"
