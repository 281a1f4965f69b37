"""The wizard's basics: who calls, from which numbers."""

from app.domain.campaign import Purpose
from app.domain.number_health import NumberRest
from app.services.campaigns.detail import get_campaign
from app.web.pages.campaign.fields.basics import facts
from app.web.pages.campaign.fields.boxes import Fact
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.state import WizardState
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import (
    make_agent,
    make_number,
    make_organization,
)
from tests.web.conftest import Driver
from tests.web.wizard_steps import BASICS, events_of, open_step, settings_of


async def test_basics_show_the_draft_as_its_row_holds_it(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=2, description="For regulars")
    await open_step(tab, world, campaign_id, "basics")
    state, frame = await tab.state(BasicsState), await tab.state(WizardState)
    shown = (state.values["name"], state.values["description"], state.channel)
    assert shown == ("March reminders", "For regulars", "call")
    assert (state.values["agent_id"], state.number_choice) == (str(world.agent.id), "one")
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
    assert (await tab.state(BasicsState)).values["agent_id"] == str(world.agent.id)
    assert (await settings_of(world, campaign_id)).agent_id == world.agent.id


async def test_ticked_numbers_make_the_pool_and_the_default_empties_it(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        second = await make_number(session, world.organization)
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    await browser.send(BasicsState.choose_numbers("pool"))
    ticks = {f"number_pool.{world.number.id}": "on", f"number_pool.{second.id}": "on"}
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


async def test_the_purpose_is_chosen_and_said(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "basics")
    assert (await tab.state(BasicsState)).purpose == "informational"
    await browser.send(BasicsState.choose_purpose("marketing"))
    settings = await settings_of(world, campaign_id)
    assert settings.purpose is Purpose.MARKETING
    async with world.database.reading() as session:
        detail = await get_campaign(session, principal=world.someone(), campaign_ref=campaign_id)
    assert Fact("Purpose", "Marketing") in facts(detail)
