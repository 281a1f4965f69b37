"""Recurring schedules: on which local dates something runs, and when that is on the clock of the schedule's zone.

The dates come first, by the calendar alone; each is then placed on the clock. So each local occurrence is there exactly
once, whatever the clock of the zone does that day: a time that the clock jumps over runs at the first minute after the
jump, and a time that the clock shows twice runs the first time.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import dropwhile
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MO, MONTHLY, WEEKLY, rrule

from app.domain.time_zones import read_zone

LONGEST_INTERVAL: Final = 999
MOST_OCCURRENCES: Final = 10_000

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_FIRST_DATE: Final = date(2000, 1, 1)
_LAST_DATE: Final = date(2999, 12, 31)
_SHORTEST_MONTH: Final = 28
_WEEKDAYS: Final = frozenset(range(1, 8))


class Frequency(StrEnum):
    """The unit of a schedule's interval."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class RunPeople(StrEnum):
    """Who is contacted in each run of a recurring campaign."""

    SAME = "same"
    """Those of the run before, without those removed."""
    SEGMENT = "segment"
    """Those who match a segment of the address book at the time of the occurrence."""


class MissedRun(StrEnum):
    """What becomes of an occurrence whose time passed while nothing could start."""

    CATCH_UP = "catch_up"
    """It runs late, at once. Of several missed ones, only the last."""
    SKIP = "skip"
    """It does not run; the next one does, at its time."""


MISSED_AFTER: Final = timedelta(minutes=5)
"""A start that is no later than this is on time."""


