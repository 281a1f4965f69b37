"""What each step of the campaign wizard keeps, asks for and refuses."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import reflex as rx
from openpyxl import Workbook
from redis.asyncio import Redis
from sqlalchemy import select
from sqlmodel import col

from app.domain.attempt import Disposition
from app.domain.breaker import BreakerPolicy
from app.domain.campaign import CampaignStatus, Channel
from app.domain.number_health import NumberRest
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.domain.templates import Missing
from app.models import Campaign, Step
from app.runtime.config import get_settings
from app.runtime.context import get_context
from app.runtime.migrations import PROJECT
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.drafts import begin_draft
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.settings import CampaignSettings
from app.services.imports.operations import store_import
from app.services.imports.queries import get_import
from app.services.imports.run import run_import
from app.web.imports.state import ImportState
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.contacts.people_state import PeopleState
from app.web.pages.wizard.contacts.state import ContactsStepState
from app.web.pages.wizard.message.state import MessageState
from app.web.pages.wizard.pace.state import PaceState
from app.web.pages.wizard.review.state import ReviewState
from app.web.pages.wizard.state import WizardState
from app.web.pages.wizard.steps import WizardStep, after, before, step_of
from app.web.time_format import spoken_minutes
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import (
    make_agent,
    make_campaign,
    make_contact,
    make_number,
    make_organization,
    principal,
)
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

SEED = (PROJECT / "assets" / "example-contacts.csv").read_bytes()
BASICS: Mapping[str, Any] = {"name": "Spring offers", "description": "", "channel": "call"}


async def open_step(
    tab: Driver, world: CampaignWorld, campaign_id: int, step: str, *, role: Role = Role.OWNER
) -> Browser:
    """Open a step of the wizard as a member with that role, and load it."""
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}/edit/{step}", role=role)
    states: dict[str, Any] = {
        "basics": BasicsState,
        "message": MessageState,
        "pace": PaceState,
        "review": ReviewState,
        "contacts": PeopleState,
        "file": ContactsStepState,
    }
    await browser.send(states[step].load())
    assert tab.errors == []
    return browser


async def events_of(tab: Driver, kind: type[rx.State], handler: str, *arguments: Any) -> str:
    """Run a handler of a page that is open, and return the events it sends the browser, as text."""
    state = await tab.state(kind)
    return str([event async for event in kind.event_handlers[handler].fn(state, *arguments)])


async def settings_of(world: CampaignWorld, campaign_id: int) -> CampaignSettings:
    """Return what the row holds."""
    return (await world.ask(get_campaign, campaign_ref=campaign_id)).settings


def test_the_steps_follow_one_another_and_each_field_has_one() -> None:
    assert [after(step) for step in WizardStep] == [*list(WizardStep)[1:], None]
    assert before(WizardStep.BASICS) is None
    assert step_of("phone_number_id") is WizardStep.BASICS
    assert step_of("sms_message_template") is WizardStep.MESSAGE
    assert step_of("contacts") is WizardStep.CONTACTS
    assert step_of("allowed_hours.start") is WizardStep.PACE


async def test_basics_show_the_draft_as_its_row_holds_it(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=2, description="For regulars")
    await open_step(tab, world, campaign_id, "basics")
    state, frame = await tab.state(BasicsState), await tab.state(WizardState)
    assert (state.name, state.description, state.channel) == ("March reminders", "For regulars", "call")
    assert (state.agent, state.number_choice) == (str(world.agent.id), "one")
    assert (frame.name, frame.contacts, frame.locked, frame.contacts_done) == ("March reminders", 2, "", True)


async def test_leaving_a_field_saves_it(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.keep({**BASICS, "agent_id": str(world.agent.id)}))
    assert (await settings_of(world, campaign_id)).name == "Spring offers"
    assert (await tab.state(BasicsState)).errors == {}


async def test_one_bad_field_is_named_and_the_good_ones_are_saved(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.forward({"name": " ", "description": "Kept"}))
    settings = await settings_of(world, campaign_id)
    assert (settings.name, settings.description) == ("March reminders", "Kept")
    assert (await tab.state(BasicsState)).errors == {"name": "Give the campaign a name."}


async def test_going_back_loses_nothing(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "message")
    events = await events_of(tab, MessageState, "back", {"agenda_template": "About your visit."})
    assert (await settings_of(world, campaign_id)).agenda_template == "About your visit."
    assert f"/campaigns/{campaign_id}/edit/basics" in events


async def test_the_agent_is_asked_for_on_the_way_on_and_not_before(world: CampaignWorld, tab: Driver) -> None:
    async with world.database.transaction() as session:
        await make_agent(session, world.organization, name="Oliver")
    campaign_id = await world.campaign(agent=None, number=None)
    browser = await open_step(tab, world, campaign_id, "basics")
    assert (await tab.state(BasicsState)).default_number.startswith("Choose an agent first")
    await browser.send(BasicsState.keep({**BASICS, "agent_id": ""}))
    assert (await tab.state(BasicsState)).errors == {}
    events = await events_of(tab, BasicsState, "forward", {**BASICS, "agent_id": ""})
    assert (await tab.state(BasicsState)).errors == {"agent_id": "Choose the agent who makes the calls."}
    assert "/edit/message" not in events
    assert "focus" in events


async def test_the_only_agent_is_chosen_from_the_start(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(agent=None)
    await open_step(tab, world, campaign_id, "basics")
    assert (await tab.state(BasicsState)).agent == str(world.agent.id)
    assert (await settings_of(world, campaign_id)).agent_id == world.agent.id


async def test_ticked_numbers_make_the_pool_and_the_default_empties_it(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        second = await make_number(session, world.organization)
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.choose_numbers("pool"))
    ticks = {f"pool-{world.number.id}": "on", f"pool-{second.id}": "on"}
    await browser.send(BasicsState.keep({**BASICS, **ticks}))
    settings = await settings_of(world, campaign_id)
    assert (settings.number_pool, settings.phone_number_id) == ((world.number.id, second.id), None)
    await browser.send(BasicsState.choose_numbers("default"))
    assert (await settings_of(world, campaign_id)).number_pool == ()


async def test_a_number_that_rests_may_be_chosen_and_says_so(world: CampaignWorld, tab: Driver) -> None:
    async with world.database.transaction() as session:
        resting = await make_number(session, world.organization, rest=NumberRest.MANUAL)
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "basics")
    notes = {one.value: one.note for one in (await tab.state(BasicsState)).numbers}
    assert notes == {
        str(world.number.id): "In 1 campaign",
        str(resting.id): "Rests: it makes no calls just now",
    }


async def test_a_number_of_another_organization_is_refused(world: CampaignWorld, tab: Driver) -> None:
    async with world.database.transaction() as session:
        foreign = await make_number(session, await make_organization(session))
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.keep({**BASICS, "phone_number_id": str(foreign.id)}))
    assert (await settings_of(world, campaign_id)).phone_number_id == world.number.id
    assert "phone_number_id" in (await tab.state(BasicsState)).errors


async def test_another_organizations_campaign_does_not_exist_here(world: CampaignWorld, tab: Driver) -> None:
    async with world.database.transaction() as session:
        foreign = await make_campaign(session, await make_organization(session))
    browser = await open_step(tab, world, foreign.id, "basics")
    state = await tab.state(BasicsState)
    assert (state.problem, state.name) == (f"There is no campaign {foreign.id}.", "")
    await browser.send(BasicsState.keep(dict(BASICS)))
    assert (await world.row(foreign.id)).name == "March reminders"


async def test_a_viewer_may_not_edit(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics", role=Role.VIEWER)
    assert "does not allow" in (await tab.state(BasicsState)).problem
    await browser.send(BasicsState.forward(dict(BASICS)))
    assert (await world.row(campaign_id)).name == "March reminders"


async def test_a_running_campaign_says_why_it_cannot_be_edited(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.RUNNING)
    browser = await open_step(tab, world, campaign_id, "basics")
    assert "Pause the campaign first" in (await tab.state(WizardState)).locked
    await browser.send(BasicsState.forward(dict(BASICS)))
    assert (await world.row(campaign_id)).name == "March reminders"


async def test_the_preview_speaks_to_the_campaigns_first_contact(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    await world.recipient(campaign_id, variables={"name": "Jane Doe", "deal_stage": "proposal"})
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.write("agenda_template", "About your {{deal_stage}}."))
    await browser.send(MessageState.refresh())
    state = await tab.state(MessageState)
    assert [part.text for part in state.parts] == ["Hello Jane Doe.", "About your proposal."]
    assert state.list_variables == ["deal_stage"]
    assert (await settings_of(world, campaign_id)).agenda_template == "About your {{deal_stage}}."


async def test_a_variable_nobody_has_is_a_warning_in_the_draft(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.write("agenda_template", "About your {{deal_stagee}}."))
    await browser.send(MessageState.refresh())
    state = await tab.state(MessageState)
    assert (state.unresolved, state.errors) == (["deal_stagee"], {})
    assert "deal_stagee" in [row.name for row in state.fallbacks]


async def test_a_syntax_error_stands_at_its_field_with_its_place(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.write("welcome_message_template", "Hi {{name"))
    await browser.send(MessageState.refresh())
    state = await tab.state(MessageState)
    assert state.errors["welcome_message_template"].startswith("Column 4:")
    assert state.texts["welcome_message_template"] == "Hi {{name"
    assert (await settings_of(world, campaign_id)).welcome_message_template == "Hello {{name}}."


async def test_only_templates_can_be_written_as_templates(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.write("name", "Overwritten"))
    assert (await world.row(campaign_id)).name == "March reminders"


async def test_fallbacks_are_saved_and_an_empty_one_is_lifted(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(fallback_values={"deal_stage": "request"})
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.keep({"fallback-name": "friend", "fallback-deal_stage": " "}))
    assert (await settings_of(world, campaign_id)).fallback_values == {"name": "friend"}


async def test_a_text_message_is_counted_in_segments_as_it_is_sent(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1, channel=Channel.SMS)
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.write("sms_message_template", "x" * 161))
    await browser.send(MessageState.refresh())
    state = await tab.state(MessageState)
    assert (state.size, state.is_long) == ("161 characters · 2 segments · GSM-7", True)
    await browser.send(MessageState.write("sms_message_template", "Déjà “vu”"))
    await browser.send(MessageState.refresh())
    assert (await tab.state(MessageState)).size.endswith("1 segment · UCS-2")
    assert "70 characters" in (await tab.state(MessageState)).size_hint


async def test_pace_and_retries_are_saved_in_the_seeds_words(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    form = {
        "concurrent_limit": "12",
        "max_attempts": "2",
        "retry_delays": "45",
        "retry-voicemail": "on",
    }
    await browser.send(PaceState.keep(form))
    settings = await settings_of(world, campaign_id)
    assert (settings.concurrent_limit, settings.max_attempts, settings.retry_delay_minutes) == (12, 2, 45)
    assert settings.retry_on == (Disposition.VOICEMAIL,)
    assert not settings.enable_voicemail_detection
    assert (await tab.state(PaceState)).limit.startswith("At most 10 calls at once")


FINER: dict[str, Any] = {
    "retry_delays": "30, 60 120",
    "delays_no_answer": "",
    "delays_busy": "5, 15",
    "delays_failed": "",
    "delays_voicemail": "240",
    "retry_back_off": "on",
    "number_strategy": "sticky",
    "retry_other_number": "on",
    "breaker_window": "100",
    "breaker_minimum": "20",
    "breaker_failure_rate": "30",
    "breaker_refusal_rate": "0",
    "breaker_refusals_in_a_row": "0",
    "breaker_opt_out_rate": "2.5",
    "breaker_hang_up_rate": "50",
    "pilot_size": "20",
    "ramp": "on",
    "budget_cap": "99.50",
    "weight": "3",
}
"""Every box of the finer settings, as a form sends them."""


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
    assert {name: values[name] for name in FINER} == FINER | {"retry_delays": "30, 60, 120"}


async def test_ticks_that_are_taken_off_are_taken_back(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.keep(dict(FINER)))
    ticks = {"retry_back_off", "retry_other_number", "ramp"}
    form = {name: text for name, text in FINER.items() if name not in ticks}
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
        "delays_busy": "5, soon",
        "breaker_window": "5",
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
    await browser.send(PaceState.keep(FINER | {"breaker_hang_up_rate": "33"}))
    await browser.send(PaceState.load())
    shown = {"delays_failed": "10", "breaker_window": "50", "retry_delays": "30"}
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
        **dict.fromkeys(("delays_no_answer", "delays_busy", "delays_voicemail", "breaker_hang_up_rate")),
    }
    shown = {name: text for name, text in (await tab.state(PaceState)).values.items() if name not in hidden}
    sent = shown | hidden | {"messages_per_second": "2", "retry-failed": "on", "ramp": False}
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


async def test_the_review_shows_the_finer_settings_in_words(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    changes = {"retry_delays": [30, 60], "pilot_size": 10, "budget_cap": 5, "weight": 2}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=changes)
    await open_step(tab, world, campaign_id, "review")
    state = await tab.state(ReviewState)
    assert ("Wait before a retry", "30, then 60 minutes") in [(one.term, one.value) for one in state.pace]
    assert [one.term for one in state.finer] == [
        "Numbers",
        "Safety",
        "Pilot and ramp",
        "Budget",
        "Share",
    ]


async def test_hours_are_set_by_choice_and_lifted_by_choice(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_hours("window"))
    settings = await settings_of(world, campaign_id)
    assert (settings.allowed_start, settings.allowed_end) == ("09:00", "18:00")
    assert settings.allowed_days == (1, 2, 3, 4, 5)
    await browser.send(PaceState.forward({"allowed_start": "10:00", "allowed_end": "", "day-1": "on"}))
    assert "allowed_hours.end" in (await tab.state(PaceState)).errors
    await browser.send(PaceState.choose_hours("any"))
    assert (await settings_of(world, campaign_id)).allowed_start is None


async def test_a_window_needs_a_day(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_hours("window"))
    await browser.send(PaceState.forward({"allowed_start": "10:00", "allowed_end": "12:00"}))
    assert (await tab.state(PaceState)).errors == {"allowed_hours.days": "Tick at least one day of the week."}


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


async def test_a_start_in_the_past_or_an_unknown_zone_is_refused_at_its_field(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_start("scheduled"))
    await browser.send(PaceState.forward({"time_zone": "Mars/Base", "scheduled_at": "2020-01-01T09:00"}))
    errors = (await tab.state(PaceState)).errors
    assert set(errors) == {"time_zone", "scheduled_at"}


async def test_one_person_is_added_by_hand_and_not_twice(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "contacts")
    await browser.send(PeopleState.add_by_hand({"phone_number": "12", "person_name": ""}))
    assert "too few digits" in (await tab.state(PeopleState)).errors["phone_number"]
    person = {"phone_number": "+442079460123", "person_name": "Oliver"}
    await browser.send(PeopleState.add_by_hand(person))
    events = await events_of(tab, PeopleState, "add_by_hand", person)
    assert (await tab.state(WizardState)).contacts == 1
    assert "1 in the campaign already" in events


async def test_ticked_and_matching_contacts_join_and_strangers_ids_do_not(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        jane = await make_contact(session, world.organization, name="Jane Roe")
        await make_contact(session, world.organization, name="Jane Doe")
        foreign = await make_contact(session, await make_organization(session), name="Jane Poe")
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "contacts")
    await browser.send(PeopleState.tick(foreign.id, True))
    await browser.send(PeopleState.add_ticked())
    assert await world.people(campaign_id) == {}
    await browser.send(PeopleState.tick(foreign.id, False))
    await browser.send(PeopleState.tick(jane.id, True))
    await browser.send(PeopleState.add_ticked())
    assert await world.people(campaign_id) == {RecipientStatus.PENDING: 1}
    await browser.send(PeopleState.find("jane"))
    marked = {row.id: row.inside for row in (await tab.state(PeopleState)).rows}
    assert (marked.pop(jane.id), *marked.values()) == (True, False)
    events = await events_of(tab, PeopleState, "add_matching")
    assert await world.people(campaign_id) == {RecipientStatus.PENDING: 2}
    assert "1 added. 1 in the campaign already." in events


async def test_the_review_names_each_obstacle_with_its_step(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(agent=None, number=None)
    await open_step(tab, world, campaign_id, "review")
    state = await tab.state(ReviewState)
    steps = {obstacle.step for obstacle in state.obstacles}
    assert {"Basics", "Contacts"} <= steps
    assert f"/campaigns/{campaign_id}/edit/contacts" in str([one.href for one in state.obstacles])
    frame = await tab.state(WizardState)
    assert (frame.basics_done, frame.contacts_done, frame.pace_done) == (False, False, True)


async def test_a_step_that_is_right_by_default_is_done_once_it_was_seen(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await open_step(tab, world, campaign_id, "basics")
    frame = await tab.state(WizardState)
    assert (frame.basics_done, frame.message_done, frame.pace_done) == (True, False, False)
    browser.path = browser.path.replace("basics", "pace")
    await browser.send(PaceState.load())
    frame = await tab.state(WizardState)
    assert (frame.message_done, frame.pace_done) == (False, True)


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


async def test_an_untouched_draft_is_taken_up_again(world: CampaignWorld) -> None:
    async def begun() -> int:
        return await world.do(begin_draft)

    first = await begun()
    assert await begun() == first
    await world.do(update_campaign, campaign_ref=first, changes={"agenda_template": "About your visit."})
    second = await begun()
    assert second != first
    await world.recipient(second)
    assert await begun() not in {first, second}


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


async def test_a_message_draft_keeps_the_templates_of_the_other_channel(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(step={"agenda_template": "About your visit."})
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.choose_channel("sms"))
    await browser.send(BasicsState.choose_channel("call"))
    async with world.database.session() as session:
        found = select(Step).join(Campaign).where(col(Campaign.id) == campaign_id)
        assert (await session.execute(found)).scalar_one().agenda_template == "About your visit."


def test_long_campaigns_are_told_in_hours_and_days() -> None:
    assert [spoken_minutes(minutes) for minutes in (1, 45, 180, 4_320)] == [
        "about 1 minute",
        "about 45 minutes",
        "about 3 hours",
        "about 3 days",
    ]


def upload(data: bytes, name: str = "people.csv") -> list[rx.UploadFile]:
    """Return a file as a browser's upload hands it over."""
    return [rx.UploadFile(file=BytesIO(data), path=Path(name))]


