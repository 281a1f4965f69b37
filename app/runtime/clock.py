"""The clock. Code that needs the time takes a `Clock`, so that tests can control it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


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


class CalibratedClock(SystemClock):
    """The machine's clock, adjusted to the database's, so that workers on several machines agree."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Return the database's time, by the last comparison."""
        return super().now() + self.offset
