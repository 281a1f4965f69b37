"""A clock that goes only when it is told to."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class VirtualClock:
    """Stands still until `advance`; sleeping on it advances it at once."""

    at: datetime = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    """A Monday, 10:00 in New York."""
    running: float = 1_000.0

    def now(self) -> datetime:
        return self.at

    def boottime(self) -> float:
        return self.running

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds=seconds)
        await asyncio.sleep(0)

    def advance(self, **step: float) -> None:
        """Let time pass."""
        self.at += timedelta(**step)
        self.running += timedelta(**step).total_seconds()
