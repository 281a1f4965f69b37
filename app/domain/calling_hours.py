"""When people may be reached: windows of wall-clock time in several zones, and the time in which all are open.

A window is a set of minutes on the wall clock; it is open at an instant whose local time is one of them. So clock
changes need no rule of their own: 02:30 to 05:00 opens at 03:00 in the night without 02:30, and 01:00 to 01:30 opens
twice in the night that has that hour twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from dateutil.parser import isoparser

DAY_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Index: the ISO number of the day, minus 1."""
EVERY_DAY: Final = frozenset(range(1, 8))
WEEKDAYS: Final = frozenset(range(1, 6))

HORIZON: Final = timedelta(days=400)
"""How far `open_span` looks: a year with all its holidays, and a month."""

_MIDNIGHT: Final = time(0)
_ABBREVIATION: Final = 3
_DAY: Final = 86_400
"""Seconds in a day on the wall clock."""
_BLOCK: Final = 32 * _DAY
"""Seconds for which the offsets of a zone are found, and kept, at once."""
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST: Final = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())

_Pieces = tuple[tuple[int, int, int], ...]
"""A zone's offsets over some time: from, until and offset from UTC, in seconds."""
_Week = tuple[tuple[tuple[int, int], ...], ...]
"""What is open on Monday, Tuesday … Sunday: seconds since local midnight, sorted and apart."""


class HoursClock(StrEnum):
    """Whose clock the calling hours of a campaign are read on."""

    CAMPAIGN = "campaign"
    CONTACT = "contact"