class RecurrenceInvalid(ValueError):
    """Some fields of the schedule are wrong. `errors`: field -> what to change."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A schedule: every `interval` days, weeks or months at `time` on the clock of `time_zone`, until it ends.

    The interval counts from the first occurrence, and weeks begin on Monday. A monthly schedule keeps the day of its
    first occurrence, and takes a month's last day where that day is missing.
    """

    frequency: Frequency
    interval: int = 1
    days_of_week: tuple[int, ...] = ()
    """For weekly, and only there: ISO numbers, 1 is Monday."""
    time: time
    """Hours and minutes."""
    time_zone: str
    """An IANA name."""
    start_date: date | None = None
    """The first occurrence is on this local date or the first after it that fits. None: the next that is to come."""
    end_date: date | None = None
    """The last local date that may have an occurrence."""
    count: int | None = None
    """How many occurrences there are, from the first; None: no such limit."""

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the schedule of the API's object. Raises `RecurrenceInvalid` with everything that is wrong."""
        values, problems = _read(given, _READERS)
        problems |= {name: why for name, why in _LACKING.items() if given.get(name) is None}
        if problems := _contradictions(values) | problems:
            raise RecurrenceInvalid(problems)
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Return the API's object, with null for what is not set."""
        dates = {name: at.isoformat() if (at := getattr(self, name)) else None for name in _DATES}
        return {
            "frequency": self.frequency.value,
            "interval": self.interval,
            "days_of_week": list(self.days_of_week),
            "time": f"{self.time:%H:%M}",
            "time_zone": self.time_zone,
            **dates,
            "count": self.count,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringPlan:
    """The runs of a recurring campaign: when they are, for whom, and what becomes of a missed one."""

    schedule: Recurrence
    people: RunPeople = RunPeople.SAME
    segment_id: int | None = None
    """With `RunPeople.SEGMENT`, and only then."""
    missed: MissedRun = MissedRun.CATCH_UP

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the plan of the API's object. Raises `RecurrenceInvalid` with everything that is wrong."""
        values, problems = _read(
            {name: each for name, each in given.items() if name in _PLAN_READERS}, _PLAN_READERS
        )
        if values.get("people") is RunPeople.SEGMENT and "segment_id" not in values:
            problems.setdefault("segment_id", "Choose the segment whose people are contacted.")
        if values.get("people", RunPeople.SAME) is RunPeople.SAME and "segment_id" in values:
            problems["segment_id"] = "Leave the segment out, or choose its people: people: segment."
        try:
            schedule = Recurrence.from_json(
                {name: each for name, each in given.items() if name not in _PLAN_READERS}
            )
        except RecurrenceInvalid as invalid:
            raise RecurrenceInvalid(invalid.errors | problems) from None
        if problems:
            raise RecurrenceInvalid(problems)
        return cls(schedule=schedule, **values)

    def to_json(self) -> dict[str, Any]:
        """Return the API's object, with null for what is not set."""
        return self.schedule.to_json() | {
            "people": self.people.value,
            "segment_id": self.segment_id,
            "missed": self.missed.value,
        }

    def to_run(self, *, after: datetime, now: datetime) -> datetime | None:
        """Return the occurrence that runs next after that of `after`; None if the schedule is over.

        Its time has passed if it was missed and is caught up. Of several missed ones only the last is caught up.
        """
        upcoming = next_occurrence(self.schedule, after)
        on_time = now - MISSED_AFTER
        if upcoming is None or upcoming >= on_time:
            return upcoming
        if self.missed is MissedRun.CATCH_UP:
            return latest_occurrence(self.schedule, after=after, until=now)
        return next_occurrence(self.schedule, on_time - timedelta.resolution)


def occurrences(recurrence: Recurrence, after: datetime) -> Iterator[datetime]:
    """Yield the times of the occurrences later than `after`, in order, in UTC.

    A schedule without a start date begins with the first occurrence after `after`. A stored one has its start date, so
    that it means the same at any time (`anchored`).
    """
    zone, last = ZoneInfo(recurrence.time_zone), after
    begin = after.date() - 2 * _DAY  # No clock is two days from UTC.
    for day in dropwhile(lambda day: day < begin, _dates(anchored(recurrence, after))):
        at = _on_the_clock(datetime.combine(day, recurrence.time), zone)
        if at > last:
            yield at
            last = at


def next_occurrence(recurrence: Recurrence, after: datetime) -> datetime | None:
    """Return the first occurrence later than `after`, in UTC; None if there is none."""
    return next(occurrences(recurrence, after), None)


def latest_occurrence(recurrence: Recurrence, *, after: datetime, until: datetime) -> datetime | None:
    """Return the last occurrence later than `after` and not later than `until`, in UTC; None if there is none."""
    latest = None
    for at in occurrences(recurrence, after):
        if at > until:
            break
        latest = at
    return latest


def anchored(recurrence: Recurrence, now: datetime) -> Recurrence:
    """Return the schedule with its start date: if it has none, the earliest local date with a time after `now`."""
    if recurrence.start_date is not None:
        return recurrence
    zone = ZoneInfo(recurrence.time_zone)
    today = now.astimezone(zone).date()
    passed = _on_the_clock(datetime.combine(today, recurrence.time), zone) <= now
    return replace(recurrence, start_date=today + _DAY if passed else today)


def why_it_has_ended(recurrence: Recurrence, now: datetime) -> dict[str, str]:
    """Return what to change in a schedule that has no occurrence after `now`: field -> why; nothing if it has one."""
    if next_occurrence(recurrence, now) is not None:
        return {}
    if recurrence.end_date is None:
        return {
            "count": "All of these occurrences have passed. Choose a later start date, or more occurrences."
        }
    today = now.astimezone(ZoneInfo(recurrence.time_zone)).date()
    if recurrence.end_date < today:
        return {"end_date": "This date has passed. Choose one in the future, or none."}
    return {"end_date": "No occurrence comes before the end of this date. Choose a later one, or none."}


def _dates(recurrence: Recurrence) -> Iterator[date]:
    """Yield the local dates of a schedule with a start date, from its first occurrence."""
    start, until = recurrence.start_date or _LAST_DATE, recurrence.end_date or _LAST_DATE
    rules: dict[str, Any] = {}
    if recurrence.frequency is Frequency.WEEKLY:
        # The interval counts from the week of the first occurrence, which may be the one after the start date's.
        start = next(day for day in _week_from(start) if day.isoweekday() in recurrence.days_of_week)
        rules = {"byweekday": [day - 1 for day in recurrence.days_of_week], "wkst": MO}
    elif recurrence.frequency is Frequency.MONTHLY:
        # Of the days up to the wanted one, the last that the month has.
        rules = {"bymonthday": range(min(start.day, _SHORTEST_MONTH), start.day + 1), "bysetpos": -1}
    moments = rrule(
        _UNITS[recurrence.frequency],
        dtstart=datetime.combine(start, time()),
        interval=recurrence.interval,
        count=recurrence.count,
        until=None if recurrence.count else datetime.combine(until, time()),
        **rules,
    )
    return (moment.date() for moment in moments)


def _week_from(start: date) -> Iterator[date]:
    return (start + _DAY * number for number in range(7))


def _on_the_clock(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return when the zone's clock first shows this wall time, or first shows a later one if it never shows it."""
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return at
    # The clock jumps over it. By the offset after the jump it is just before the jump, by the one before just after.
    low, high = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), at
    offset = low.astimezone(zone).utcoffset()
    while high - low > _MINUTE:
        middle = low + (high - low) // 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == offset else (low, middle)
    return high.replace(second=0, microsecond=0)


def _read(
    given: Mapping[str, Any], readers: Mapping[str, Callable[[object], Any]]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the good values of what is there, and what to change: field -> why."""
    problems = {name: "There is no such field." for name in given if name not in readers}
    values: dict[str, Any] = {}
    for name in readers:
        try:
            if given.get(name) is not None:
                values[name] = readers[name](given[name])
        except ValueError as problem:
            problems[name] = str(problem)
    return values, problems


def _word(words: type[StrEnum]) -> Callable[[object], StrEnum]:
    def read(raw: object) -> StrEnum:
        if raw not in set(words):
            raise ValueError(f"Choose one of: {', '.join(words)}.")
        return words(str(raw))

    return read


def _whole(most: int) -> Callable[[object], int]:
    def read(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= most:
            raise ValueError(f"Choose a whole number from 1 to {most:,}.")
        return raw

    return read


def _read_days(raw: object) -> tuple[int, ...]:
    days = raw if isinstance(raw, list | tuple) else [None]
    if not all(isinstance(day, int) and not isinstance(day, bool) and day in _WEEKDAYS for day in days):
        raise ValueError("Give the days as numbers: 1 is Monday, 7 is Sunday.")
    return tuple(sorted(set(days)))


def _read_time(raw: object) -> time:
    text = raw.strip() if isinstance(raw, str) else ""
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d(:00)?", text, re.ASCII):
        raise ValueError("Give a time of day, such as 09:00.")
    return time.fromisoformat(text.zfill(5))


def _read_zone(raw: object) -> str:
    return read_zone(raw if isinstance(raw, str) else "")


def _read_date(raw: object) -> date:
    try:
        day = date.fromisoformat(raw.strip() if isinstance(raw, str) else "")
    except ValueError:
        raise ValueError("Give a date, such as 2030-12-31.") from None
    if not _FIRST_DATE <= day <= _LAST_DATE:
        raise ValueError(f"Choose a date from {_FIRST_DATE} to {_LAST_DATE}.")
    return day


def _contradictions(values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong between fields that are good by themselves."""
    found = {}
    start, end = values.get("start_date"), values.get("end_date")
    if start is not None and end is not None and end < start:
        found["end_date"] = "This is before the start date. Choose a later date, or none."
    if end is not None and values.get("count") is not None:
        found["count"] = "A schedule ends on a date or after a number of occurrences. Send one of them."
    days, frequency = values.get("days_of_week"), values.get("frequency")
    if frequency is Frequency.WEEKLY and not days:
        found["days_of_week"] = "Choose at least one day of the week."
    if days and frequency not in {None, Frequency.WEEKLY}:
        found["days_of_week"] = "Days of the week are for weekly schedules. Leave them out, or choose weekly."
    return found


_UNITS: Final[Mapping[Frequency, Any]] = {
    Frequency.DAILY: DAILY,
    Frequency.WEEKLY: WEEKLY,
    Frequency.MONTHLY: MONTHLY,
}
_DATES: Final = ("start_date", "end_date")
_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "frequency": _word(Frequency),
    "interval": _whole(LONGEST_INTERVAL),
    "days_of_week": _read_days,
    "time": _read_time,
    "time_zone": _read_zone,
    **dict.fromkeys(_DATES, _read_date),
    "count": _whole(MOST_OCCURRENCES),
}
_PLAN_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "people": _word(RunPeople),
    "segment_id": _whole(2**63 - 1),
    "missed": _word(MissedRun),
}
_LACKING: Final[Mapping[str, str]] = {
    "frequency": f"Say how often: {', '.join(Frequency)}.",
    "time": "Say at what time of day, such as 09:00.",
    "time_zone": "Say in which time zone, such as America/New_York.",
}
