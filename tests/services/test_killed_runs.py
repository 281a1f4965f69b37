"""A worker that is killed between the end of one run and the calls of the next: each occurrence runs exactly once."""

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from app.domain.campaign import CampaignStatus, ScheduleType
from app.domain.events import EventKind
from app.models import Campaign, Recipient, Run
from app.runtime.database import Database
from app.runtime.migrations import PROJECT
from app.services.campaigns import run_filling
from app.services.campaigns.run_filling import due_runs, fill_run
from app.services.campaigns.scheduled_starts import launch_scheduled
from tests.support.stage import DialingStage, set_stage

BATCH: Final = 2
PEOPLE: Final = 5
FIRST, SECOND = datetime(2026, 3, 2, 15, 0, tzinfo=UTC), datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
DAILY: Final[dict[str, Any]] = {
    "frequency": "daily",
    "time": "10:00",
    "time_zone": "America/New_York",
    "start_date": "2026-03-02",
    "count": 2,
}

POINTS: Final = (
    "before_run_opening_commit:1",
    "before_fill_commit:1",
    "after_fill_commit:1",
    "before_fill_commit:2",
    "after_fill_commit:2",
    "before_fill_commit:3",
    "after_fill_commit:3",
    "before_launch_commit:1",
    "after_launch_commit:1",
    "before_reserve:1",
    "before_reserve_commit:1",
)
"""Each place between the transaction that opens the second run and its first attempt, and which time it is passed."""


@pytest.mark.parametrize("point", POINTS)
async def test_each_occurrence_runs_once_for_everybody_wherever_a_worker_is_killed(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(run_filling, "BATCH", BATCH)
    stage = await _first_run_is_over(database)

    await _killed_at(point, database_url, stage)

    assert await _attempts_by_run(database) == {1: PEOPLE}
    stage.clock.at = SECOND + timedelta(seconds=30)
    await _work(stage)
    await _work(stage)
    assert await _attempts_by_run(database) == {1: PEOPLE, 2: PEOPLE}
    async with database.session() as session:
        runs = (await session.scalars(select(Run).order_by(col(Run.number)))).all()
        campaign = await session.get_one(Campaign, stage.campaign_id)
        people = Counter((await session.execute(select(col(Recipient.contact_id)))).scalars())
    assert [run.occurrence_at for run in runs] == [FIRST, SECOND]
    assert set(people.values()) == {2}
    assert campaign.status is CampaignStatus.COMPLETED


async def _first_run_is_over(database: Database) -> DialingStage:
    """Return a campaign whose first run has called everybody, and is not ended yet."""
    stage = await set_stage(
        database,
        contacts=PEOPLE,
        schedule_type=ScheduleType.RECURRING,
        recurring_config=DAILY,
        scheduled_at=FIRST,
    )
    async with database.transaction() as session:
        run = (await session.scalars(select(Run))).one()
        run.occurrence_at = run.started_at = run.filled_at = FIRST
    await _call(stage)
    return stage


async def _call(stage: DialingStage) -> None:
    for each in await stage.dial():
        await stage.hear(each.attempt_id, EventKind.ANSWERED, EventKind.COMPLETED)


async def _work(stage: DialingStage) -> None:
    """Do what the workers do, in turn: end runs, fill them, launch, dial."""
    await stage.complete()
    async with stage.database.session() as session:
        due = await due_runs(session, now=stage.clock.now())
    for run_id in due:
        await fill_run(stage.database, run_id=run_id, clock=stage.clock)
    await launch_scheduled(
        stage.database, stage.carrier, carrier_account_id=stage.account.id, clock=stage.clock
    )
    await _call(stage)
    await stage.complete()


async def _attempts_by_run(database: Database) -> dict[int, int]:
    """Return number of the run -> its attempts."""
    counted = text(
        "SELECT run.number, count(*) AS attempts FROM attempt a JOIN run ON run.id = a.run_id GROUP BY run.number"
    )
    async with database.session() as session:
        return {row.number: row.attempts for row in await session.execute(counted)}


async def _killed_at(point: str, database_url: str, stage: DialingStage) -> None:
    """Let another process work until it is killed there."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-c",
            _RUN_IN_A_PROCESS,
            database_url,
            str(stage.campaign_id),
            str(stage.account.id),
        ),
        cwd=PROJECT,
        env={**os.environ, "CALLSHEET_FAULT": point, "CALLSHEET_CARRIER_SIMULATED": "1"},
    )
    assert await process.wait() == -signal.SIGKILL


_RUN_IN_A_PROCESS: Final = f"""
import asyncio, sys
from datetime import datetime
from types import SimpleNamespace
from app.runtime.database import Database
from app.runtime.fault_points import install_from_environment
from app.services.campaigns import run_filling
from tests.services.test_killed_runs import _work
from tests.support.carrier import ScriptedCarrier
from tests.support.clock import VirtualClock
from tests.support.stage import DialingStage
run_filling.BATCH = {BATCH}
install_from_environment()
clock = VirtualClock(at=datetime.fromisoformat("{SECOND.isoformat()}"))
account = SimpleNamespace(id=int(sys.argv[3]))
stage = DialingStage(
    Database(sys.argv[1]), clock, ScriptedCarrier(now=clock.now), None, account, int(sys.argv[2])
)
asyncio.run(_work(stage))
"""
