"""The address book."""

from typing import Any

from app.context import AppContext
from app.models import Organization
from app.web.pages.contacts.card import ContactCardState
from app.web.pages.contacts.state import PAGE_SIZE, ContactsState
from app.web.pages.contacts.words import own_fields, tags
from tests.support.builders import make_campaign, make_contact, make_recipient
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

FORM: dict[str, Any] = {
    "number": "(201) 555-0123",
    "name": "Ada Abbott",
    "email": "ada@example.com",
    "tags": "vip, new,",
    "fields": "deal_stage: proposal\nday: Tuesday: noon",
}


async def address_book(seams: AppContext, acme: Organization, tab: Driver, people: int = 0) -> Browser:
    """The page, over an address book of that many people."""
    async with seams.database.transaction() as session:
        for serial in range(people):
            await make_contact(session, acme, name=f"Person {serial:02}", number=f"+1212555{serial:04}")
    browser = await signed_in(tab, acme, "/contacts")
    await browser.send(ContactsState.load())
    return browser


async def test_the_newest_come_first_a_page_at_a_time(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=PAGE_SIZE + 3)
    state = await tab.state(ContactsState)
    assert (state.rows[0].name, state.pages, len(state.rows)) == (f"Person {PAGE_SIZE + 2}", 2, PAGE_SIZE)
    await browser.send(ContactsState.turn_page(1))
    state = await tab.state(ContactsState)
    assert [row.name for row in state.rows] == ["Person 02", "Person 01", "Person 00"]
    await browser.send(ContactsState.turn_page(1))
    assert (await tab.state(ContactsState)).page == 2


async def test_people_are_found_by_the_start_of_name_or_number(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=12)
    for search, found in (("person 03", 1), ("212 555 001", 2), ("nobody", 0)):
        await browser.send(ContactsState.find(search))
        assert len((await tab.state(ContactsState)).rows) == found


async def test_sorting_by_a_column_once_more_turns_it_round(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=3)
    for expected in ("Person 00", "Person 02"):
        await browser.send(ContactsState.sort_by("name"))
        assert (await tab.state(ContactsState)).rows[0].name == expected


async def test_a_new_contact_shows_its_card_and_appears_in_the_list(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab)
    await browser.send(ContactCardState.open(0))
    await browser.send(ContactCardState.save(FORM))
    card = await tab.state(ContactCardState)
    assert (card.card.e164, card.card.tags, card.editing) == ("+12015550123", "vip, new", False)
    assert card.card.own_fields == "day: Tuesday: noon\ndeal_stage: proposal"
    assert [row.name for row in (await tab.state(ContactsState)).rows] == ["Ada Abbott"]


async def test_a_number_that_is_known_is_refused_at_its_field(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab)
    for _ in range(2):
        await browser.send(ContactCardState.open(0))
        await browser.send(ContactCardState.save(FORM))
    card = await tab.state(ContactCardState)
    assert ("already" in card.errors["number"], card.editing, card.is_open) == (True, True, True)


async def test_the_card_tells_what_campaigns_did(seams: AppContext, acme: Organization, tab: Driver) -> None:
    browser = await address_book(seams, acme, tab, people=1)
    async with seams.database.transaction() as session:
        contact = await make_contact(session, acme)
        await make_recipient(session, await make_campaign(session, acme, name="Spring"), contact)
    await browser.send(ContactCardState.open(contact.id))
    [item] = (await tab.state(ContactCardState)).history
    assert (item.campaign, item.channel, item.status) == ("Spring", "Call", "pending")


async def test_a_suppression_says_who_and_why_and_is_lifted_with_a_reason(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab)
    await browser.send(ContactCardState.open(0))
    await browser.send(ContactCardState.save(FORM))
    await browser.send(ContactCardState.suppress({"scope": "voice", "reason": "Asked by e-mail"}))
    [item] = (await tab.state(ContactCardState)).suppressions
    assert (item.scope, item.reason, item.source, item.is_lifted) == (
        "Never call",
        "Asked by e-mail",
        "by hand",
        False,
    )
    assert (await tab.state(ContactsState)).rows[0].suppressed
    await browser.send(ContactCardState.ask("lift", item.id))
    await browser.send(ContactCardState.lift({"lift_reason": " "}))
    assert set((await tab.state(ContactCardState)).errors) == {"reason"}
    await browser.send(ContactCardState.lift({"lift_reason": "Changed their mind"}))
    [item] = (await tab.state(ContactCardState)).suppressions
    assert (item.is_lifted, item.lift_reason) == (True, "Changed their mind")
    assert not (await tab.state(ContactsState)).rows[0].suppressed


async def test_a_visit_starts_without_what_another_left_open(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=1)
    await browser.send(ContactCardState.open((await tab.state(ContactsState)).rows[0].id))
    await browser.send(ContactCardState.reset_card())
    card = await tab.state(ContactCardState)
    assert (card.is_open, card.card.id) == (False, 0)


def test_lines_and_commas_are_read_forgivingly() -> None:
    assert own_fields("a: 1\n\nb:2:3\nc") == {"a": "1", "b": "2:3", "c": ""}
    assert tags(" vip,, new ,") == ["vip", "new"]
