"""Which of our numbers a call shows: the strategies of a pool, its numbers' caps, bursts and rests."""

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
    """The one this contact saw last, whatever the campaign."""
    LOCAL_PRESENCE = "local_presence"
    """One with the contact's area code, when there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCaps:
    """How much one of our numbers may call. 0 is no cap."""

    daily: int = 0
    """Starts in any 24 hours."""
    burst: int = 0
    """Starts within `burst_window`, after which it cools down."""
    burst_window: timedelta = timedelta(minutes=10)
    cool_down: timedelta = timedelta(minutes=30)
    """How long it rests after a burst, counted from the burst's last start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUse:
    """One number of the pool, as it stands."""

    phone_number_id: int
    number: str
    used: int = 0
    """Starts in the last 24 hours."""
    most: int | None = None
    """How many more it may start now; None: any number."""
    free_at: datetime | None = None
    """When a number that may start none may again; None: when a person puts it back to work."""
    is_lost: bool = False
    """Networks distrust it and nothing but a person's work on it ends that. One that a person set aside is not lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStarts:
    """What one number started lately, as the rows tell."""

    in_a_day: int = 0
    day_full_since: datetime | None = None
    """The oldest of the newest `NumberCaps.daily` starts within 24 hours; None: there are not so many."""
    newest: Sequence[datetime] = ()
    """The newest starts, at least `NumberCaps.burst` of them if there are so many, in any order."""


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
    """Return how much one number may start now. A rest without an end lasts until a person ends it.

    `flagged`: it rests because networks distrust it.
    """
    lost = resting and flagged and resting_until is None
    use = NumberUse(phone_number_id=phone_number_id, number=number, used=starts.in_a_day, is_lost=lost)
    if resting and (resting_until is None or resting_until > now):
        return replace(use, most=0, free_at=resting_until)
    waits = [at for at in (_after_burst(caps, sorted(starts.newest), now), _after_day(caps, starts)) if at]
    if waits:
        return replace(use, most=0, free_at=max(waits))
    left = [caps.daily - starts.in_a_day] if caps.daily else []
    if caps.burst:
        left.append(caps.burst - sum(start > now - caps.burst_window for start in starts.newest))
    return replace(use, most=min(left, default=None))


def _after_day(caps: NumberCaps, starts: NumberStarts) -> datetime | None:
    if not caps.daily or starts.in_a_day < caps.daily or starts.day_full_since is None:
        return None
    return starts.day_full_since + DAY


def _after_burst(caps: NumberCaps, starts: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when the cool-down of the newest burst ends; None if there was none, or it is over."""
    if not caps.burst or len(starts) < caps.burst:
        return None
    first, last = starts[-caps.burst], starts[-1]
    if last - first >= caps.burst_window:
        return None
    until = max(last + caps.cool_down, first + caps.burst_window)
    return until if until > now else None


@dataclass(slots=True)
class Pool:
    """The numbers of a campaign during one pass: each choice counts against what is left."""

    strategy: NumberStrategy
    numbers: tuple[NumberUse, ...]
    """In the pool's order."""
    cursor: int = 0
    """Where round robin goes on."""
    _chosen: dict[int, int] = field(default_factory=dict)

    @property
    def free(self) -> bool:
        """One of the numbers may start a call now."""
        return any(self._left(each) for each in self.numbers)

    @property
    def is_lost(self) -> bool:
        """None of the numbers is free again before somebody mends something; so it is without any number."""
        return all(each.is_lost for each in self.numbers)

    @property
    def free_at(self) -> datetime | None:
        """When the first of them may again; None: when a person does something about it."""
        return min((each.free_at for each in self.numbers if each.free_at is not None), default=None)

    def choose(
        self, to: str, *, seen_last: int | None = None, other_than: int | None = None
    ) -> NumberUse | None:
        """Return the number to show `to`, and count it; None if none is free.

        `seen_last`: the id of the number this contact saw last. `other_than`: the id not to show if another is free.
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
        """Return the first of them in turn, and let the turn go on behind it."""
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
    """Return the country and area code of an E.164 number; None for numbers without one, as mobile ones."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    length = phonenumbers.length_of_geographical_area_code(parsed)
    if not length:
        return None
    return f"{parsed.country_code}-{phonenumbers.national_significant_number(parsed)[:length]}"
