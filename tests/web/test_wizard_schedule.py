"""The wizard's pace: a campaign that starts again and again, on a schedule."""

from datetime import timedelta

from app.domain.campaign import ScheduleType
from app.domain.contact_filter import Condition, ContactFilter, Op, as_json
from app.domain.recurrence import Frequency, MissedRun, RecurringPlan, RunPeople
from app.models import Segment
from app.runtime.context import get_context
from app.web.pages.wizard.pace.state import PaceState
from app.web.pages.wizard.review.state import ReviewState
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import NOON
from tests.web.browser import Browser
from tests.web.conftest import Driver
from tests.web.wizard_steps import open_step, settings_of

WEEKDAYS = (1, 2, 3, 4, 5)


def box(part: str) -> str:
    return f"recurring_config.{part}"


async def plan_of(world: CampaignWorld, campaign_id: int) -> RecurringPlan:
    plan = (await settings_of(world, campaign_id)).recurring_config
    assert plan is not None
    return plan


async def on_a_schedule(world: CampaignWorld, tab: Driver, campaign_id: int) -> Browser:
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_start("recurring"))
    return browser


async def test_a_schedule_begins_with_working_days_at_nine_in_the_campaigns_zone(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    await on_a_schedule(world, tab, campaign_id)
    settings, plan = await settings_of(world, campaign_id), await plan_of(world, campaign_id)
    assert settings.schedule_type is ScheduleType.RECURRING
    assert (plan.schedule.frequency, plan.schedule.days_of_week) == (Frequency.WEEKLY, WEEKDAYS)
    assert (f"{plan.schedule.time:%H:%M}", plan.schedule.time_zone) == ("09:00", settings.time_zone)
    assert (plan.people, plan.missed) == (RunPeople.SAME, MissedRun.CATCH_UP)
    state = await tab.state(PaceState)
    assert (state.start_kind, state.frequency, state.errors) == ("recurring", "weekly", {})


async def test_the_next_five_times_are_shown_with_their_zone(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await on_a_schedule(world, tab, campaign_id)
    year = (get_context().clock.now() + timedelta(days=366)).year
    form = {box("frequency"): "monthly", box("start_date"): f"{year}-01-31", box("time_zone"): "Asia/Kolkata"}
    await browser.send(PaceState.keep(form))
    state = await tab.state(PaceState)
    assert state.next_title == "The next times, Asia/Kolkata"
    assert len(state.next_times) == 5
    assert f"31 Jan {year}, 09:00 (UTC+05:30)" in state.next_times[0]
    assert f"28 Feb {year}" in state.next_times[1] or f"29 Feb {year}" in state.next_times[1]


async def test_days_of_the_week_go_with_a_weekly_schedule(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await on_a_schedule(world, tab, campaign_id)
    await browser.send(PaceState.keep({box("frequency"): "daily"}))
    assert (await plan_of(world, campaign_id)).schedule.days_of_week == ()
    await browser.send(PaceState.keep({box("frequency"): "weekly"}))
    assert (await plan_of(world, campaign_id)).schedule.days_of_week == WEEKDAYS
    await browser.send(PaceState.keep({box("days_of_week.1"): "", box("interval"): "2"}))
    schedule = (await plan_of(world, campaign_id)).schedule
    assert (schedule.days_of_week, schedule.interval) == ((2, 3, 4, 5), 2)


async def test_without_a_day_it_says_so_and_keeps_what_it_had(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await on_a_schedule(world, tab, campaign_id)
    await browser.send(PaceState.keep({box(f"days_of_week.{day}"): "" for day in WEEKDAYS}))
    assert set((await tab.state(PaceState)).errors) == {box("days_of_week")}
    assert (await plan_of(world, campaign_id)).schedule.days_of_week == WEEKDAYS


async def test_what_is_wrong_is_named_at_its_box(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await on_a_schedule(world, tab, campaign_id)
    wrong = {box("interval"): "0", box("time_zone"): "EST", box("count"): "many"}
    await browser.send(PaceState.keep(wrong))
    assert set((await tab.state(PaceState)).errors) == set(wrong)
    await browser.send(PaceState.keep({box("end_date"): "2024-12-31", **dict.fromkeys(wrong)}))
    errors = (await tab.state(PaceState)).errors
    assert "has passed" in errors[box("end_date")]


async def test_the_people_of_a_segment_are_chosen_by_name(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    rule = as_json(ContactFilter((Condition("tags", Op.ANY_OF, ("due",)),)))
    async with world.database.transaction() as session:
        segment = Segment(
            organization_id=world.organization.id, name="Due", rule=rule, created_at=NOON, updated_at=NOON
        )
        session.add(segment)
    browser = await on_a_schedule(world, tab, campaign_id)
    state = await tab.state(PaceState)
    assert [option.words for option in state.segments] == ["Those who match “Due” then"]
    await browser.send(PaceState.keep({box("segment_id"): str(segment.id), box("missed"): "skip"}))
    plan = await plan_of(world, campaign_id)
    assert (plan.people, plan.segment_id, plan.missed) == (RunPeople.SEGMENT, segment.id, MissedRun.SKIP)
    await browser.send(PaceState.keep({box("segment_id"): ""}))
    assert (await plan_of(world, campaign_id)).people is RunPeople.SAME


async def test_a_schedule_is_kept_while_another_start_is_chosen(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await on_a_schedule(world, tab, campaign_id)
    await browser.send(PaceState.keep({box("time"): "10:15"}))
    await browser.send(PaceState.choose_start("immediate"))
    await browser.send(PaceState.choose_start("recurring"))
    assert f"{(await plan_of(world, campaign_id)).schedule.time:%H:%M}" == "10:15"


async def test_the_review_says_the_schedule_in_words(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await on_a_schedule(world, tab, campaign_id)
    await browser.send(PaceState.keep({box("interval"): "2"}))
    await open_step(tab, world, campaign_id, "review")
    facts = {fact.label: fact.value for fact in (await tab.state(ReviewState)).pace}
    assert facts["Start"] == "Every 2 weeks on Mon to Fri at 09:00, America/New_York"
    assert facts["Who is contacted"] == "The same people each time"
