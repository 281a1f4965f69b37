"""The clock seam: everything that asks the time takes a `Clock`, so that tests can bend it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the engine may ask of time."""

    def now(self) -> datetime:
        """Return the current UTC-aware time."""
        ...

    def boottime(self) -> float:
        """Return seconds of a steady clock that goes on counting while the machine is suspended."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall clock's time in UTC."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """Return CLOCK_BOOTTIME where there is one (Linux); macOS's CLOCK_MONOTONIC already counts sleep."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)


class CalibratedClock(SystemClock):
    """The machine's clock, corrected to the database's, so that workers on several machines agree."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Return the database's time, as last compared."""
        return super().now() + self.offset
