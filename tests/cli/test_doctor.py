"""What `doctor` says of campaigns that failed."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from app.cli.doctor import _calling_hours, _campaigns, _numbers
from app.cli.errors import CommandError
from app.runtime.config import Settings
from app.runtime.database import Database
from app.services.campaigns.transitions import fail_by_system
from app.simulator.settings import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from tests.simulator.support import OUR_NUMBER, RunningCarrier, running_carrier
from tests.support.builders import make_carrier_account, make_number, make_organization
from tests.support.stage import set_stage


@pytest.fixture
def carrier() -> Iterator[RunningCarrier]:
    """A simulated carrier."""
    with running_carrier() as running:
        yield running


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


async def test_doctor_names_the_numbers_that_the_carrier_account_does_not_have(
    database: Database, carrier: RunningCarrier
) -> None:
    settings = Settings(database_url=database.url)
    environment = {
        "TWILIO_ACCOUNT_SID": DEFAULT_ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": DEFAULT_AUTH_TOKEN,
        "TWILIO_API_URL": carrier.url,
        "CALLSHEET_SECRET": "a secret",
    }
    async with database.transaction() as session:
        acme = await make_organization(session, name="Acme Corp")
        await make_number(session, acme, number=OUR_NUMBER)
        await make_number(session, acme, number="+12015550900", active=False)
        elsewhere = await make_carrier_account(session)
        await make_number(session, acme, number="+12015550901", carrier_account_id=elsewhere.id)
    told = await asyncio.to_thread(_numbers, settings, environment)
    assert told == "the carrier account has all 1 that are active"

    carrier.disown(OUR_NUMBER)
    with pytest.raises(CommandError, match=rf"does not have \{OUR_NUMBER} of Acme Corp: buy them there"):
        await asyncio.to_thread(_numbers, settings, environment)
    wrong = environment | {"TWILIO_AUTH_TOKEN": "wrong"}
    with pytest.raises(CommandError, match="the carrier could not be asked"):
        await asyncio.to_thread(_numbers, settings, wrong)


def test_doctor_names_the_versions_that_calling_hours_go_by() -> None:
    told = _calling_hours()
    assert re.fullmatch(r"tzdata \S+, phonenumbers \S+, holidays \S+, legal hours 2026-12-01", told)
