"""The form of a campaign's Settings tab."""

from dataclasses import replace
from decimal import Decimal

from app.domain.retry import RetryOutcome
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.operations import update_campaign
from app.web.pages.campaign.settings.state import CampaignSettingsState
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import make_number
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver


async def open_form(tab: Driver, world: CampaignWorld, campaign_id: int) -> Browser:
    """Open the form of a campaign's settings."""
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}/settings")
    await browser.send(CampaignSettingsState.edit())
    assert tab.errors == []
    return browser


async def test_the_form_changes_what_was_changed_in_it_and_nothing_else(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        off = await make_number(session, world.organization, active=False)
    campaign_id = await world.campaign()
    changes = {"number_pool": [world.number.id, off.id], "ramp": True, "retry_delays": [30, 60]}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=changes)
    browser = await open_form(tab, world, campaign_id)
    state = await tab.state(CampaignSettingsState)
    ticks = {f"day_{day}": "on" for day in range(1, 8)} | {
        one.value if prefix == "" else f"{prefix}{one.value}": "on"
        for prefix, options in (("", state.outcomes), ("pool_", state.numbers))
        for one in options
        if one.ticked
    }
    untouched = {name: text for name, text in state.form.items() if text not in {"", "on"}}
    form = untouched | ticks | {"enable_voicemail_detection": "on", "ramp": "on"}
    await browser.send(CampaignSettingsState.save(form))
    before = (await world.ask(get_campaign, campaign_ref=campaign_id)).settings
    assert before.number_pool == (world.number.id, off.id)
    await browser.send(CampaignSettingsState.edit())
    finer = {"weight": "4", "budget_cap": "12.50", "delays_busy": "5, 15", "breaker_failure_rate": "33"}
    await browser.send(CampaignSettingsState.save(form | finer))
    after = (await world.ask(get_campaign, campaign_ref=campaign_id)).settings
    assert after == replace(
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
    texts = {"channel": "sms", "sms_message_template": "Hi."}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=texts)
    before = (await world.ask(get_campaign, campaign_ref=campaign_id)).settings
    browser = await open_form(tab, world, campaign_id)
    state = await tab.state(CampaignSettingsState)
    hidden = dict.fromkeys(("breaker_hang_up_rate", "delays_busy", "delays_no_answer", "delays_voicemail"))
    ticks = {one.value: "on" for one in (*state.days, *state.outcomes) if one.ticked}
    form = {name: text for name, text in state.form.items() if text != "on"} | hidden | ticks
    await browser.send(CampaignSettingsState.save(form | {"name": "Autumn"}))
    assert (await tab.state(CampaignSettingsState)).errors == {}
    assert (await world.ask(get_campaign, campaign_ref=campaign_id)).settings == replace(
        before, name="Autumn"
    )


async def test_a_wrong_finer_setting_is_explained_at_its_field_and_nothing_is_saved(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_form(tab, world, campaign_id)
    state = await tab.state(CampaignSettingsState)
    wrong = {"breaker_window": "1", "delays_busy": "x", "retry_delays": "", "weight": "7"}
    wrong |= {f"day_{day}": "on" for day in range(1, 8)}
    await browser.send(CampaignSettingsState.save(dict(state.form) | wrong))
    assert set((await tab.state(CampaignSettingsState)).errors) == {
        "breaker.window",
        "retry_delays_by_outcome.busy",
        "retry_delay_minutes",
    }
    assert (await world.ask(get_campaign, campaign_ref=campaign_id)).settings.weight == 1
