"""The worker starts what is scheduled when its time has come."""

from datetime import timedelta

import pytest

from app.domain.campaign import CampaignStatus, ScheduleType
from app.runtime.clock import CalibratedClock
from app.runtime.config import Settings
from app.runtime.context import build_context
from app.runtime.database import Database
from tests.support.stage import set_stage
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
    state = WorkerState(context, clock, clock, stage.carrier, stage.account.id, dialer, "launcher")
    await _start_scheduled(state)()
    assert (await stage.campaign()).status is status
    await context.close()
