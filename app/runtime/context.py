"""The composition root of web, API, workers and CLI: the shared objects of one process."""

from dataclasses import dataclass
from functools import lru_cache

from app.domain.legal_hours import LegalHours, LegalHoursInvalid
from app.runtime.clock import Clock, RehearsalClock, SystemClock
from app.runtime.config import Settings, get_settings
from app.runtime.database import Database
from app.runtime.job_queue import JobQueue
from app.runtime.live_feed import LiveFeed
from app.runtime.quotas import Quotas


@dataclass(frozen=True, slots=True)
class AppContext:
    """The shared objects that an entry point passes to the services."""

    settings: Settings
    database: Database
    feed: LiveFeed
    queue: JobQueue
    clock: Clock
    quotas: Quotas

    async def close(self) -> None:
        """Close every connection."""
        await self.database.dispose()
        await self.feed.close()
        await self.queue.close()


class NotConfigured(Exception):
    """A setting that this process needs is missing or cannot be used."""


def build_context(
    settings: Settings, *, clock: Clock | None = None, pool_size: int = 10, ping: bool = True
) -> AppContext:
    """Make the shared objects, without connecting yet. Raises `NotConfigured`, which names the variable."""
    if settings.database_url is None:
        raise NotConfigured("DATABASE_URL is not set; `callsheet up` sets it for the processes it starts")
    if settings.redis_url is None:
        raise NotConfigured("REDIS_URL is not set; `callsheet up` sets it for the processes it starts")
    try:
        LegalHours.load(settings.legal_hours_file)
    except LegalHoursInvalid as wrong:
        raise NotConfigured(f"CALLSHEET_LEGAL_HOURS: {wrong}") from wrong
    clock = _rehearsal(settings, clock or SystemClock())
    feed = LiveFeed(settings.redis_url)
    return AppContext(
        settings=settings,
        database=Database(settings.database_url, pool_size=pool_size, on_commit=feed.publish, ping=ping),
        feed=feed,
        queue=JobQueue(settings.redis_url),
        clock=clock,
        quotas=Quotas(clock),
    )


def _rehearsal(settings: Settings, clock: Clock) -> Clock:
    if settings.rehearsal_clock_file is None:
        return clock
    if settings.has_carrier and not settings.carrier_simulated:
        raise NotConfigured("CALLSHEET_REHEARSAL_CLOCK is for the simulated carrier only: unset it")
    return RehearsalClock(clock, settings.rehearsal_clock_file)


@lru_cache(maxsize=1)
def get_context() -> AppContext:
    """Return this process's context, made on first use."""
    return build_context(get_settings())
