"""The campaign wizard as a whole: its steps, who may edit, and drafts."""

from app.domain.campaign import CampaignStatus
from app.domain.rights import Role
from app.services.campaigns.drafts import begin_draft
from app.services.campaigns.operations import update_campaign
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.message.state import MessageState
from app.web.pages.wizard.pace.state import PaceState
from app.web.pages.wizard.state import WizardState
from app.web.pages.wizard.steps import WizardStep, after, before, step_of
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import (
    make_campaign,
    make_organization,
)
from tests.web.conftest import Driver
from tests.web.wizard_steps import BASICS, events_of, open_step, settings_of


def test_the_steps_follow_one_another_and_each_field_has_one() -> None:
    assert [after(step) for step in WizardStep] == [*list(WizardStep)[1:], None]
    assert before(WizardStep.BASICS) is None
    assert step_of("phone_number_id") is WizardStep.BASICS
    assert step_of("sms_message_template") is WizardStep.MESSAGE
    assert step_of("contacts") is WizardStep.CONTACTS
    assert step_of("allowed_start") is WizardStep.PACE


async def test_going_back_loses_nothing(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "message")
    events = await events_of(tab, MessageState, "back", {"agenda_template": "About your visit."})
    assert (await settings_of(world, campaign_id)).agenda_template == "About your visit."
    assert f"/campaigns/{campaign_id}/edit/basics" in events


async def test_another_organizations_campaign_does_not_exist_here(world: CampaignWorld, tab: Driver) -> None:
    async with world.database.transaction() as session:
        foreign = await make_campaign(session, await make_organization(session))
    browser = await open_step(tab, world, foreign.id, "basics")
    state = await tab.state(BasicsState)
    assert (state.problem, state.values.get("name", "")) == (f"There is no campaign {foreign.id}.", "")
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
