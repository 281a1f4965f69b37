"""An oracle for calling hours: it looks at the wall clock in every minute, and shares no code with what it judges.

`python -m tests.domain.hours_oracle` judges a sample; `--all` every IANA zone, every change of its clock from 2024
to 2037, and every shape of window.
"""

import argparse
import random
import sys
import time as stopwatch
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from app.domain.calling_hours import Constraint, Window, open_span

FIRST: Final = datetime(2024, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2038, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
AROUND: Final = timedelta(hours=36)
"""How long before and after a change of the clock every minute is looked at."""

Minutes = tuple[int, int, frozenset[int]]
"""A window as the oracle knows it: minutes of the day from and until, and ISO days on which it starts."""

DAILY: Final = frozenset(range(1, 8))
SHAPES: Final[dict[str, tuple[Minutes, ...]]] = {
    "09-17": ((540, 1020, DAILY),),
    "22-06": ((1320, 360, DAILY),),
    "00-24": ((0, 0, DAILY),),
    "01:30-02:30": ((90, 150, DAILY),),
    "several a day": ((0, 45, DAILY), (100, 125, DAILY), (540, 720, DAILY), (840, 1020, DAILY)),
    "by day": (
        (1380, 200, frozenset({6})),
        (150, 190, frozenset({7})),
        (540, 1020, frozenset({1, 2, 3, 4, 5})),
    ),
}


@dataclass(frozen=True)
class Figure:
    """What was compared."""

    zones: int = 0
    changes: int = 0
    comparisons: int = 0
    disagreements: tuple[str, ...] = ()

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(
            self.zones + other.zones,
            self.changes + other.changes,
            self.comparisons + other.comparisons,
            self.disagreements + other.disagreements,
        )


def looks_open(shape: Sequence[Minutes], wall: datetime) -> bool:
    """Tell whether the wall clock is in one of the windows."""
    minute, today = wall.hour * 60 + wall.minute, wall.isoweekday()
    yesterday = 7 if today == 1 else today - 1
    for start, end, days in shape:
        if start < end:
            if today in days and start <= minute < end:
                return True
        elif (today in days and minute >= start) or (yesterday in days and minute < end):
            return True
    return False


def spans_looked_up(
    rules: Sequence[tuple[str, Sequence[Minutes]]], begin: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the spans in which all rules are open, cut at `begin` and `end`, by looking at every minute."""
    zones = [(ZoneInfo(name), shape) for name, shape in rules]
    spans: list[tuple[datetime, datetime]] = []
    opened: datetime | None = None
    at = begin
    while at < end:
        is_open = all(looks_open(shape, at.astimezone(zone)) for zone, shape in zones)
        if is_open and opened is None:
            opened = at
        if not is_open and opened is not None:
            spans.append((opened, at))
            opened = None
        at += MINUTE
    return spans if opened is None else [*spans, (opened, end)]


def spans_computed(
    rules: Sequence[tuple[str, Sequence[Minutes]]], begin: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the same spans as the product finds them, one after another."""
    constraints = [Constraint(name, tuple(map(_window, shape))) for name, shape in rules]
    spans: list[tuple[datetime, datetime]] = []
    at = begin
    while at < end:
        span = open_span(constraints, at)
        if span is None or span.opens_at >= end:
            break
        closes = min(span.closes_at or end, end)
        spans.append((span.opens_at, closes))
        at = closes
    return spans


def changes_of(name: str) -> Iterator[datetime]:
    """Yield each minute from 2024 to 2037 in which the zone's clock has another offset than in the minute before."""
    zone, step = ZoneInfo(name), timedelta(hours=6)
    at = FIRST
    while at < LAST:
        if at.astimezone(zone).utcoffset() != (at + step).astimezone(zone).utcoffset():
            minutes = (at + MINUTE * number for number in range(1, 361))
            yield next(
                minute
                for minute in minutes
                if minute.astimezone(zone).utcoffset() != (minute - MINUTE).astimezone(zone).utcoffset()
            )
        at += step


def judge(name: str, *, most_changes: int | None = None) -> Figure:
    """Compare around every change of the zone's clock, or the last few; in a zone without any, around one noon."""
    changes = list(changes_of(name))[-most_changes if most_changes else None :]
    compared, wrong = 0, []
    for change in changes or [datetime(2026, 7, 4, 12, tzinfo=UTC)]:
        begin, end = change - AROUND, change + AROUND
        for label, shape in SHAPES.items():
            looked_up, computed = (
                find([(name, shape)], begin, end) for find in (spans_looked_up, spans_computed)
            )
            compared += int((end - begin) / MINUTE)
            if looked_up != computed:
                wrong.append(f"{name} at {change:%Y-%m-%d %H:%M}, {label}: {looked_up} is not {computed}")
    return Figure(1, len(changes), compared, tuple(wrong))


def main() -> int:
    """Print the figure; 1 if there is a disagreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--all", action="store_true", help="every zone and change; else 20 zones' last 2 changes"
    )
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    names = sorted(available_timezones())
    if not asked.all:
        names = random.sample(names, 20)
    began = stopwatch.monotonic()
    with ProcessPoolExecutor(asked.processes) as pool:
        work = partial(judge, most_changes=None if asked.all else 2)
        figure = sum(pool.map(work, names, chunksize=8), Figure())
    for line in figure.disagreements:
        print(line)  # noqa: T201 - a command
    print(  # noqa: T201 - a command
        f"{figure.zones} zones, {figure.changes} changes of the clock, {len(SHAPES)} shapes of windows, "
        f"{figure.comparisons} minutes compared, {len(figure.disagreements)} disagreements, "
        f"{stopwatch.monotonic() - began:.0f} s"
    )
    return 1 if figure.disagreements else 0


def _window(minutes: Minutes) -> Window:
    start, end, days = minutes
    return Window(time(start // 60, start % 60), time(end // 60, end % 60), days)


if __name__ == "__main__":
    sys.exit(main())
