"""The tabs of a recurring campaign show one run, and let another be chosen."""

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import col

from app.domain.campaign import CampaignStatus, ScheduleType
from app.domain.recipient import RecipientStatus
from app.models import Run
from app.runtime.context import get_context
from app.services.campaigns.lifecycle import pause_campaign
from app.web.pages.campaign.calls.state import CallLogState
from app.web.pages.campaign.contacts.selection_state import SelectionState
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.pages.campaign.overview.state import OverviewState
from app.web.pages.campaign.state import CampaignState
from tests.services.campaign_world import CampaignWorld
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

R = RecipientStatus
DAILY = {"frequency": "daily", "time": "09:00", "time_zone": "America/New_York", "start_date": "2026-01-01"}


async def two_runs(world: CampaignWorld) -> int:
    """Make a campaign whose first run is over, with one person reached, and whose second waits, with two people."""
    now = get_context().clock.now()
    campaign_id = await world.campaign(
        status=CampaignStatus.SCHEDULED,
        schedule_type=ScheduleType.RECURRING,
        recurring_config=DAILY,
        scheduled_at=now + timedelta(days=1),
    )
    await world.recipient(campaign_id, R.COMPLETED, attempts_made=1)
    async with world.database.transaction() as session:
        first = (await session.scalars(select(Run).where(col(Run.campaign_id) == campaign_id))).one()
        first.occurrence_at = first.started_at = first.filled_at = now - timedelta(days=1)
        first.ended_at = now
        second = Run(
            campaign_id=campaign_id,
            number=2,
            occurrence_at=now + timedelta(days=1),
            filled_at=now,
            created_at=now,
        )
        session.add(second)
    for _ in range(2):
        await world.recipient(campaign_id, run_id=second.id)
    return campaign_id


async def opened(tab: Driver, world: CampaignWorld, campaign_id: int, tail: str = "") -> Browser:
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}{tail}")
    await browser.send(CampaignState.load())
    return browser


async def test_the_overview_shows_the_newest_run_that_has_started_and_says_when_the_next_is(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await two_runs(world)
    browser = await opened(tab, world, campaign_id)
    await browser.send(OverviewState.load())
    state = await tab.state(OverviewState)
    assert state.overview.progress.text == "1 of 1 processed"
    assert state.overview.next_run.startswith("Next run: ")
    assert state.overview.next_run.endswith(", America/New_York")
    header = await tab.state(CampaignState)
    assert [option.value for option in header.runs] == ["2", "1"]
    assert header.run == "1"
    assert header.runs[0].words.endswith("(to come)")


async def test_another_run_is_chosen_on_the_overview_and_stays_in_its_address(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await two_runs(world)
    browser = await opened(tab, world, campaign_id)
    await browser.send(OverviewState.load())
    await browser.send(OverviewState.choose_run("2"))
    state = await tab.state(OverviewState)
    assert (state.run, state.overview.conservation) == ("2", "2 contacts = 2 pending")
    await browser.send(OverviewState.choose_run("1"))
    assert (await tab.state(OverviewState)).run == ""
    browser = await opened(tab, world, campaign_id, "?run=2")
    await browser.send(OverviewState.load())
    assert (await tab.state(OverviewState)).overview.conservation == "2 contacts = 2 pending"


async def test_contacts_and_calls_are_of_the_run_that_is_chosen(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await two_runs(world)
    browser = await opened(tab, world, campaign_id, "/contacts")
    await browser.send(CampaignContactsState.load())
    assert [row.status for row in (await tab.state(CampaignContactsState)).rows] == ["completed"]
    await browser.send(CampaignContactsState.filter_by("run", "2"))
    state = await tab.state(CampaignContactsState)
    assert [row.status for row in state.rows] == ["pending", "pending"]
    assert (state.is_filtered, state.filters) == (False, "?run=2")
    browser = await opened(tab, world, campaign_id, "/calls?run=1")
    await browser.send(CallLogState.load())
    assert (await tab.state(CallLogState)).query.run == "1"


async def test_nobody_of_the_run_to_come_is_skipped_from_the_list_of_an_ended_one(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await two_runs(world)
    await world.do(pause_campaign, campaign_ref=campaign_id)
    browser = await opened(tab, world, campaign_id, "/contacts")
    await browser.send(CampaignContactsState.load())
    [row] = (await tab.state(CampaignContactsState)).rows
    assert (row.can_retry, row.can_skip, row.can_remove) == (False, False, False)
    await browser.send(SelectionState.do("skip", row.id))
    assert await world.people(campaign_id) == {R.COMPLETED: 1, R.PENDING: 2}
    await browser.send(CampaignContactsState.filter_by("run", "2"))
    pending = (await tab.state(CampaignContactsState)).rows
    await browser.send(SelectionState.do("skip", pending[0].id))
    assert await world.people(campaign_id) == {R.COMPLETED: 1, R.PENDING: 1, R.SKIPPED: 1}


async def test_a_campaign_with_one_run_has_no_choice(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    await opened(tab, world, campaign_id)
    state = await tab.state(CampaignState)
    assert (state.runs, state.run) == ([], "1")
