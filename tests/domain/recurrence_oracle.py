"""An oracle for recurring schedules: it steps through days and minutes, and shares no code with what it judges.

`python -m tests.domain.recurrence_oracle` judges a sample; `--all` every IANA zone, at every change of its clock from
2024 to 2037, in every shape of schedule.
"""

import argparse
import random
import sys
import time as stopwatch
from calendar import monthrange
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from app.domain.recurrence import Frequency, Recurrence, occurrences

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ZONES: Final = sorted(available_timezones())
ODD_ZONES: Final = (
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Gaza",
    "America/Nuuk",
    "Africa/Cairo",
)
"""The usual, half an hour, twice a year in Ramadan, at midnight, before midnight, at midnight."""
SHAPES: Final = ("daily", "weekly", "monthly on the 31st", "monthly on the 29th")
TIMES: Final = (time(0), time(0, 30), time(1, 30), time(2), time(2, 30), time(3), time(9))


@dataclass(frozen=True)
class Tally:
    """What was compared."""

    zones: int = 0
    changes: int = 0
    schedules: int = 0
    disagreements: tuple[str, ...] = ()

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.zones + other.zones,
            self.changes + other.changes,
            self.schedules + other.schedules,
            self.disagreements + other.disagreements,
        )


def fits(recurrence: Recurrence, day: date, first: date) -> bool:
    """Tell whether the calendar names this day, if `first` is the first occurrence."""
    every = recurrence.interval
    match recurrence.frequency:
        case Frequency.DAILY:
            return (day - first).days % every == 0
        case Frequency.WEEKLY:
            mondays = [each - DAY * each.weekday() for each in (first, day)]
            weeks = (mondays[1] - mondays[0]).days // 7
            return day.isoweekday() in recurrence.days_of_week and weeks % every == 0
        case Frequency.MONTHLY:
            months = (day.year - first.year) * 12 + day.month - first.month
            return months % every == 0 and day.day == min(first.day, monthrange(day.year, day.month)[1])


def named_dates(recurrence: Recurrence, until: date) -> Iterator[date]:
    """Yield the dates that the calendar names, day by day, from the first."""
    day = recurrence.start_date
    assert day is not None
    while recurrence.frequency is Frequency.WEEKLY and day.isoweekday() not in recurrence.days_of_week:
        day += DAY
    first, number = day, 0
    while day <= min(until, recurrence.end_date or until):
        if fits(recurrence, day, first):
            number += 1
            if recurrence.count is not None and number > recurrence.count:
                return
            yield day
        day += DAY


def first_minute_at_or_after(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first minute in which the zone's clock shows `wall` or later, minute by minute."""
    about = wall.replace(tzinfo=zone, fold=0).astimezone(UTC) - timedelta(hours=4)
    assert about.astimezone(zone).replace(tzinfo=None) < wall
    while about.astimezone(zone).replace(tzinfo=None) < wall:
        about += MINUTE
    return about


def expected(recurrence: Recurrence, after: datetime, until: datetime) -> list[datetime]:
    zone = ZoneInfo(recurrence.time_zone)
    walls = (
        datetime.combine(day, recurrence.time)
        for day in named_dates(recurrence, until.date() + DAY)
        if day >= after.date() - 2 * DAY
    )
    moments = [first_minute_at_or_after(wall, zone) for wall in walls]
    return [at for at in moments if after < at <= until]


def found(recurrence: Recurrence, after: datetime, until: datetime) -> list[datetime]:
    times = []
    for at in occurrences(recurrence, after):
        if at > until:
            break
        times.append(at)
    return times


def transitions(zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the days on which the zone's offset changes, 2024 to 2037."""
    day = datetime(2024, 1, 1, tzinfo=UTC)
    while day.year < 2038:
        if day.astimezone(zone).utcoffset() != (day + DAY).astimezone(zone).utcoffset():
            yield day
        day += DAY


def judge(name: str, *, shapes: Sequence[str] = SHAPES, most_changes: int | None = None) -> Tally:
    """Compare schedules of a zone from two days before to three days after each change of its clock."""
    jumps = list(transitions(ZoneInfo(name)))[:most_changes]
    compared, wrong = 0, []
    for day in jumps:
        for shape in shapes:
            for at in TIMES:
                recurrence = _of_shape(shape, name, at, day)
                after, until = day - 2 * DAY, day + 3 * DAY
                compared += 1
                if found(recurrence, after, until) != expected(recurrence, after, until):
                    wrong.append(f"{name}, {day:%Y-%m-%d}, {shape} at {at:%H:%M}")
    return Tally(1, len(jumps), compared, tuple(wrong))


def _of_shape(shape: str, zone: str, at: time, day: datetime) -> Recurrence:
    start = {"monthly on the 31st": date(2023, 12, 31), "monthly on the 29th": date(2023, 12, 29)}
    return Recurrence(
        frequency=Frequency(shape.split(maxsplit=1)[0]),
        days_of_week=(1, 3, 5, 6, 7) if shape == "weekly" else (),
        time=at,
        time_zone=zone,
        start_date=start.get(shape, (day - 40 * DAY).date()),
    )


def main() -> int:
    """Judge, print the figure and return 1 if anything disagrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every zone and change; else 20 zones' first 2")
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    names = ZONES if asked.all else random.sample(ZONES, 20)
    began = stopwatch.monotonic()
    with ProcessPoolExecutor(asked.processes) as pool:
        work = partial(judge, most_changes=None if asked.all else 2)
        figure = sum(pool.map(work, names, chunksize=8), Tally())
    for line in figure.disagreements:
        print(line)  # noqa: T201 - a command
    print(  # noqa: T201 - a command
        f"{figure.zones} zones, {figure.changes} changes of the clock, {figure.schedules} schedules compared, "
        f"{len(figure.disagreements)} disagreements, {stopwatch.monotonic() - began:.0f} s"
    )
    return 1 if figure.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
