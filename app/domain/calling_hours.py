"""When a contact may be reached: a window of wall-clock time, in every zone the contact may be in.

The window is compared with the local wall clock, so clock changes need no rule of their own: 02:30 to 05:00 opens
at 03:00 in the night without 02:30, and 01:00 to 01:30 opens twice in the night that has that hour twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.parser import isoparser

DAY_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Index: the ISO number of the day, minus 1."""
EVERY_DAY: Final = frozenset(range(1, 8))
WEEKDAYS: Final = frozenset(range(1, 6))

_MIDNIGHT: Final = time(0)
_DAY: Final = timedelta(days=1)
_HORIZON: Final = timedelta(days=8)
"""A weekly window that does not open within this time (a week and a clock change) never opens."""
_ABBREVIATION: Final = 3


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
class CallingHours:
    """From `start` until just before `end`, on `days` (ISO: 1 is Monday), in the contact's own time.

    If the end is at or before the start, it is on the next day; `days` are those on which the window starts. Midnight
    to midnight is the whole day.
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


ALWAYS: Final = CallingHours(_MIDNIGHT, _MIDNIGHT)


def is_open(hours: CallingHours, zone_names: Sequence[str], now: datetime) -> bool:
    """Tell whether the window is open now in all of the zones. Raises `UnknownZone`, also for no zones."""
    return _open_in_all(hours, _zones(zone_names), now)


def next_opening(hours: CallingHours, zone_names: Sequence[str], now: datetime) -> datetime | None:
    """Return the first time from now on when the window is open in every zone; None if there is none.

    This is `now` if the window is open. Raises `UnknownZone`.
    """
    zones = _zones(zone_names)
    if _open_in_all(hours, zones, now):
        return now
    candidates = sorted({at for zone in zones for at in _instants(zone, hours.start, now)})
    return next((at for at in candidates if at > now and _open_in_all(hours, zones, at)), None)


def closes_at(hours: CallingHours, zone_names: Sequence[str], now: datetime) -> datetime | None:
    """Return the first time from now on when the window is closed in some zone; None if it never closes.

    This is `now` if the window is closed. Raises `UnknownZone`.
    """
    zones = _zones(zone_names)
    if not _open_in_all(hours, zones, now):
        return now
    candidates = sorted({at for zone in zones for at in _instants(zone, hours.end, now)})
    return next((at for at in candidates if at > now and not _open_in_all(hours, zones, at)), None)


def is_zone(name: str) -> bool:
    """Tell whether the IANA database has a time zone of this name."""
    try:
        _zone(name)
    except UnknownZone:
        return False
    return True


def parse_hours(value: Mapping[str, object]) -> CallingHours:
    """Return the window of the API's `{"start": "09:00", "end": "17:00", "days": ["monday", …]}`.

    Days may be names, three-letter names or ISO numbers, and are all seven when left out. Raises
    `CallingHoursInvalid`.
    """
    start, end = (_parse_time(field, value.get(field)) for field in ("start", "end"))
    return CallingHours(start, end, _parse_days(value.get("days")))


def format_hours(hours: CallingHours) -> dict[str, str | list[str]]:
    """Return the window as the API shows it; an end at midnight is `24:00`."""
    days = [DAY_NAMES[day - 1] for day in sorted(hours.days)]
    return {"start": f"{hours.start:%H:%M}", "end": _end_text(hours), "days": days}


def describe(hours: CallingHours) -> str:
    """Return the window in words: `09:00 to 17:00, Monday to Friday`."""
    when = "all day" if hours.start == hours.end else f"{hours.start:%H:%M} to {_end_text(hours)}"
    runs = ", ".join(_describe_run(run) for run in _runs(sorted(hours.days)))
    return f"{when}, {'every day' if hours.days == EVERY_DAY else runs}"


def _open_in_all(hours: CallingHours, zones: Iterable[ZoneInfo], now: datetime) -> bool:
    return all(_open_on_the_wall(hours, now.astimezone(zone)) for zone in zones)


def _open_on_the_wall(hours: CallingHours, local: datetime) -> bool:
    today, yesterday = local.isoweekday(), (local - _DAY).isoweekday()
    at = local.time()
    if hours.start < hours.end:
        return today in hours.days and hours.start <= at < hours.end
    return (today in hours.days and at >= hours.start) or (yesterday in hours.days and at < hours.end)


def _instants(zone: ZoneInfo, at: time, now: datetime) -> Iterator[datetime]:
    """Yield each day's time when the wall clock shows `at` or jumps. The window can open or close only then."""
    first = now.astimezone(zone).date() - _DAY
    days = [first + _DAY * number for number in range((_HORIZON // _DAY) + 2)]
    for day in days:
        for fold in (0, 1):
            yield datetime.combine(day, at, zone).replace(fold=fold).astimezone(UTC)
        yield from _jump(zone, day)


def _jump(zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """Yield the time at which the zone's UTC offset changes on that day, if it does."""
    low = datetime.combine(day, _MIDNIGHT, UTC)
    high = low + _DAY
    before = low.astimezone(zone).utcoffset()
    if before == high.astimezone(zone).utcoffset():
        return
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    yield high.replace(microsecond=0)


def _zones(names: Sequence[str]) -> tuple[ZoneInfo, ...]:
    if not names:
        raise UnknownZone("")
    return tuple(_zone(name) for name in names)


@lru_cache(maxsize=1_000)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise UnknownZone(name) from None


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


def _end_text(hours: CallingHours) -> str:
    return "24:00" if hours.end == _MIDNIGHT else f"{hours.end:%H:%M}"


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
