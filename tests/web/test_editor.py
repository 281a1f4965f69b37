"""How a campaign is edited: only what was typed is written, and nothing that others wrote is overwritten."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.campaign import CampaignStatus
from app.domain.retry import RetryOutcome
from app.models import Campaign
from app.services.campaigns.operations import update_campaign
from app.web.pages.campaign.fields.form import texts_of
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.message.state import MessageState
from app.web.pages.wizard.pace.state import PaceState
from app.web.pages.wizard.state import WizardState
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import make_number
from tests.support.waiting import until
from tests.web.browser import Browser
from tests.web.conftest import Driver
from tests.web.test_campaign_reads import hub, sent_on
from tests.web.wizard_steps import events_of, open_step, settings_of

TEXTS = {"channel": "sms", "sms_message_template": "Hi."}


async def _sheet(tab: Driver, kind: Any) -> dict[str, Any]:
    """Return what the browser is told of the boxes."""
    sheet: dict[str, Any] = json.loads((await tab.state(kind)).sheet)
    return sheet


async def _change(world: CampaignWorld, campaign_id: int, **changes: Any) -> None:
    """Change settings as another tab or person does."""
    await world.do(update_campaign, campaign_ref=campaign_id, changes=changes)


async def _with_clashing_names(world: CampaignWorld, tab: Driver) -> tuple[int, Browser]:
    """A campaign that somebody has called Autumn while this tab called it Winter."""
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    read = (await _sheet(tab, BasicsState))["versions"]
    await _change(world, campaign_id, name="Autumn")
    await browser.send(BasicsState.keep({"name": "Winter", "read": read}))
    return campaign_id, browser


async def test_saving_changes_what_was_changed_and_nothing_else(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(retry_on=["no_answer", "busy", "carrier_error", "undelivered"])
    before = await world.row(campaign_id)
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.keep({"name": "Renamed"}))
    browser.path = browser.path.replace("basics", "pace")
    await browser.send(PaceState.load())
    await browser.send(PaceState.keep({"max_attempts": "2"}))
    after = await world.row(campaign_id)
    assert (after.name, after.max_attempts) == ("Renamed", 2)
    untouched = {"agent_id", "phone_number_id", "allowed_days", "retry_on", "enable_voicemail_detection"}
    assert {name: getattr(after, name) for name in untouched} == {
        name: getattr(before, name) for name in untouched
    }


async def test_the_form_changes_what_was_changed_in_it_and_nothing_else(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        off = await make_number(session, world.organization, active=False)
    campaign_id = await world.campaign()
    changes = {"number_pool": [world.number.id, off.id], "ramp": True, "retry_delays": [30, 60]}
    await _change(world, campaign_id, **changes)
    browser = await open_step(tab, world, campaign_id, "pace")
    before = await settings_of(world, campaign_id)
    await browser.send(PaceState.keep(dict((await tab.state(PaceState)).values)))
    assert await settings_of(world, campaign_id) == before
    assert before.number_pool == (world.number.id, off.id)
    finer = {
        "weight": "4",
        "budget_cap": "12.50",
        "retry_delays_by_outcome.busy": "5, 15",
        "breaker.failure_rate": "33",
    }
    await browser.send(PaceState.keep(finer))
    assert await settings_of(world, campaign_id) == replace(
        before,
        weight=4,
        budget_cap=Decimal("12.50"),
        retry_delays_by_outcome={RetryOutcome.BUSY: (5, 15)},
        breaker=replace(before.breaker, failure_rate=33),
    )


async def test_a_box_that_is_not_shown_for_texts_does_not_stop_them_from_being_saved(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    await _change(world, campaign_id, **TEXTS)
    before = await settings_of(world, campaign_id)
    browser = await open_step(tab, world, campaign_id, "basics")
    hidden = dict.fromkeys(("breaker.hang_up_rate", "retry_delays_by_outcome.busy"))
    await browser.send(BasicsState.forward(hidden | {"name": "Autumn"}))
    assert (await tab.state(BasicsState)).errors == {}
    assert await settings_of(world, campaign_id) == replace(before, name="Autumn")


async def test_a_setting_that_cannot_be_is_explained_at_its_field(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.keep({"concurrent_limit": "0"}))
    state = await tab.state(PaceState)
    assert (list(state.errors), state.saving) == (["concurrent_limit"], False)
    assert state.unsaved == "Not saved: see “Calls at once”."
    await browser.send(PaceState.keep({}))
    state = await tab.state(PaceState)
    assert (state.errors, state.unsaved) == ({}, "")


async def test_an_older_tab_writes_only_the_field_it_changed_and_then_shows_the_others(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    await _change(world, campaign_id, name="Autumn")
    await browser.send(BasicsState.keep({"description": "For regulars"}))
    settings = await settings_of(world, campaign_id)
    assert (settings.name, settings.description) == ("Autumn", "For regulars")
    state = await tab.state(BasicsState)
    assert (state.values["name"], state.clashes, state.errors) == ("Autumn", [], {})


async def test_a_field_that_both_changed_is_not_overwritten_but_asked_about(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    read = (await _sheet(tab, BasicsState))["versions"]
    await _change(world, campaign_id, name="Autumn")
    typed = {"name": "Winter", "description": "Kept", "read": read}
    await browser.send(BasicsState.keep(typed))
    settings = await settings_of(world, campaign_id)
    assert (settings.name, settings.description) == ("Autumn", "Kept")
    state = await tab.state(BasicsState)
    assert [(one.label, one.theirs, one.mine) for one in state.clashes] == [("Name", "Autumn", "Winter")]
    assert state.unsaved == "Not saved: “Name” was changed elsewhere. Choose above."
    await browser.send(BasicsState.keep_mine("name"))
    assert (await settings_of(world, campaign_id)).name == "Winter"
    state = await tab.state(BasicsState)
    assert (state.clashes, state.errors, state.unsaved) == ([], {}, "")


async def test_theirs_is_taken_by_choice_and_replaces_what_is_typed(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id, browser = await _with_clashing_names(world, tab)
    await browser.send(BasicsState.take_theirs("name"))
    assert (await settings_of(world, campaign_id)).name == "Autumn"
    sheet = await _sheet(tab, BasicsState)
    assert sheet["values"]["name"] == "Autumn"
    assert sheet["forced"]["name"] == sheet["versions"]["name"]
    assert (await tab.state(BasicsState)).clashes == []


async def test_what_others_change_is_asked_about_again_if_they_change_it_again(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id, browser = await _with_clashing_names(world, tab)
    await _change(world, campaign_id, name="Spring")
    await browser.send(BasicsState.keep_mine("name"))
    assert (await settings_of(world, campaign_id)).name == "Spring"
    (clash,) = (await tab.state(BasicsState)).clashes
    assert (clash.theirs, clash.mine) == ("Spring", "Winter")


async def test_one_may_go_on_typing_over_what_one_has_saved_oneself(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    read = (await _sheet(tab, BasicsState))["versions"]
    await browser.send(BasicsState.keep({"name": " Winter ", "read": read}))
    sheet = await _sheet(tab, BasicsState)
    assert (sheet["values"]["name"], sheet["taken"]["name"]) == ("Winter", " Winter ")
    await browser.send(BasicsState.keep({"name": "Winter sale", "read": sheet["versions"]}))
    assert (await settings_of(world, campaign_id)).name == "Winter sale"
    assert (await tab.state(BasicsState)).clashes == []


async def test_two_messages_under_way_at_once_do_not_clash_with_each_other(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    read = (await _sheet(tab, PaceState))["versions"]
    for text in ("30,60", "30,60", "30,60,90"):
        await browser.send(PaceState.keep({"retry_delays": text, "read": read}))
    assert (await settings_of(world, campaign_id)).retry_delays == (30, 60, 90)
    assert (await tab.state(PaceState)).clashes == []


async def test_a_message_that_comes_when_the_campaign_has_been_started_is_answered(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    async with world.database.transaction() as session:
        (await session.get_one(Campaign, campaign_id)).status = CampaignStatus.RUNNING
    await browser.send(BasicsState.keep({"name": "Winter", "save": "7"}))
    assert (await _sheet(tab, BasicsState))["answered"] == "7"
    assert "Pause the campaign first" in (await tab.state(WizardState)).locked
    assert (await world.row(campaign_id)).name == "March reminders"


async def test_a_version_that_the_tab_was_never_given_overwrites_nothing(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.keep({"name": "Winter", "read": {"name": 999}}))
    assert (await settings_of(world, campaign_id)).name == "March reminders"
    assert [clash.box for clash in (await tab.state(BasicsState)).clashes] == ["name"]


async def test_parts_of_one_setting_that_two_change_are_both_kept(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(fallback_values={"deal_stage": "request"})
    browser = await open_step(tab, world, campaign_id, "message")
    await _change(world, campaign_id, fallback_values={"deal_stage": "request", "name": "friend"})
    await browser.send(MessageState.keep({"fallback_values.city": "town"}))
    assert (await settings_of(world, campaign_id)).fallback_values == {
        "deal_stage": "request",
        "name": "friend",
        "city": "town",
    }


async def test_a_choice_by_click_does_not_overwrite_what_was_not_seen(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "message")
    await _change(world, campaign_id, missing="skip")
    await browser.send(MessageState.choose_missing("blank"))
    assert (await settings_of(world, campaign_id)).missing == "skip"
    (clash,) = (await tab.state(MessageState)).clashes
    assert (clash.theirs, clash.mine) == ("Skip the contact", "Leave it out")


async def test_typed_texts_are_saved_before_one_goes_on_even_with_a_stale_choice(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.keep({"concurrent_limit": "0"}))
    await browser.send(PaceState.choose_hours("any"))
    state = await tab.state(PaceState)
    assert list(state.errors) == ["concurrent_limit"], "what is typed is still not saved"
    events = await events_of(tab, PaceState, "forward", {"concurrent_limit": "0"})
    assert "/edit/review" not in events


async def test_what_others_change_is_shown_while_one_looks_on(
    world: CampaignWorld, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")

    async def is_shown() -> bool:
        return (await tab.state(BasicsState)).values["name"] == "Autumn"

    async with hub(monkeypatch, slow_tick=0.05), sent_on(browser, BasicsState.follow()):
        await _change(world, campaign_id, name="Autumn")
        await until(is_shown)


async def test_a_message_for_another_campaign_changes_nothing(world: CampaignWorld, tab: Driver) -> None:
    campaign_id, other = await world.campaign(), await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.keep({"name": "Winter", "campaign": other}))
    assert (await world.row(campaign_id)).name == (await world.row(other)).name == "March reminders"


@pytest.mark.parametrize("status", [CampaignStatus.PAUSED, CampaignStatus.FAILED])
async def test_the_last_step_of_a_campaign_that_was_started_leads_back_to_it(
    world: CampaignWorld, tab: Driver, status: CampaignStatus
) -> None:
    campaign_id = await world.campaign(status=status)
    await open_step(tab, world, campaign_id, "pace")
    events = await events_of(tab, PaceState, "forward", {"max_attempts": "2"})
    assert f"/campaigns/{campaign_id}" in events
    assert "/edit/" not in events
    assert (await settings_of(world, campaign_id)).max_attempts == 2


async def test_the_channel_of_a_campaign_that_was_started_stays(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.PAUSED)
    browser = await open_step(tab, world, campaign_id, "basics")
    assert (await tab.state(BasicsState)).channel_fixed
    await browser.send(BasicsState.choose_channel("sms"))
    state = await tab.state(BasicsState)
    assert (state.channel, list(state.errors)) == ("call", ["channel"])


async def test_a_new_time_zone_keeps_what_the_clock_of_the_start_shows(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_start("scheduled"))
    await browser.send(PaceState.keep({"time_zone": "America/Chicago", "scheduled_at": "2090-12-01T09:30"}))
    await browser.send(PaceState.keep({"time_zone": "Europe/Berlin"}))
    assert texts_of(await settings_of(world, campaign_id))["scheduled_at"] == "2090-12-01T09:30"


async def test_one_box_of_a_setting_leaves_the_others_as_exact_as_they_were(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    await _change(world, campaign_id, breaker={"failure_rate": 12.3456789})
    exact = (await settings_of(world, campaign_id)).breaker
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.keep({"breaker.window": "60"}))
    assert (await settings_of(world, campaign_id)).breaker == replace(exact, window=60)


async def test_a_refused_date_is_forgotten_with_its_box(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "pace")
    await browser.send(PaceState.choose_start("scheduled"))
    await browser.send(PaceState.keep({"scheduled_at": "2020-01-01T10:00"}))
    assert list((await tab.state(PaceState)).errors) == ["scheduled_at"]
    await browser.send(PaceState.choose_start("immediate"))
    state = await tab.state(PaceState)
    assert (state.errors, state.unsaved) == ({}, "")
