"""The wizard's message: templates, what is missing in them, and their preview."""

from sqlalchemy import select
from sqlmodel import col

from app.domain.campaign import Channel
from app.models import Campaign, Step
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.message.state import MessageState
from tests.services.campaign_world import CampaignWorld
from tests.web.conftest import Driver
from tests.web.wizard_steps import open_step, settings_of


async def test_the_preview_speaks_to_the_campaigns_first_contact(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    await world.recipient(campaign_id, variables={"name": "Jane Doe", "deal_stage": "proposal"})
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.keep({"agenda_template": "About your {{deal_stage}}."}))
    state = await tab.state(MessageState)
    assert [part.text for part in state.parts] == ["Hello Jane Doe.", "About your proposal."]
    assert state.list_variables == ["deal_stage"]
    assert (await settings_of(world, campaign_id)).agenda_template == "About your {{deal_stage}}."


async def test_a_variable_nobody_has_is_a_warning_in_the_draft(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.keep({"agenda_template": "About your {{deal_stagee}}."}))
    state = await tab.state(MessageState)
    assert (state.unresolved, state.errors) == (["deal_stagee"], {})
    assert "deal_stagee" in [row.name for row in state.fallbacks]


async def test_a_syntax_error_stands_at_its_field_with_its_place(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.keep({"welcome_message_template": "Hi {{name"}))
    state = await tab.state(MessageState)
    assert state.errors["welcome_message_template"].startswith("Column 4:")
    assert state.texts["welcome_message_template"] == "Hi {{name"
    assert (await settings_of(world, campaign_id)).welcome_message_template == "Hello {{name}}."


async def test_only_templates_can_be_written_as_templates(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.keep({"name": "Overwritten"}))
    assert (await world.row(campaign_id)).name == "March reminders"


async def test_fallbacks_are_saved_and_an_empty_one_is_lifted(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(fallback_values={"deal_stage": "request"})
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(
        MessageState.keep({"fallback_values.name": "friend", "fallback_values.deal_stage": " "})
    )
    assert (await settings_of(world, campaign_id)).fallback_values == {"name": "friend"}


async def test_a_text_message_is_counted_in_segments_as_it_is_sent(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1, channel=Channel.SMS)
    browser = await open_step(tab, world, campaign_id, "message")
    await browser.send(MessageState.keep({"sms_message_template": "x" * 161}))
    state = await tab.state(MessageState)
    assert (state.size, state.is_long) == ("161 characters · 2 segments · GSM-7", True)
    await browser.send(MessageState.keep({"sms_message_template": "Déjà “vu”"}))
    assert (await tab.state(MessageState)).size.endswith("1 segment · UCS-2")
    assert "70 characters" in (await tab.state(MessageState)).size_hint


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
