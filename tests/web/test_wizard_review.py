"""The wizard's review: what is lacking, what is promised, and the start."""

import pytest

from app.domain.campaign import CampaignStatus, Channel
from app.domain.rights import Role
from app.domain.templates import Missing
from app.runtime.config import get_settings
from app.services.campaigns.operations import update_campaign
from app.web.pages.wizard.review.state import ReviewState
from app.web.pages.wizard.state import WizardState
from app.web.time_format import spoken_minutes
from tests.services.campaign_world import CampaignWorld
from tests.web.conftest import Driver
from tests.web.wizard_steps import events_of, open_step


async def test_the_review_shows_the_finer_settings_in_words(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    changes = {"retry_delays": [30, 60], "pilot_size": 10, "budget_cap": 5, "weight": 2}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=changes)
    await open_step(tab, world, campaign_id, "review")
    state = await tab.state(ReviewState)
    assert ("Wait before a retry", "30, then 60 minutes") in [(one.label, one.value) for one in state.pace]
    assert [one.label for one in state.safeguards] == [
        "Numbers",
        "Safety",
        "Pilot and ramp",
        "Budget",
        "Share",
    ]


async def test_the_review_names_each_obstacle_with_its_step(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(agent=None, number=None)
    await open_step(tab, world, campaign_id, "review")
    state = await tab.state(ReviewState)
    steps = {obstacle.step for obstacle in state.obstacles}
    assert {"Basics", "Contacts"} <= steps
    assert f"/campaigns/{campaign_id}/edit/contacts" in str([one.href for one in state.obstacles])
    frame = await tab.state(WizardState)
    assert (frame.basics_done, frame.contacts_done, frame.pace_done) == (False, False, True)


async def test_a_start_with_obstacles_is_not_even_asked_about(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "review")
    await browser.send(ReviewState.ask())
    assert not (await tab.state(ReviewState)).asking
    await browser.send(ReviewState.go())
    assert await world.status(campaign_id) is CampaignStatus.DRAFT
    assert (await tab.state(ReviewState)).obstacles


async def test_starting_queues_the_campaign_and_leads_to_its_overview(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(people=3)
    browser = await open_step(tab, world, campaign_id, "review")
    await browser.send(ReviewState.ask())
    state = await tab.state(ReviewState)
    assert state.asking
    assert "nobody is really called. 3 people" in state.sentence
    events = await events_of(tab, ReviewState, "go")
    assert await world.status(campaign_id) is CampaignStatus.QUEUED
    assert f"/{world.organization.slug}/campaigns/{campaign_id}" in events


async def test_a_real_carrier_is_never_started_without_saying_how_many_will_be_called(
    world: CampaignWorld, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSHEET_CARRIER_SIMULATED", "false")
    get_settings.cache_clear()
    campaign_id = await world.campaign(people=2)
    browser = await open_step(tab, world, campaign_id, "review")
    await browser.send(ReviewState.ask())
    assert (await tab.state(ReviewState)).sentence.startswith("2 people will really be called.")
    assert (await tab.state(ReviewState)).confirm == "Start for 2 contacts"


async def test_review_promises_only_those_who_will_be_contacted(
    world: CampaignWorld, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSHEET_CARRIER_SIMULATED", "false")
    get_settings.cache_clear()
    campaign_id = await world.campaign(
        channel=Channel.SMS, missing=Missing.SKIP, step={"sms_message_template": "Hi, see you on {{day}}."}
    )
    await world.recipient(campaign_id)
    await world.recipient(campaign_id, variables={"day": "Monday"})
    browser = await open_step(tab, world, campaign_id, "review")
    await browser.send(ReviewState.ask())
    state = await tab.state(ReviewState)
    assert (state.headline[0].value, state.confirm) == ("1 of 2", "Start for 1 contact")
    assert state.sentence.startswith("1 of 2 people will really be texted.")
    assert state.skipped == "1 is skipped: without day."


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.VIEWER, CampaignStatus.DRAFT), (Role.OPERATOR, CampaignStatus.QUEUED)],
)
async def test_an_operator_may_start_but_a_viewer_may_not(
    world: CampaignWorld, tab: Driver, role: Role, status: CampaignStatus
) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await open_step(tab, world, campaign_id, "review", role=role)
    await browser.send(ReviewState.go())
    assert await world.status(campaign_id) is status


def test_long_campaigns_are_told_in_hours_and_days() -> None:
    assert [spoken_minutes(minutes) for minutes in (1, 45, 180, 4_320)] == [
        "about 1 minute",
        "about 45 minutes",
        "about 3 hours",
        "about 3 days",
    ]
