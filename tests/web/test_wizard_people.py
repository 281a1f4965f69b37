"""The wizard's contacts: people who are added by hand or from the address book."""

from app.domain.recipient import RecipientStatus
from app.web.pages.wizard.contacts.people_state import PeopleState
from app.web.pages.wizard.state import WizardState
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import (
    make_contact,
    make_organization,
)
from tests.web.conftest import Driver
from tests.web.wizard_steps import events_of, open_step


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