async def test_an_uploaded_file_is_mapped_looked_through_and_left_to_be_imported(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    file = SEED + b"+15551234567,John Again,,,,\nnot a number,Nobody,,,,\n"
    await events_of(tab, ImportState, "receive", upload(file))
    state = await tab.state(ImportState)
    assert state.stage == "uploaded"
    assert [(row.header, row.target) for row in state.columns][:2] == [
        ("phone_number", "phone_number"),
        ("name", "name"),
    ]
    assert (state.tally.accepted, state.tally.rejected, state.tally.duplicates) == (3, 1, 1)
    assert [(row.row, row.kind) for row in state.refused] == [("5", "Duplicate"), ("6", "Rejected")]
    assert await world.people(campaign_id) == {}


async def test_a_file_left_half_way_is_taken_up_again_on_the_next_visit(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(SEED))
    first = (await tab.state(ImportState)).import_id
    await browser.send(ImportState.load())
    state = await tab.state(ImportState)
    assert (state.import_id, state.stage, state.tally.accepted) == (first, "uploaded", 3)


async def test_a_file_without_a_column_of_numbers_asks_for_one(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(b"a,b\nx,y\n"))
    assert "phone numbers" in (await tab.state(ImportState)).errors["mapping"]


async def test_a_field_moved_to_another_column_leaves_the_first_a_variable(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(b"a,b\n+12025550143,+12025550144\n"))
    assert [row.target for row in (await tab.state(ImportState)).columns] == ["phone_number", "variable:b"]
    await browser.send(ImportState.use_column("b", "phone_number"))
    state = await tab.state(ImportState)
    assert [(row.header, row.target) for row in state.columns] == [("a", "variable:a"), ("b", "phone_number")]
    assert (state.errors, state.tally.accepted) == ({}, 1)


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "empty"), (b"phone_number,name\n", "no row"), (b"\x89PNG\r\n\x1a\n" + bytes(99), "")],
)
async def test_what_is_no_list_of_people_is_refused_in_words(
    world: CampaignWorld, tab: Driver, data: bytes, why: str
) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(data))
    state = await tab.state(ImportState)
    assert why in state.errors["contacts-file"]
    assert (state.stage, state.uploading) == ("none", False)


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_an_import_is_queued_once_and_shown_to_its_end(
    world: CampaignWorld, tab: Driver, redis: Redis
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(SEED))
    await browser.send(ImportState.start())
    state = await tab.state(ImportState)
    assert (state.stage, tab.errors) == ("working", [])
    assert await redis.exists(f"arq:job:import:{state.import_id}")
    await run_import(world.database, import_id=state.import_id, clock=get_context().clock)
    await browser.send(ContactsStepState.load())
    assert [line.text for line in (await tab.state(ImportState)).earlier] == ["3 added"]
    assert (await tab.state(WizardState)).contacts == 3


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_going_on_asks_about_a_file_that_is_not_imported(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await browser.send(ContactsStepState.ask(True))
    assert not (await tab.state(ContactsStepState)).asking
    await events_of(tab, ImportState, "receive", upload(SEED))
    await browser.send(ContactsStepState.ask(True))
    assert (await tab.state(ContactsStepState)).asking
    events = await events_of(tab, ContactsStepState, "import_and_go_on")
    assert f"/campaigns/{campaign_id}/edit/pace" in events
    asking, stage = (await tab.state(ContactsStepState)).asking, (await tab.state(ImportState)).stage
    assert (asking, stage) == (False, "working")


async def test_the_review_names_a_file_that_is_not_imported(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(SEED, "march.csv"))
    await browser.send(ReviewState.load())
    state = await tab.state(ReviewState)
    assert "“march.csv” is uploaded but not imported" in str([one.sentence for one in state.obstacles])
    await world.recipient(campaign_id)
    await browser.send(ReviewState.load())
    assert "“march.csv” is uploaded but not imported" in (await tab.state(ReviewState)).warnings[0]


async def test_another_organizations_import_cannot_be_started(world: CampaignWorld, tab: Driver) -> None:
    async with world.database.transaction() as session:
        stranger = await make_organization(session)
        foreign = await store_import(
            session,
            principal=principal(stranger),
            campaign_ref=None,
            file_name="theirs.csv",
            data=SEED,
            now=get_context().clock.now(),
        )
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    (await tab.state(ImportState)).import_id = foreign
    await events_of(tab, ImportState, "start")
    assert (
        await world.ask(get_import, principal=principal(stranger), import_ref=foreign)
    ).status == "uploaded"


def workbook(**sheets: list[list[str]]) -> bytes:
    """Return an Excel workbook of those sheets."""
    book, file = Workbook(), BytesIO()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


PEOPLE = [["phone_number", "name"], ["+12025550143", "Ann"], ["+12025550144", "Ben"]]


async def test_a_workbook_is_taken_and_another_sheet_can_be_chosen(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    data = workbook(North=PEOPLE, South=PEOPLE[:2])
    await events_of(tab, ImportState, "receive", upload(data, "people.xlsx"))
    state = await tab.state(ImportState)
    assert (state.stage, state.tally.accepted, state.sheets) == ("uploaded", 2, ["North", "South"])
    assert "XLSX" in state.facts
    await browser.send(ImportState.use_sheet("South"))
    state = await tab.state(ImportState)
    assert (state.sheet, state.tally.accepted, state.errors, state.looking) == ("South", 1, {}, False)


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_a_large_workbook_is_read_by_a_worker_and_then_opened(
    world: CampaignWorld, tab: Driver, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.imports.operations.AT_ONCE_BYTES", 10)
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(workbook(North=PEOPLE), "people.xlsx"))
    state = await tab.state(ImportState)
    assert (state.stage, state.columns) == ("reading", [])
    assert await redis.exists(f"arq:job:import:{state.import_id}")
    await browser.send(ImportState.load())
    assert (await tab.state(ImportState)).stage == "reading"
    await run_import(world.database, import_id=state.import_id, clock=get_context().clock)
    view = await world.ask(get_import, import_ref=state.import_id)
    assert (await tab.state(ImportState))._follow([view])
    await browser.send(ImportState.load())
    state = await tab.state(ImportState)
    assert (state.stage, state.tally.accepted) == ("uploaded", 2)


async def test_json_is_taken_as_a_file(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    data = b'[{"phone_number": "+12025550143", "name": "Ann"}]'
    await events_of(tab, ImportState, "receive", upload(data, "people.json"))
    state = await tab.state(ImportState)
    assert (state.stage, state.tally.accepted) == ("uploaded", 1)


async def test_a_pasted_list_is_mapped_and_looked_through(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await browser.send(ImportState.paste({"text": " "}))
    assert (await tab.state(ImportState)).errors == {"text": "Paste at least one phone number."}
    await browser.send(ImportState.paste({"text": "+12025550143\n+12025550144\n"}))
    state = await tab.state(ImportState)
    assert (state.stage, state.file_name, state.tally.accepted) == ("uploaded", "Pasted text", 2)
    assert (state.errors, state.saving) == ({}, False)
    assert await events_of(tab, ImportState, "paste", {"text": "+12025550145"}) == "[]"
    assert (await tab.state(ImportState)).import_id == state.import_id


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("file-invalid-type", "CSV, XLSX or JSON"),
        ("file-too-large", "larger than"),
        ("too-many-files", "one file"),
    ],
)
async def test_what_the_browser_refuses_is_said_in_words(
    world: CampaignWorld, tab: Driver, code: str, words: str
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await browser.send(ImportState.refuse([{"file": {}, "errors": [{"code": code, "message": "…"}]}]))
    await events_of(tab, ImportState, "receive", [])
    assert words in (await tab.state(ImportState)).errors["contacts-file"]


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_a_second_click_on_import_changes_nothing(
    world: CampaignWorld, tab: Driver, redis: Redis
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(SEED))
    await browser.send(ImportState.start())
    assert await events_of(tab, ImportState, "start") == "[]"
    assert await events_of(tab, ContactsStepState, "import_and_go_on") == "[]"
    state = await tab.state(ImportState)
    assert (state.stage, state.saving, tab.errors) == ("working", False, [])


async def test_the_preview_tells_who_is_known_and_what_the_message_will_say(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        await make_contact(session, world.organization, number="+12025550143")
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    await events_of(
        tab, ImportState, "receive", upload(b"phone_number,name\n+12025550143,Ann\n+12025550144,Ben\n")
    )
    state = await tab.state(ImportState)
    assert (state.tally.known, state.tally.opted_out) == (1, 0)
    assert [sample.said for sample in state.samples] == ["Hello Ann.", "Hello Ben."]


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_people_are_imported_into_the_address_book_without_a_campaign(
    world: CampaignWorld, tab: Driver, redis: Redis
) -> None:
    campaign_id = await world.campaign()
    browser = await signed_in(tab, world.organization, "/contacts/import")
    await browser.send(ImportState.load())
    await events_of(tab, ImportState, "receive", upload(SEED))
    state = await tab.state(ImportState)
    assert (state.stage, state.into_campaign, state.samples, tab.errors) == ("uploaded", False, [], [])
    await browser.send(ImportState.load())
    assert (await tab.state(ImportState)).import_id == state.import_id
    await browser.send(ImportState.start())
    await run_import(world.database, import_id=state.import_id, clock=get_context().clock)
    view = await world.ask(get_import, import_ref=state.import_id)
    assert (view.campaign_id, view.accepted) == (None, 3)
    await browser.send(ImportState.load())
    assert [line.text for line in (await tab.state(ImportState)).earlier] == ["3 added"]
    assert await world.people(campaign_id) == {}


async def test_a_colleagues_file_for_the_address_book_is_not_taken_up(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        await store_import(
            session,
            principal=world.someone(),
            campaign_ref=None,
            file_name="theirs.csv",
            data=SEED,
            now=get_context().clock.now(),
        )
    browser = await signed_in(tab, world.organization, "/contacts/import")
    await browser.send(ImportState.load())
    assert (await tab.state(ImportState)).stage == "none"


async def test_a_viewer_may_not_import_people(world: CampaignWorld, tab: Driver) -> None:
    browser = await signed_in(tab, world.organization, "/contacts/import", role=Role.VIEWER)
    await browser.send(ImportState.load())
    assert "does not allow" in (await tab.state(ImportState)).problem
    await browser.send(ImportState.paste({"text": "+12025550143"}))
    assert (await tab.state(ImportState)).stage == "none"
