"""The carrier's time: dates are real UTC; durations are carrier seconds, which pass `speed` times faster."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(eq=False, slots=True)
class _Sleeper:
    wakes_at: float
    woken: asyncio.Future[None]
    timer: asyncio.TimerHandle | None = None


class SimulatedClock:
    """The one clock of the carrier. A change of speed also applies to sleeps that have already begun."""

    def __init__(self, speed: float) -> None:
        self._speed = _checked(speed)
        self._elapsed = 0.0
        self._marked_at = time.monotonic()
        self._sleepers: set[_Sleeper] = set()

    @property
    def speed(self) -> float:
        """How many carrier seconds pass in one real second."""
        return self._speed

    def now(self) -> datetime:
        """Return the real time, UTC: dates on the wire are true dates."""
        return datetime.now(UTC)

    def elapsed(self) -> float:
        """Return carrier seconds since the carrier started. It never decreases."""
        return self._elapsed + (time.monotonic() - self._marked_at) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait that many carrier seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = _Sleeper(self.elapsed() + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.add(sleeper)
        self._arm(sleeper)
        try:
            await sleeper.woken
        finally:
            self._sleepers.discard(sleeper)
            if sleeper.timer is not None:
                sleeper.timer.cancel()

    def set_speed(self, speed: float) -> None:
        """Let carrier time pass `speed` times faster than real time. Raises `ValueError` unless it is above zero."""
        speed = _checked(speed)
        self._elapsed = self.elapsed()
        self._marked_at = time.monotonic()
        self._speed = speed
        for sleeper in self._sleepers:
            self._arm(sleeper)

    def _arm(self, sleeper: _Sleeper) -> None:
        if sleeper.timer is not None:
            sleeper.timer.cancel()
        delay = max(0.0, sleeper.wakes_at - self.elapsed()) / self._speed
        sleeper.timer = asyncio.get_running_loop().call_later(delay, _wake, sleeper.woken)


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def _checked(speed: float) -> float:
    if not speed > 0:
        raise ValueError(f"speed must be above zero, not {speed}")
    return speed
