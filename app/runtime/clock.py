"""The clock. Code that needs the time takes a `Clock`, so that tests can control it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol


class Clock(Protocol):
    """The operations of a clock."""

    def now(self) -> datetime:
        """Return the current UTC-aware time."""
        ...

    def boottime(self) -> float:
        """Return the seconds of a monotonic clock that also counts while the machine is suspended."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait this many seconds of this clock."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall clock's time in UTC."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """Return CLOCK_BOOTTIME on Linux; on macOS CLOCK_MONOTONIC, which counts suspended time too."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)


MOST_DRIFT: Final = timedelta(seconds=30)
"""A greater difference from the database's clock is no drift: one of the clocks was set."""

MOST_APART: Final = timedelta(minutes=2)
"""How far a clock may be from the carrier's and still be right."""


class CalibratedClock:
    """The database's time, carried on by the machine's monotonic clock between comparisons.

    So workers on several machines agree, and setting a machine's wall clock moves nothing. If the database's own clock
    is set, the carrier's tells which time is right. Until that is known, `doubt` says so, and nothing may be dialed:
    calling hours could be checked at a wrong time.
    """

    def __init__(self, local: Clock | None = None) -> None:
        self.doubt = ""
        """Why the time is not certain, as a sentence for users; empty: it is."""
        self._local: Clock = local or SystemClock()
        self._told: datetime | None = None
        self._heard: float = 0.0

    def now(self) -> datetime:
        """Return the database's time, by the last comparison; before that the machine's."""
        return self._at(self._local.boottime()) if self._told is not None else self._local.now()

    def boottime(self) -> float:
        """Return the seconds of the machine's monotonic clock."""
        return self._local.boottime()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await self._local.sleep(seconds)

    def agrees(self, told: datetime, heard: float) -> bool:
        """Tell whether the database's time, heard at that `boottime`, is this clock's but for drift."""
        return self._told is not None and abs(told - self._at(heard)) <= MOST_DRIFT

    def follow(self, told: datetime, heard: float) -> None:
        """Take the database's time, heard at that `boottime`."""
        self._told, self._heard, self.doubt = told, heard, ""

    def judge(self, told: datetime, heard: float, carriers: datetime | None) -> None:
        """Decide by the carrier's time whether the database's clock or this one is right; None: it is not known.

        The first time of all is believed if the carrier cannot be asked.
        """
        if (carriers is None and self._told is None) or (
            carriers is not None and abs(told - carriers) <= MOST_APART
        ):
            self.follow(told, heard)
        elif (
            carriers is not None and self._told is not None and abs(self._at(heard) - carriers) <= MOST_APART
        ):
            self.doubt = ""
        else:
            self.doubt = (
                f"The clock of the database's machine says {told:%Y-%m-%d %H:%M} UTC, "
                + (
                    f"the carrier's {carriers:%Y-%m-%d %H:%M} UTC. "
                    if carriers
                    else "which is a sudden change. "
                )
                + "Nothing is dialed until they agree: set the machine's clock."
            )

    def _at(self, boottime: float) -> datetime:
        assert self._told is not None
        return self._told + timedelta(seconds=boottime - self._heard)


class RehearsalClock:
    """Another clock, put forward or back by the seconds in a file: to see what a campaign does at another hour."""

    def __init__(self, clock: Clock, offset_file: Path) -> None:
        self._clock, self._offset_file = clock, offset_file

    def now(self) -> datetime:
        """Return the other clock's time and the offset. Without a file, or with another text in it, that is 0."""
        try:
            offset = timedelta(seconds=float(self._offset_file.read_text()))
        except (OSError, ValueError):
            offset = timedelta(0)
        return self._clock.now() + offset

    def boottime(self) -> float:
        """Return the other clock's."""
        return self._clock.boottime()

    async def sleep(self, seconds: float) -> None:
        """Wait by the other clock."""
        await self._clock.sleep(seconds)
