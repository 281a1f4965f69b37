"""Clocks that are set, go wrong or disagree: nobody is contacted outside the hours, by the carrier's clock."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from app.domain.calling_hours import HoursClock
from app.domain.campaign import CampaignStatus
from app.domain.legal_policy import LegalPolicy
from app.models import Campaign, Organization
from app.runtime.clock import CalibratedClock
from app.runtime.database import Database
from app.services.dialing.reserve.reservation import reserve
from tests.support.builders import make_contact, make_recipient
from tests.support.clock import VirtualClock
from tests.support.stage import DialingStage, set_stage
from tests.support.waiting import until
from worker.dialer import Dialer

ZONES: Final = (
    *("Pacific/Honolulu", "America/Los_Angeles", "America/Denver", "America/New_York", "America/Sao_Paulo"),
    *("Europe/London", "Europe/Berlin", "Africa/Nairobi", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Auckland"),
)
_DAILY: Final = [{"start": "09:00", "end": "17:00", "days": [1, 2, 3, 4, 5, 6, 7]}]
_STEPS: Final = (
    *(timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)),
    *(timedelta(minutes=5), timedelta(minutes=-5)),
)
MOVES: Final = 200
AT_NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class World:
    """The true time, which the carrier has; the database's wall clock, and two workers, all of which may be wrong."""

    true: VirtualClock
    database_is_ahead: timedelta = timedelta(0)
    workers: list[CalibratedClock] = field(default_factory=list)
    walls: list[VirtualClock] = field(default_factory=list)

    def go_on(self, **step: float) -> None:
        self.true.advance(**step)
        for wall in self.walls:
            wall.advance(**step)

    def calibrate(self, worker: CalibratedClock, *, carrier_is_away: bool = False) -> None:
        """As the worker does every few seconds."""
        told, heard = self.true.now() + self.database_is_ahead, worker.boottime()
        if worker.agrees(told, heard):
            worker.follow(told, heard)
        else:
            worker.judge(told, heard, None if carrier_is_away else self.true.now())


def two_workers(world: World) -> None:
    for minutes in (5, -5):
        wall = VirtualClock(world.true.now() + timedelta(minutes=minutes), running=random.uniform(0, 1_000))
        world.walls.append(wall)
        world.workers.append(CalibratedClock(wall))
        world.calibrate(world.workers[-1])


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_clock_is_set_nobody_is_called_outside_their_hours(
    database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    stage, zones = await people_around_the_globe(database)
    world = World(VirtualClock(AT_NOON))
    stage.carrier.now = world.true.now
    two_workers(world)
    for _ in range(MOVES):
        change(world, chance)
        worker = chance.choice(world.workers)
        if not worker.doubt:
            await dial(stage, worker)
    called = list(calls(stage, zones))
    assert len(called) > len(ZONES), "it called people all the same"
    assert [each for each in called if not time(9) <= each.time() < time(17)] == []


def change(world: World, chance: random.Random) -> None:
    """Let time pass, set a clock, or have a worker compare its own."""
    kind = chance.choice(["pass", "pass", "pass", "wall", "database", "mended", "compare", "away"])
    match kind:
        case "pass":
            world.go_on(minutes=chance.randint(1, 180))
        case "wall":
            chance.choice(world.walls).at += chance.choice(_STEPS)
        case "database":
            world.database_is_ahead += chance.choice(_STEPS)
        case "mended":
            world.database_is_ahead = timedelta(0)
        case _:
            pass
    for worker in world.workers:
        if kind in {"pass", "compare", "away"}:
            world.calibrate(worker, carrier_is_away=kind == "away")


async def people_around_the_globe(database: Database) -> tuple[DialingStage, dict[str, str]]:
    """Return a campaign that calls people by their own clocks, and each number's zone."""
    stage = await set_stage(
        database,
        contacts=0,
        organization={"legal_policy": LegalPolicy.OFF, "frequency_cap": 0},
        calling_windows=_DAILY,
        calling_clock=HoursClock.CONTACT,
    )
    zones = {}
    async with database.transaction() as session:
        campaign = await session.get_one(Campaign, stage.campaign_id)
        owner = await session.get_one(Organization, stage.organization.id)
        for _ in range(20):
            for zone in ZONES:
                contact = await make_contact(session, owner, time_zone=zone)
                long_ago = AT_NOON - timedelta(days=30)
                await make_recipient(session, campaign, contact, not_before=long_ago)
                zones[contact.number] = zone
    return stage, zones


async def dial(stage: DialingStage, worker: CalibratedClock) -> None:
    """Reserve and place what this worker thinks may be called now."""
    stage.clock = worker  # type: ignore[assignment]  # its `place` reads the time from it
    outcome = await reserve(
        stage.database,
        campaign_id=stage.campaign_id,
        worker="test-worker",
        carrier_account_id=stage.account.id,
        clock=worker,
        most=2,
    )
    await stage.record(*await stage.place(*outcome.reservations))


def calls(stage: DialingStage, zones: dict[str, str]) -> Iterator[datetime]:
    """Yield the local time of each call where its person is, by the carrier's ledger."""
    for made in stage.carrier.made.values():
        yield made.created_at.astimezone(ZoneInfo(zones[made.to]))


def test_a_workers_wall_clock_moves_nothing_between_two_comparisons() -> None:
    wall = VirtualClock(AT_NOON)
    clock = CalibratedClock(wall)
    clock.follow(AT_NOON, wall.boottime())
    wall.at += timedelta(hours=1)
    wall.running += 5
    assert clock.now() == AT_NOON + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("carriers", "believed", "doubted"),
    [(timedelta(hours=1), "database", "sure"), (timedelta(0), "own", "sure"), (None, "own", "in doubt")],
    ids=["the database is right", "the database is wrong", "the carrier cannot be asked"],
)
def test_if_the_database_jumps_the_carrier_decides(
    carriers: timedelta | None, believed: str, doubted: str
) -> None:
    wall = VirtualClock(AT_NOON)
    clock = CalibratedClock(wall)
    clock.follow(AT_NOON, wall.boottime())
    told = AT_NOON + timedelta(hours=1)
    assert not clock.agrees(told, wall.boottime())
    clock.judge(told, wall.boottime(), AT_NOON + carriers if carriers is not None else None)
    assert clock.now() == (told if believed == "database" else AT_NOON)
    assert ("in doubt" if clock.doubt else "sure") == doubted


@pytest.mark.parametrize("people", [3, 0], ids=["people are due", "all have ended"])
async def test_a_worker_in_doubt_reserves_nothing_and_ends_no_run(database: Database, people: int) -> None:
    stage = await set_stage(database, contacts=people)
    asked: list[None] = []

    def in_doubt() -> bool:
        asked.append(None)
        dialer.wake()
        return False

    async def passed_twice() -> bool:
        return len(asked) > 1

    dialer = Dialer(
        database=database,
        feed=None,
        carrier=stage.carrier,
        clock=stage.clock,
        worker="in doubt",
        carrier_account_id=stage.account.id,
        is_sure_of_the_time=in_doubt,
    )
    dialing = asyncio.create_task(dialer.run())
    await until(passed_twice)
    dialer.stop()
    await dialing
    assert (stage.carrier.orders, await stage.attempts()) == ([], [])
    assert (await stage.campaign()).status is CampaignStatus.QUEUED
