"""The wizard's pace: limits, retries, brakes, hours and the start."""

import json
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal

from app.domain.attempt import Disposition
from app.domain.breaker import BreakerPolicy
from app.domain.calling_hours import WEEKDAYS, HoursClock, Window
from app.runtime.context import get_context
from app.services.campaigns.drafts import begin_draft
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.settings import calling_hours_of
from app.web.pages.wizard.pace.state import PaceState
from tests.services.campaign_world import CampaignWorld
from tests.web.conftest import Driver
from tests.web.wizard_steps import FINER, open_step, settings_of


async def test_pace_and_retries_are_saved_in_the_seeds_words(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    form = {
        "concurrent_limit": "12",
        "max_attempts": "2",
        "retry_delays": "45",
        **{f"retry_on.{outcome}": "" for outcome in ("no_answer", "busy", "failed")},
        "retry_on.voicemail": "on",
        "enable_voicemail_detection": "",
    }
    await browser.send(PaceState.keep(form))
    settings = await settings_of(world, campaign_id)
    assert (settings.concurrent_limit, settings.max_attempts, settings.retry_delay_minutes) == (12, 2, 45)
    assert settings.retry_on == (Disposition.VOICEMAIL,)
    assert not settings.enable_voicemail_detection
    assert (await tab.state(PaceState)).limit.startswith("At most 10 calls at once")


async def test_every_finer_setting_is_kept_and_shown_again(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.keep(dict(FINER)))
    assert (await tab.state(PaceState)).errors == {}
    settings = await settings_of(world, campaign_id)
    assert settings.retry_delays == (30, 60, 120)
    assert settings.retry_delays_by_outcome == {"busy": (5, 15), "voicemail": (240,)}
    assert (settings.retry_back_off, settings.retry_other_number, settings.ramp) == (True, True, True)
    assert (settings.number_strategy, settings.pilot_size, settings.weight) == ("sticky", 20, 3)
    assert (settings.budget_cap, settings.breaker.opt_out_rate) == (Decimal("99.50"), 2.5)
    await browser.send(PaceState.load())
    values = (await tab.state(PaceState)).values
    assert {name: values.get(name, "") for name in FINER} == FINER | {"retry_delays": "30, 60, 120"}


async def test_ticks_that_are_taken_off_are_taken_back(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.keep(dict(FINER)))
    ticks = {"retry_back_off", "retry_other_number", "ramp"}
    form = FINER | dict.fromkeys(ticks, "")
    await browser.send(PaceState.keep(form | {"budget_cap": "", "retry_delays": "45"}))
    settings = await settings_of(world, campaign_id)
    assert (settings.retry_back_off, settings.retry_other_number, settings.ramp) == (False, False, False)
    assert (settings.budget_cap, settings.retry_delays, settings.retry_delay_minutes) == (None, (), 45)


async def test_what_is_wrong_in_a_folded_section_is_named_and_the_rest_is_saved(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    wrong = {
        "retry_delays": "soon",
        "retry_delays_by_outcome.busy": "5, soon",
        "breaker.window": "5",
        "budget_cap": "much",
        "weight": "0",
    }
    await browser.send(PaceState.keep(FINER | wrong))
    assert set((await tab.state(PaceState)).errors) == {
        "retry_delay_minutes",
        "retry_delays_by_outcome.busy",
        "breaker.window",
        "budget_cap",
        "weight",
    }
    settings = await settings_of(world, campaign_id)
    assert (settings.pilot_size, settings.number_strategy, settings.weight) == (20, "sticky", 1)


async def test_a_campaign_of_texts_keeps_what_it_has_no_boxes_for(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.keep(FINER | {"breaker.hang_up_rate": "33"}))
    await browser.send(PaceState.load())
    shown = {"retry_delays_by_outcome.failed": "10", "breaker.window": "50", "retry_delays": "30"}
    await browser.send(PaceState.keep(shown))
    settings = await settings_of(world, campaign_id)
    assert settings.retry_delays_by_outcome == {"busy": (5, 15), "failed": (10,), "voicemail": (240,)}
    assert (settings.breaker.window, settings.breaker.hang_up_rate) == (50, 33)


async def test_boxes_that_a_campaign_of_texts_does_not_show_are_no_values(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    pace = {"concurrent_limit": 7, "throttle_delay_ms": 500, "enable_voicemail_detection": False}
    retried = {"retry_on": ["no_answer", "failed"]}
    changes = pace | retried | {"channel": "sms", "sms_message_template": "Hi."}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=changes)
    browser = await open_step(tab, world, campaign_id, "pace")
    before = await settings_of(world, campaign_id)
    hidden = {
        **dict.fromkeys(("concurrent_limit", "rate_limit_per_minute", "throttle_delay_ms")),
        **dict.fromkeys(("ring_timeout_seconds", "time_limit_seconds", "enable_voicemail_detection")),
        **dict.fromkeys(
            ("breaker.hang_up_rate", *(f"retry_delays_by_outcome.{one}" for one in ("no_answer", "busy")))
        ),
    }
    shown = {name: text for name, text in (await tab.state(PaceState)).values.items() if name not in hidden}
    sent = shown | hidden | {"messages_per_second": "2", "retry_on.failed": "on", "ramp": False}
    await browser.send(PaceState.forward(sent))
    assert (await tab.state(PaceState)).errors == {}
    assert await settings_of(world, campaign_id) == replace(before, messages_per_second=2)


async def test_each_folded_section_says_in_one_line_what_is_set(world: CampaignWorld, tab: Driver) -> None:
    campaign_id, usual = await world.campaign(), BreakerPolicy()
    browser = await open_step(tab, world, campaign_id, "pace")
    assert (await tab.state(PaceState)).said == {
        "Waits by outcome": "The same after every outcome",
        "Numbers": "One number for everybody: there is no pool",
        "Safety: stop on bad signs": f"Pauses above {usual.failure_rate:g}% failures, "
        f"{usual.refusal_rate:g}% refusals, {usual.opt_out_rate:g}% opt-outs, "
        f"{usual.hang_up_rate:g}% hang-ups, or at {usual.refusals_in_a_row} refusals in a row",
        "Pilot and ramp": "Everybody from the start",
        "Budget": "No cap",
        "Share": "The same as other campaigns",
    }
    await browser.send(PaceState.keep(dict(FINER)))
    assert (await tab.state(PaceState)).said == {
        "Waits by outcome": "Busy 5, then 15 minutes; voicemail 240 minutes, doubling past the end of a list",
        "Numbers": "One number for everybody: there is no pool",
        "Safety: stop on bad signs": "Pauses above 30% failures, 2.5% opt-outs, 50% hang-ups",
        "Pilot and ramp": "Dials 20, then waits for you; after that 2%, 10%, 50%, then all",
        "Budget": "At most 99.50, calls in flight counted",
        "Share": "3 times that of a campaign with a share of 1",
    }


async def test_hours_are_set_by_choice_and_lifted_by_choice(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_hours("window"))
    settings = await settings_of(world, campaign_id)
    assert (settings.allowed_start, settings.allowed_end) == ("09:00", "18:00")
    assert settings.allowed_days == (1, 2, 3, 4, 5)
    await browser.send(PaceState.forward({"allowed_start": "10:00", "allowed_end": ""}))
    assert "allowed_end" in (await tab.state(PaceState)).errors
    await browser.send(PaceState.choose_hours("any"))
    assert (await settings_of(world, campaign_id)).allowed_start is None


async def test_a_window_needs_a_day(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_hours("window"))
    await browser.send(PaceState.forward({f"allowed_days.{day}": "" for day in range(1, 8)}))
    assert (await tab.state(PaceState)).errors == {"allowed_days": "Tick at least one day of the week."}


async def test_hours_may_have_several_rows_which_are_added_filled_and_removed(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_hours("window"))
    await browser.send(PaceState.add_window())
    state = await tab.state(PaceState)
    assert (state.windows, state.values["calling_windows.1.start"]) == (2, "14:00")
    await browser.send(PaceState.keep({"allowed_end": "12:00", "calling_windows.1.end": "17:00"}))
    windows = calling_hours_of(await settings_of(world, campaign_id)).windows
    assert windows == (
        Window(time(9), time(12), WEEKDAYS),
        Window(time(14), time(17), frozenset({2, 3, 4})),
    )
    await browser.send(PaceState.remove_window(0))
    settings = await settings_of(world, campaign_id)
    assert calling_hours_of(settings).windows == (Window(time(14), time(17), frozenset({2, 3, 4})),)
    state = await tab.state(PaceState)
    assert (state.windows, state.values["allowed_start"]) == (1, "14:00")
    sheet = json.loads(state.sheet)
    assert sheet["forced"]["allowed_start"] == sheet["versions"]["allowed_start"], (
        "the box shows the row moved up"
    )
    assert "calling_windows.1.start" not in state.values
    await browser.send(PaceState.remove_window(0))
    assert len(calling_hours_of(await settings_of(world, campaign_id)).windows) == 1


async def test_what_is_wrong_in_a_row_is_named_there_and_nothing_of_the_hours_is_saved(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_hours("window"))
    await browser.send(PaceState.add_window())
    before = await settings_of(world, campaign_id)
    await browser.send(PaceState.keep({"calling_windows.1.end": "14:00", "allowed_end": "12:00"}))
    assert set((await tab.state(PaceState)).errors) == {"calling_windows.1.end"}
    no_days = {f"calling_windows.1.{day}": "" for day in range(1, 8)}
    await browser.send(PaceState.keep(no_days))
    assert set((await tab.state(PaceState)).errors) == {"calling_windows.1"}
    assert await settings_of(world, campaign_id) == before


async def test_hours_are_on_each_contact_s_clock_unless_the_campaign_s_is_chosen(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    assert (await tab.state(PaceState)).clock_choice == "campaign"
    await browser.send(PaceState.choose_hours("window"))
    assert (await tab.state(PaceState)).clock_choice == "contact"
    await browser.send(PaceState.choose_clock("campaign"))
    assert (await settings_of(world, campaign_id)).calling_clock is HoursClock.CAMPAIGN


async def test_any_time_takes_all_rows_away(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_hours("window"))
    await browser.send(PaceState.add_window())
    await browser.send(PaceState.choose_hours("any"))
    assert calling_hours_of(await settings_of(world, campaign_id)).windows == ()
    assert (await tab.state(PaceState)).windows == 1


async def test_a_start_is_read_in_the_campaigns_zone_and_shown_with_its_offset(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_start("scheduled"))
    year = (get_context().clock.now() + timedelta(days=366)).year
    form = {"time_zone": "America/Chicago", "scheduled_at": f"{year}-12-01T09:30"}
    await browser.send(PaceState.keep(form))
    settings = await settings_of(world, campaign_id)
    assert settings.scheduled_at is not None
    assert settings.scheduled_at.isoformat() == f"{year}-12-01T15:30:00+00:00"
    assert "09:30 (UTC\u221206:00)" in (await tab.state(PaceState)).starts


async def test_a_start_that_is_more_than_a_year_ahead_is_asked_about(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_start("scheduled"))
    now = get_context().clock.now()
    for days, is_asked in ((30, False), (400, True)):
        at = now + timedelta(days=days)
        await browser.send(PaceState.keep({"scheduled_at": f"{at:%Y-%m-%dT%H:%M}"}))
        assert ("Is the year right?" in (await tab.state(PaceState)).starts) is is_asked


async def test_a_start_in_the_past_or_an_unknown_zone_is_refused_at_its_field(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_start("scheduled"))
    await browser.send(PaceState.forward({"time_zone": "Mars/Base", "scheduled_at": "2020-01-01T09:00"}))
    errors = (await tab.state(PaceState)).errors
    assert set(errors) == {"time_zone", "scheduled_at"}


async def test_a_draft_begun_in_the_browser_has_working_hours_until_any_time_is_chosen(
    world: CampaignWorld, tab: Driver
) -> None:
    berliner = replace(world.someone(), time_zone="Europe/Berlin")
    campaign_id = await world.do(begin_draft, principal=berliner)
    settings = await settings_of(world, campaign_id)
    assert (settings.allowed_start, settings.allowed_end) == ("09:00", "18:00")
    assert (settings.allowed_days, settings.time_zone) == ((1, 2, 3, 4, 5), "Europe/Berlin")
    browser = await open_step(tab, world, campaign_id, "pace")
    state = await tab.state(PaceState)
    assert (state.hours_choice, state.values["allowed_start"], state.hours_warning) == ("window", "09:00", "")
    await browser.send(PaceState.choose_hours("any"))
    settings = await settings_of(world, campaign_id)
    assert (settings.allowed_start, settings.allowed_end, settings.allowed_days) == (None, None, ())
    assert "Better set hours" in (await tab.state(PaceState)).hours_warning
