"""Before a start: whom no hour suits, a date that is far ahead, and legal hours that are off."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from app.domain.campaign import CampaignStatus, ScheduleType
from app.domain.legal_policy import LegalPolicy
from app.models import Campaign
from app.services.access.legal_policies import DEMO_REASON
from app.services.access.organizations import update_organization
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.lifecycle import start_campaign
from app.services.campaigns.operations import create_campaign, update_campaign
from app.services.campaigns.preflight import preflight
from app.services.errors import FieldErrors
from app.services.numbers.carriers import ensure_carrier_account
from tests.services.campaign_world import REAL, SIMULATED, CampaignWorld
from tests.support.builders import NOON, make_contact, make_number, make_recipient

LATE: dict[str, Any] = {"allowed_start": time(20, 30), "allowed_end": time(20, 50)}
MIAMI, CHICAGO = "+13055550", "+13125550"
NO_HOUR = "No hour satisfies Florida's legal hours (08:00 to 20:00) and the campaign's hours (20:30 to 20:50)"


async def people_at(world: CampaignWorld, campaign_id: int, *numbers: str) -> None:
    async with world.database.transaction() as session:
        campaign = await session.get_one(Campaign, campaign_id)
        for number in numbers:
            contact = await make_contact(session, world.organization, number=number)
            await make_recipient(session, campaign, contact=contact)


async def test_a_start_is_refused_if_no_hour_suits_anybody_with_the_law_and_how_many(
    world: CampaignWorld,
) -> None:
    campaign_id = await world.campaign(**LATE)
    await people_at(world, campaign_id, f"{MIAMI}101", f"{MIAMI}102")
    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)
    assert sees.errors == {"allowed_start": f"{NO_HOUR}: 2 contacts."}
    with pytest.raises(FieldErrors) as refused:
        await world.do(start_campaign, campaign_ref=campaign_id, carrier=SIMULATED)
    assert refused.value.errors == sees.errors


async def test_some_whom_no_hour_suits_are_a_warning(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(**LATE)
    await people_at(world, campaign_id, f"{MIAMI}101", f"{CHICAGO}102", f"{CHICAGO}103")
    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)
    assert sees.errors == {}
    assert f"{NO_HOUR}: 1 contact. They wait and are never contacted." in sees.warnings


async def test_hours_that_suit_everybody_are_not_mentioned(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(allowed_start=time(10), allowed_end=time(12))
    await people_at(world, campaign_id, f"{MIAMI}101", f"{CHICAGO}102")
    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)
    assert (sees.errors, [each for each in sees.warnings if "No hour" in each]) == ({}, [])


async def test_several_windows_that_suit_nobody_are_named_at_the_list(world: CampaignWorld) -> None:
    windows = [{"days": [1], "start": at, "end": f"{at[:2]}:30"} for at in ("21:00", "22:00")]
    campaign_id = await world.campaign(calling_windows=windows)
    await people_at(world, campaign_id, f"{MIAMI}101")
    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)
    assert list(sees.errors) == ["calling_windows"]


YEAR_AHEAD = NOON + timedelta(days=366)


@pytest.mark.parametrize(("at", "is_asked"), [(YEAR_AHEAD, False), (YEAR_AHEAD + timedelta(hours=1), True)])
async def test_a_start_more_than_a_year_ahead_is_asked_about(
    world: CampaignWorld, at: datetime, *, is_asked: bool
) -> None:
    campaign_id = await world.campaign(people=1, schedule_type=ScheduleType.SCHEDULED, scheduled_at=at)
    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)
    question = "The start is more than a year ahead, in March 2027. Is the year right?"
    assert sees.errors == {}
    assert (question in sees.warnings) is is_asked
    detail = await world.ask(get_campaign, campaign_ref=campaign_id)
    assert (detail.schedule_warning == question) is is_asked


async def test_a_campaign_that_starts_at_once_has_no_date_to_ask_about(world: CampaignWorld) -> None:
    far = datetime(2030, 1, 1, tzinfo=UTC)
    campaign_id = await world.do(create_campaign, changes={"name": "March", "scheduled_at": far.isoformat()})
    assert (await world.ask(get_campaign, campaign_ref=campaign_id)).schedule_warning is None
    await world.do(update_campaign, campaign_ref=campaign_id, changes={"schedule_type": "scheduled"})
    warning = (await world.ask(get_campaign, campaign_ref=campaign_id)).schedule_warning
    assert warning is not None
    assert "January 2030" in warning


async def test_legal_hours_that_the_demo_switched_off_keep_a_real_carrier_from_starting(
    world: CampaignWorld,
) -> None:
    off = {"legal_policy": LegalPolicy.OFF, "legal_policy_reason": DEMO_REASON}
    await world.do(update_organization, changes=off)
    campaign_id = await world.campaign(people=1)
    async with world.database.transaction() as session:
        await make_number(session, world.organization)
    with pytest.raises(FieldErrors) as refused:
        await world.do(start_campaign, campaign_ref=campaign_id, carrier=REAL)
    assert "An owner must choose a policy" in refused.value.errors["legal_policy"]
    await world.do(start_campaign, campaign_ref=campaign_id, carrier=SIMULATED)
    assert await world.status(campaign_id) is CampaignStatus.QUEUED


async def test_legal_hours_that_an_owner_switched_off_are_said_with_the_reason(world: CampaignWorld) -> None:
    on = {"legal_policy": LegalPolicy.LAW}
    off = {"legal_policy": LegalPolicy.OFF, "legal_policy_reason": "Only our own staff."}
    await world.do(update_organization, changes=on)
    await world.do(update_organization, changes=off)
    campaign_id = await world.campaign(people=1)
    async with world.database.transaction() as session:
        campaign = await session.get_one(Campaign, campaign_id)
        campaign.carrier_account_id = (await ensure_carrier_account(session, REAL, now=NOON)).id
    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)
    assert "Legal hours are off for this organization: Only our own staff." in sees.warnings
