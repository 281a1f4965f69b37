"""What `doctor` says of campaigns that failed."""

import asyncio

import pytest

from app.cli.doctor import _campaigns
from app.cli.errors import CommandError
from app.config import Settings
from app.db import Database
from app.services.dialing.pausing import fail_by_system
from tests.support.stage import set_stage


async def test_doctor_fails_while_a_campaign_waits_to_be_mended(database: Database) -> None:
    settings = Settings(database_url=database.url)
    stage = await set_stage(database, contacts=1)
    assert await asyncio.to_thread(_campaigns, settings) == "none has failed"

    async with database.transaction() as session:
        await fail_by_system(
            session, campaign_id=stage.campaign_id, reason="No number is left.", now=stage.clock.now()
        )
    with pytest.raises(CommandError) as told:
        await asyncio.to_thread(_campaigns, settings)
    assert str(told.value) == "“March reminders” of Acme Corp failed: No number is left."
