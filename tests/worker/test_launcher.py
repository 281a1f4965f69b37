"""The worker starts what is scheduled when its time has come."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from app.domain.campaign import CampaignStatus, ScheduleType
from app.runtime.clock import CalibratedClock
from app.runtime.config import Settings
from app.runtime.context import build_context
from app.runtime.database import Database
from tests.support.stage import DialingStage, set_stage
from worker.dialer import Dialer
from worker.runtime import WorkerState, _start_scheduled


@pytest.mark.parametrize(
    ("greeting", "status"),
    [("Hi.", CampaignStatus.QUEUED), ("", CampaignStatus.FAILED)],
    ids=["ready", "not ready"],
)
async def test_a_campaign_is_started_at_its_time_if_it_is_ready(
    database: Database, redis_url: str, greeting: str, status: CampaignStatus
) -> None:
    async with launching(database, redis_url, greeting) as (stage, state):
        await _start_scheduled(state)()
        assert (await stage.campaign()).status is status


async def test_nothing_is_started_while_the_time_is_in_doubt(database: Database, redis_url: str) -> None:
    async with launching(database, redis_url, "Hi.") as (stage, state):
        tomorrow = state.clock.now() + timedelta(days=1)
        state.calibrated.judge(tomorrow, state.clock.boottime(), tomorrow - timedelta(hours=12))
        assert state.calibrated.doubt
        await _start_scheduled(state)()
        assert (await stage.campaign()).status is CampaignStatus.SCHEDULED


@asynccontextmanager
async def launching(
    database: Database, redis_url: str, greeting: str
) -> AsyncIterator[tuple[DialingStage, WorkerState]]:
    """A campaign whose time has come, and a worker that starts what is due."""
    clock = CalibratedClock()
    stage = await set_stage(
        database,
        status=CampaignStatus.SCHEDULED,
        schedule_type=ScheduleType.SCHEDULED,
        scheduled_at=clock.now() - timedelta(seconds=1),
        agent={"greeting": ""},
        step={"welcome_message_template": greeting},
    )
    context = build_context(Settings(database_url=database.url, redis_url=redis_url))
    dialer = Dialer(
        database=database,
        feed=None,
        carrier=stage.carrier,
        clock=clock,
        worker="launcher",
        carrier_account_id=stage.account.id,
    )
    try:
        yield stage, WorkerState(context, clock, clock, stage.carrier, stage.account.id, dialer, "launcher")
    finally:
        await context.close()
