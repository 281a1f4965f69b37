"""Live pages and sockets: one snapshot for each watched thing in a process, however many clients watch it."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from app.runtime.context import get_context
from app.runtime.live_feed import LiveNote
from app.runtime.tasks import end_tasks
from app.services.errors import NotFound

T = TypeVar("T")
Load = Callable[[], Awaitable[T]]
Check = Callable[[], Awaitable[None]]

SHORTEST_INTERVAL: Final = 0.25
"""Seconds between two snapshots of one thing: at most four a second, however much happens."""
REST: Final = 4
"""The pause after a reading is this many times as long as the reading. So watching takes at most a fifth of one
database connection from the dialer, however large the campaign."""
SLOW_TICK: Final = 5.0
"""Seconds after which a watched thing is read again without a note, in case notes are lost or Redis is away."""
RECHECK: Final = 30.0
"""Seconds after which a watcher's right to watch is checked again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """The thing a page watches. All its watchers share one snapshot, so a snapshot depends on nothing else."""

    organization_id: int
    campaign_id: int | None
    """None: the organization as a whole."""
    what: str
    """Which snapshot: "overview", "list"."""
    of_campaigns: bool = True
    """True: changes in the organization's campaigns change it; False: only the organization's settings do."""
    run: int | None = None
    """The number of the campaign's run; None: the one that is shown without a choice."""

    def concerns(self, note: LiveNote) -> bool:
        """Tell whether the note may have changed the watched thing."""
        if note.organization_id != self.organization_id:
            return False
        if note.campaign_id is None:
            return True
        return self.of_campaigns if self.campaign_id is None else self.campaign_id == note.campaign_id


class Topic(Generic[T]):
    """One watched thing: its newest snapshot, its waiting watchers, and the task that reads it."""

    def __init__(self, watched: Watched, load: Load[T], *, interval: float, slow_tick: float) -> None:
        self.watched = watched
        self.load = load
        self.watchers = 0
        self._interval = interval
        self._slow_tick = slow_tick
        self._snapshot: T | None = None
        self._is_gone = False
        self._version = 0
        self._touched = asyncio.Event()
        self._published = asyncio.Event()

    def touch(self) -> None:
        """Read the snapshot again soon."""
        self._touched.set()

    async def newer_than(self, version: int) -> tuple[int, T] | None:
        """Wait for a snapshot newer than `version` (0: any), and return it with its version; None: it is gone."""
        while not self._is_gone:
            if self._snapshot is not None and self._version > version:
                return self._version, self._snapshot
            await self._published.wait()
        return None

    async def keep_fresh(self) -> None:
        """Read the snapshot now, after every touch and on the slow tick, until it is gone or this is cancelled."""
        while not self._is_gone:
            self._touched.clear()
            began = time.monotonic()
            await self._read()
            await asyncio.sleep(rest_after(time.monotonic() - began, shortest=self._interval))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._slow_tick):
                    await self._touched.wait()

    async def _read(self) -> None:
        try:
            snapshot = await self.load()
        except NotFound:
            self._is_gone = True
            self._published.set()
            return
        except Exception:
            # A failed reading must not end the watching: the next tick reads again.
            log.exception("live.snapshot_failed", extra={"watched": str(self.watched)})
            return
        if snapshot == self._snapshot:
            return
        self._snapshot = snapshot
        self._version += 1
        waiting, self._published = self._published, asyncio.Event()
        waiting.set()


def rest_after(reading: float, *, shortest: float) -> float:
    """Return the pause in seconds after a reading that took `reading` seconds."""
    return max(shortest, REST * reading)


class LiveHub:
    """The watched things of this process. Create it within the running loop, never before a fork."""

    def __init__(self, *, interval: float = SHORTEST_INTERVAL, slow_tick: float = SLOW_TICK) -> None:
        self._interval = interval
        self._slow_tick = slow_tick
        self._topics: dict[Watched, tuple[Topic[Any], asyncio.Task[None]]] = {}

    def notice(self, note: LiveNote) -> None:
        """Touch every watched thing that the note concerns."""
        for watched, (topic, _) in self._topics.items():
            if watched.concerns(note):
                topic.touch()

    async def follow(self, notes: AsyncIterator[LiveNote]) -> None:
        """Pass every note on to the watched things, until cancelled."""
        async for note in notes:
            self.notice(note)

    async def watch(
        self, watched: Watched, load: Load[T], *, check: Check, recheck: float = RECHECK
    ) -> AsyncGenerator[T, None]:
        """Yield the present snapshot and then each new one, at most one per interval, never the same twice.

        Ends when `load` raises `NotFound`. `check` is awaited every `recheck` seconds; if it raises, the watching ends.
        """
        async with self._joined(watched, load) as topic:
            clock = asyncio.get_running_loop()
            version, check_at = 0, clock.time() + recheck
            while True:
                try:
                    async with asyncio.timeout_at(check_at):
                        newer = await topic.newer_than(version)
                except TimeoutError:
                    pass
                else:
                    if newer is None:
                        return
                    version, snapshot = newer
                    yield snapshot
                if clock.time() >= check_at:
                    await check()
                    check_at = clock.time() + recheck

    @asynccontextmanager
    async def _joined(self, watched: Watched, load: Load[T]) -> AsyncIterator[Topic[T]]:
        topic = self._topic(watched, load)
        topic.watchers += 1
        try:
            yield topic
        finally:
            topic.watchers -= 1
            if topic.watchers == 0 and (left := self._topics.pop(watched, None)) is not None:
                await end_tasks(left[1])

    def _topic(self, watched: Watched, load: Load[T]) -> Topic[T]:
        """Return the topic, with the `load` of its newest watcher: an earlier watcher may have lost its right."""
        if watched in self._topics:
            topic = self._topics[watched][0]
            topic.load = load
            return topic
        topic = Topic(watched, load, interval=self._interval, slow_tick=self._slow_tick)
        self._topics[watched] = topic, asyncio.create_task(topic.keep_fresh(), name=f"live {watched}")
        return topic

    async def close(self) -> None:
        """Stop reading."""
        await end_tasks(*(task for _, task in self._topics.values()))
        self._topics.clear()


class _Process:
    """The hub of this process, while its web server runs."""

    hub: LiveHub | None = None


@asynccontextmanager
async def live_hub() -> AsyncIterator[None]:
    """Run the process's hub on the live feed: a lifespan task of the web process."""
    hub = _Process.hub = LiveHub()
    following = asyncio.create_task(hub.follow(get_context().feed.listen()), name="live feed")
    try:
        yield
    finally:
        _Process.hub = None
        await end_tasks(following)
        await hub.close()


async def watch(
    watched: Watched, load: Load[T], *, check: Check, recheck: float = RECHECK
) -> AsyncGenerator[T, None]:
    """Yield snapshots from the process's hub; see `LiveHub.watch`."""
    if _Process.hub is None:
        raise RuntimeError("The live hub is not running")
    async with aclosing(_Process.hub.watch(watched, load, check=check, recheck=recheck)) as snapshots:
        async for snapshot in snapshots:
            yield snapshot
