"""What a page that watches may rely on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.runtime.live_feed import LiveNote
from app.services.errors import CallsheetError, NotFound
from app.services.live_hub import LiveHub, Watched, rest_after

ACME = Watched(organization_id=1, campaign_id=None, what="list")
SPRING = Watched(organization_id=1, campaign_id=7, what="overview")


class Source:
    """A thing to watch, and how often it was read."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = 0

    async def load(self) -> int:
        self.reads += 1
        return self.value


async def no_check() -> None:
    """Everybody may go on watching."""


@pytest.fixture
async def hub() -> AsyncIterator[LiveHub]:
    hub = LiveHub(interval=0.001, slow_tick=30)
    yield hub
    await hub.close()


async def test_the_present_snapshot_comes_first_and_then_each_new_one(hub: LiveHub) -> None:
    source = Source()
    snapshots = hub.watch(SPRING, source.load, check=no_check)
    assert await anext(snapshots) == 0
    source.value = 1
    hub.notice(LiveNote(organization_id=1, campaign_id=7))
    assert await asyncio.wait_for(anext(snapshots), 5) == 1
    await snapshots.aclose()


async def test_many_watchers_share_one_reading(hub: LiveHub) -> None:
    source = Source()
    watchers = [hub.watch(SPRING, source.load, check=no_check) for _ in range(50)]
    assert [await anext(watcher) for watcher in watchers] == [0] * 50
    assert source.reads <= 2
    for watcher in watchers:
        await watcher.aclose()


async def test_a_burst_of_notes_is_read_once_more_at_most_twice(hub: LiveHub) -> None:
    source = Source()
    snapshots = hub.watch(SPRING, source.load, check=no_check)
    await anext(snapshots)
    source.value = 1
    for _ in range(1000):
        hub.notice(LiveNote(organization_id=1, campaign_id=7))
    assert await asyncio.wait_for(anext(snapshots), 5) == 1
    assert source.reads <= 3
    await snapshots.aclose()


def test_a_slow_reading_is_followed_by_a_longer_rest() -> None:
    assert rest_after(0.01, shortest=0.25) == 0.25
    assert rest_after(0.2, shortest=0.25) == pytest.approx(0.8)


async def test_a_lost_note_is_healed_by_the_slow_tick() -> None:
    hub, source = LiveHub(interval=0.001, slow_tick=0.01), Source()
    snapshots = hub.watch(SPRING, source.load, check=no_check)
    await anext(snapshots)
    source.value = 1
    assert await asyncio.wait_for(anext(snapshots), 5) == 1
    await snapshots.aclose()


async def test_a_failed_reading_does_not_end_the_watching(hub: LiveHub) -> None:
    source, is_broken = Source(), [True]

    async def load() -> int:
        if is_broken.pop() if is_broken else False:
            raise ConnectionError
        return await source.load()

    snapshots = LiveHub(interval=0.001, slow_tick=0.01).watch(SPRING, load, check=no_check)
    assert await asyncio.wait_for(anext(snapshots), 5) == 0
    await snapshots.aclose()


async def test_who_lost_the_right_stops_watching(hub: LiveHub) -> None:
    async def refused() -> None:
        raise CallsheetError("no longer")

    snapshots = hub.watch(SPRING, Source().load, check=refused, recheck=0.01)
    await anext(snapshots)
    with pytest.raises(CallsheetError):
        await asyncio.wait_for(anext(snapshots), 5)


@pytest.mark.parametrize(
    ("watched", "note", "concerned"),
    [
        (SPRING, LiveNote(1, 7), True),
        (SPRING, LiveNote(1, 8), False),
        (SPRING, LiveNote(1), True),
        (SPRING, LiveNote(2, 7), False),
        (ACME, LiveNote(1, 8), True),
        (ACME, LiveNote(2, 8), False),
        (Watched(1, None, "shell", of_campaigns=False), LiveNote(1, 8), False),
        (Watched(1, None, "shell", of_campaigns=False), LiveNote(1), True),
    ],
)
def test_a_note_concerns_its_campaign_and_its_organization(
    watched: Watched, note: LiveNote, *, concerned: bool
) -> None:
    assert watched.concerns(note) is concerned


async def test_the_watching_ends_for_all_when_the_thing_is_gone_and_it_is_read_no_more(hub: LiveHub) -> None:
    source, is_gone = Source(), asyncio.Event()

    async def load() -> int:
        value = await source.load()
        if is_gone.is_set():
            raise NotFound("campaign", 7)
        return value

    watchers = [hub.watch(SPRING, load, check=no_check) for _ in range(2)]
    assert [await anext(watcher) for watcher in watchers] == [0, 0]
    is_gone.set()
    hub.notice(LiveNote(organization_id=1, campaign_id=7))
    for watcher in watchers:
        assert await asyncio.wait_for(anext(watcher, "over"), 5) == "over"
    reads = source.reads
    hub.notice(LiveNote(organization_id=1, campaign_id=7))
    late = hub.watch(SPRING, load, check=no_check)
    assert await asyncio.wait_for(anext(late, "over"), 5) == "over"
    assert source.reads == reads + 1


async def test_what_was_never_there_is_not_watched(hub: LiveHub, caplog: pytest.LogCaptureFixture) -> None:
    async def load() -> int:
        raise NotFound("campaign", 7)

    snapshots = hub.watch(SPRING, load, check=no_check)
    assert await asyncio.wait_for(anext(snapshots, "over"), 5) == "over"
    assert not caplog.records


async def test_what_comes_back_is_watched_anew(hub: LiveHub) -> None:
    source, is_gone = Source(), [True]

    async def load() -> int:
        if is_gone:
            is_gone.pop()
            raise NotFound("campaign", 7)
        return await source.load()

    assert await asyncio.wait_for(anext(hub.watch(SPRING, load, check=no_check), "over"), 5) == "over"
    snapshots = hub.watch(SPRING, load, check=no_check)
    assert await asyncio.wait_for(anext(snapshots), 5) == 0
    await snapshots.aclose()