class CallingHoursInvalid(ValueError):
    """The window cannot be used. `field` is `start`, `end` or `days`; the message says what to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownZone(ValueError):
    """The time zone is unknown or missing: calls are not allowed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” is not a known time zone." if name else "There is no time zone to go by.")
        self.name = name


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` until just before `end` on the wall clock, on `days` (ISO: 1 is Monday).

    If the end is at or before the start, it is on the next day; `days` are those on which the window starts. Midnight
    to midnight is the whole day. Raises `CallingHoursInvalid`.
    """

    start: time
    end: time
    days: frozenset[int] = EVERY_DAY

    def __post_init__(self) -> None:
        if not self.days or not self.days <= EVERY_DAY:
            raise CallingHoursInvalid("days", "Choose at least one day of the week.")
        if self.start == self.end != _MIDNIGHT:
            raise CallingHoursInvalid("end", "Start and end are the same. All day is 00:00 to 24:00.")
        for field, at in (("start", self.start), ("end", self.end)):
            if at.second or at.microsecond or at.tzinfo is not None:
                raise CallingHoursInvalid(field, "Give hours and minutes only, such as 09:00.")


@dataclass(frozen=True, slots=True)
class CallingHours:
    """When a campaign may reach people: any of its windows, by one clock. Without a window: at any hour."""

    windows: tuple[Window, ...] = ()
    clock: HoursClock = HoursClock.CAMPAIGN


ALWAYS: Final = CallingHours()


def one_window(start: time | None, end: time | None, days: frozenset[int]) -> tuple[Window, ...]:
    """Return the single window of a start, an end and days, where a missing time is midnight and no day is every day.

    Without times and on every day it is none: at any hour. Raises `CallingHoursInvalid`.
    """
    if start is None and end is None and days in {frozenset(), EVERY_DAY}:
        return ()
    return (Window(start or _MIDNIGHT, end or _MIDNIGHT, days or EVERY_DAY),)


class DaysOff(Protocol):
    """Says which days are closed from midnight to midnight. It must be hashable: answers are kept by it."""

    def why_off(self, day: date) -> str | None:
        """Return why the day is closed, such as the name of the holiday; None if it is not."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One rule about the hours in one zone: the local time is in one of the windows, on a day that is not off."""

    zone: str
    """The IANA name of the zone whose wall clock counts."""
    windows: tuple[Window, ...] = ()
    """Any of these; none: at any hour."""
    days_off: DaysOff | None = None
    name: str = "calling hours"
    """What users call the rule: `the campaign's hours`, `Florida's legal hours`."""
    whose: HoursClock = HoursClock.CAMPAIGN
    """Whether the zone is the person's own, or the campaign's."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which people may be reached, from `opens_at` until just before `closes_at`."""

    opens_at: datetime
    """The instant that was asked about, if it is open then; it may have been open before."""
    closes_at: datetime | None
    """None: it does not close within `HORIZON`."""


def open_span(
    constraints: Sequence[Constraint], now: datetime, *, horizon: timedelta = HORIZON
) -> Span | None:
    """Return the first time from now on in which all the constraints hold; None if there is none within the horizon.

    Without constraints any time will do. Raises `UnknownZone`.
    """
    started = int(now.timestamp() // 1)
    limit = min(started + int(horizon.total_seconds()), _LAST)
    rules = [_Rule(each) for each in constraints]
    opens = _all_open_at(rules, started, limit)
    if opens is None:
        return None
    closings = [closes for each in rules if (closes := each.closes(opens, limit)) is not None]
    return Span(
        now if opens == started else datetime.fromtimestamp(opens, UTC),
        datetime.fromtimestamp(min(closings), UTC) if closings else None,
    )


def _all_open_at(rules: Sequence["_Rule"], at: int, limit: int) -> int | None:
    """Return the first second from `at` on in which all the rules hold."""
    agreeing = 0
    while agreeing < len(rules):
        for each in rules:
            opens = each.opens(at, limit)
            if opens is None:
                return None
            agreeing = agreeing + 1 if opens == at else 1
            at = opens
            if agreeing == len(rules):
                break
    return at


def is_zone(name: str) -> bool:
    """Tell whether the IANA database has a time zone of this name."""
    try:
        zone_of(name)
    except UnknownZone:
        return False
    return True


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone of the IANA name. Raises `UnknownZone`."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise UnknownZone(name) from None


class _Rule:
    """A constraint in whole seconds: the wall clock is UTC plus an offset, as long as the offset stays the same."""

    __slots__ = ("_days_off", "_week", "_zone")

    def __init__(self, constraint: Constraint) -> None:
        zone_of(constraint.zone)
        self._zone = constraint.zone
        self._week = _week(constraint.windows)
        self._days_off = constraint.days_off

    def opens(self, at: int, limit: int) -> int | None:
        """Return the first second from `at` on, and before `limit`, in which the rule holds."""
        while at < limit:
            offset, until = _offset(self._zone, at)
            day, second = divmod(at + offset, _DAY)
            midnight = day * _DAY - offset
            while midnight < until and midnight < limit:
                for start, end in self._open_on(day):
                    if second < end:
                        opens = midnight + max(start, second)
                        if opens < until:
                            return opens if opens < limit else None
                        break
                day, second, midnight = day + 1, 0, midnight + _DAY
            at = until
        return None

    def closes(self, at: int, limit: int) -> int | None:
        """Return the first second from `at` on, and before `limit`, in which the rule does not hold."""
        while at < limit:
            offset, until = _offset(self._zone, at)
            day, second = divmod(at + offset, _DAY)
            end = next((end for start, end in self._open_on(day) if start <= second < end), None)
            if end is None:
                return at
            at = min(day * _DAY - offset + end, until)
        return None

    def _open_on(self, day: int) -> tuple[tuple[int, int], ...]:
        hours = self._week[(day + 3) % 7]  # Day 0, the first of 1970, is a Thursday.
        if not hours or self._days_off is None:
            return hours
        return () if self._days_off.why_off(date.fromordinal(day + _EPOCH_DAY)) else hours


@lru_cache(maxsize=10_000)
def _week(windows: tuple[Window, ...]) -> _Week:
    if not windows:
        return (((0, _DAY),),) * 7
    open_on: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for window in windows:
        start, end = _seconds(window.start), _seconds(window.end)
        for day in window.days:
            if start < end:
                open_on[day - 1].append((start, end))
            else:
                open_on[day - 1].append((start, _DAY))
                open_on[day % 7].append((0, end))
    return tuple(tuple(_joined(sorted(spans))) for spans in open_on)


def _seconds(at: time) -> int:
    return (at.hour * 60 + at.minute) * 60


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the sorted spans with those that touch or overlap made one, and without empty ones."""
    from_, until = 0, 0
    for start, end in spans:
        if start > until:
            if from_ < until:
                yield from_, until
            from_ = start
        until = max(until, end)
    if from_ < until:
        yield from_, until


def _offset(zone: str, at: int) -> tuple[int, int]:
    """Return the zone's offset from UTC in that second, and until when it is known to stay."""
    return next((offset, until) for _, until, offset in _pieces(zone, at // _BLOCK) if at < until)


@lru_cache(maxsize=20_000)
def _pieces(name: str, block: int) -> _Pieces:
    zone = zone_of(name)
    first = block * _BLOCK
    pieces: list[tuple[int, int, int]] = []
    offset = _offset_at(zone, first)
    begin = first
    for low in range(first, first + _BLOCK, _DAY):
        after = _offset_at(zone, low + _DAY)
        if after != offset:
            change = _change(zone, low, low + _DAY, offset)
            pieces.append((begin, change, offset))
            begin, offset = change, after
    return (*pieces, (begin, first + _BLOCK, offset))


def _change(zone: ZoneInfo, low: int, high: int, before: int) -> int:
    """Return the first second after `low` with another offset than `before`; at `high` it is another. One a day."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_at(zone, middle) == before else (low, middle)
    return high


def _offset_at(zone: ZoneInfo, at: int) -> int:
    return round((datetime.fromtimestamp(at, zone).utcoffset() or timedelta(0)).total_seconds())


def parse_window(value: Mapping[str, object]) -> Window:
    """Return the window of the API's `{"start": "09:00", "end": "17:00", "days": ["monday", …]}`.

    Days may be names, three-letter names or ISO numbers, and are all seven when left out. Raises
    `CallingHoursInvalid`.
    """
    start, end = (_parse_time(field, value.get(field)) for field in ("start", "end"))
    return Window(start, end, _parse_days(value.get("days")))


def format_window(window: Window) -> dict[str, str | list[str]]:
    """Return the window as the API shows it; an end at midnight is `24:00`."""
    days = [DAY_NAMES[day - 1] for day in sorted(window.days)]
    return {"start": f"{window.start:%H:%M}", "end": _end_text(window), "days": days}


def describe(windows: Sequence[Window]) -> str:
    """Return the windows in words: `09:00 to 12:00 and 14:00 to 17:00, Monday to Friday`."""
    if not windows:
        return "at any hour"
    same_days: dict[frozenset[int], list[Window]] = {}
    for window in windows:
        same_days.setdefault(window.days, []).append(window)
    return "; ".join(_describe_group(days, group) for days, group in same_days.items())


def describe_times(windows: Sequence[Window]) -> str:
    """Return the times of the windows without their days: `09:00 to 12:00 and 14:00 to 17:00`."""
    times = dict.fromkeys(
        "all day" if window.start == window.end else f"{window.start:%H:%M} to {_end_text(window)}"
        for window in windows
    )
    return " and ".join(times)


def _describe_group(days: frozenset[int], windows: Sequence[Window]) -> str:
    runs = ", ".join(_describe_run(run) for run in _runs(sorted(days)))
    return f"{describe_times(windows)}, {'every day' if days == EVERY_DAY else runs}"


def _parse_time(field: str, value: object) -> time:
    text = value.strip() if isinstance(value, str) else ""
    padded = f"0{text}" if text[1:2] == ":" else text
    if field == "end" and padded in {"24:00", "24:00:00"}:
        return _MIDNIGHT
    try:
        return isoparser().parse_isotime(padded) if ":" in padded and padded < "24" else _no_time(field)
    except ValueError:
        return _no_time(field)


def _no_time(field: str) -> time:
    raise CallingHoursInvalid(field, "Give a time of day, such as 09:00.")


def _parse_days(value: object) -> frozenset[int]:
    if value is None:
        return EVERY_DAY
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise CallingHoursInvalid("days", 'Give a list of days, such as ["monday", "tuesday"].')
    return frozenset(_parse_day(day) for day in value)


def _parse_day(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value in EVERY_DAY:
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    for number, name in enumerate(DAY_NAMES, start=1):
        if word and word in {name, name[:_ABBREVIATION], str(number)}:
            return number
    raise CallingHoursInvalid("days", f"“{value}” is not a day. Write monday, tuesday and so on.")


def _end_text(window: Window) -> str:
    return "24:00" if window.end == _MIDNIGHT else f"{window.end:%H:%M}"


def _runs(days: Sequence[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for day in days:
        if run and day != run[-1] + 1:
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _describe_run(run: Sequence[int]) -> str:
    first, last = DAY_NAMES[run[0] - 1].title(), DAY_NAMES[run[-1] - 1].title()
    if first == last:
        return first
    return f"{first} to {last}" if run[2:] else f"{first}, {last}"
