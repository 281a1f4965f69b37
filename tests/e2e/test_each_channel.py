"""Calls and texts alike: the wizard by its buttons to a finished campaign, and settings that can be saved."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.domain.campaign import Channel
from tests.e2e.browsing import choose_card, heading, ready, row, saved, start, status, toast, visit
from tests.e2e.world import BrowserWorld, Contact

_PERSONA: Final = {Channel.CALL: "answers_confirms", Channel.SMS: "delivered"}
_CARD: Final = {Channel.CALL: re.compile("^Call"), Channel.SMS: re.compile("^SMS")}
_WORDS: Final[dict[Channel, dict[str, str]]] = {
    Channel.CALL: {"Greeting (welcome message)": "Hi {{name}}, this is Ava.", "Closing": "Goodbye."},
    Channel.SMS: {"Message": "Hi {{name}}. Reply STOP to opt out."},
}
_TEXTS: Final[dict[str, Any]] = {
    "channel": "sms",
    "sms_message_template": "Hi {{name}}. Reply STOP to opt out.",
}

channels = pytest.mark.parametrize("channel", [Channel.CALL, Channel.SMS])


@channels
def test_next_leads_through_all_steps_to_a_finished_campaign(
    context: BrowserContext, page: Page, world: BrowserWorld, channel: Channel
) -> None:
    people = world.contacts(2, _PERSONA[channel])
    world.sign_in(context, world.member())
    visit(page, world.address("campaigns"))
    page.get_by_role("button", name="Create campaign").first.click()
    page.wait_for_url("**/edit/basics")
    ready(page)
    _say_who_and_how(page, channel)
    for box, words in _WORDS[channel].items():
        page.get_by_role("textbox", name=box, exact=True).fill(words)
    _next(page, "Contacts")
    for person in people:
        _add_by_hand(page, person)
    page.get_by_role("link", name="Next: Pace and retries").click()
    page.wait_for_url("**/edit/pace")
    ready(page)
    page.get_by_role("spinbutton", name="Attempts in all").fill("1")
    _expect_working_hours(page)
    choose_card(page, re.compile("^Any time"))  # whatever the hour is now
    _next(page, "Review and start")
    start(page)
    page.wait_for_url(re.compile(r"/campaigns/\d+$"))
    expect(status(page)).to_contain_text("Completed", timeout=60_000)
    page.get_by_role("navigation", name="Campaign").get_by_role("link", name="Contacts").click()
    for person in people:
        expect(row(page, person.name)).to_contain_text("Completed")
        assert world.installation.carrier.calls_to(person.number) == 1


@channels
@pytest.mark.parametrize("stage", ["draft", "paused"])
def test_settings_are_saved(
    context: BrowserContext, page: Page, world: BrowserWorld, channel: Channel, stage: str
) -> None:
    settings = _TEXTS if channel is Channel.SMS else {}
    campaign_id = world.campaign("Spring reminders", world.contacts(1), **settings)
    if stage == "paused":
        world.pause_before_its_start(campaign_id)
    world.sign_in(context, world.member())
    address = world.address(f"campaigns/{campaign_id}/settings")
    visit(page, address)
    page.get_by_role("link", name="Edit Basics").click()
    page.wait_for_url("**/edit/basics")
    ready(page)
    page.get_by_role("textbox", name="Name", exact=True).fill("Autumn reminders")
    expect(saved(page)).to_have_text(re.compile("^Saved "))
    visit(page, address)
    expect(heading(page, "Autumn reminders")).to_be_visible()


def test_an_error_whose_box_is_not_on_the_page_stands_in_a_banner(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(1), **_TEXTS | {"channel": "call"})
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}/edit/pace"))
    at_once = page.get_by_role("spinbutton", name="Calls at once")
    at_once.fill("0")
    at_once.blur()  # saved as it is left; with the focus in no box, the button below saves but once
    banner = page.get_by_role("alert").filter(has_text="This has to be changed first")
    expect(page.locator("#concurrent_limit-error")).not_to_be_empty()
    expect(banner).to_be_hidden()
    world.change(campaign_id, channel="sms")  # by a colleague: the box of the error goes away
    expect(page.get_by_label("Messages per second")).to_be_visible()
    expect(at_once).to_have_count(0)
    expect(banner).to_contain_text(re.compile("Concurrent limit: .*1"))
    page.get_by_role("button", name="Next: Review and start").click()
    page.wait_for_url("**/edit/review")


def _say_who_and_how(page: Page, channel: Channel) -> None:
    page.get_by_role("textbox", name="Name", exact=True).fill(f"By {channel}")
    choose_card(page, _CARD[channel])
    page.get_by_role("combobox", name="Agent").select_option("Ava")
    choose_card(page, re.compile("^One number"))
    page.get_by_role("combobox", name="Caller ID").select_option(index=1)
    _next(page, "Message")


def _add_by_hand(page: Page, person: Contact) -> None:
    page.get_by_role("textbox", name="Phone number").fill(person.number)
    page.get_by_role("textbox", name=re.compile("^Name")).fill(person.name)
    page.get_by_role("button", name="Add contact").click()
    expect(page.get_by_role("textbox", name="Phone number")).to_have_value("")
    expect(toast(page, "1 added.").first).to_be_visible()


def _expect_working_hours(page: Page) -> None:
    expect(page.get_by_role("radio", name=re.compile("^Within certain hours"))).to_be_checked()
    expect(page.get_by_label("From", exact=True)).to_have_value("09:00")
    expect(page.get_by_label("Until", exact=True)).to_have_value("18:00")
    for day in ("Mon", "Tue", "Wed", "Thu", "Fri"):
        expect(page.get_by_role("checkbox", name=day)).to_be_checked()
    for day in ("Sat", "Sun"):
        expect(page.get_by_role("checkbox", name=day)).not_to_be_checked()


def _next(page: Page, step: str) -> None:
    addresses = {"Message": "message", "Contacts": "contacts", "Review and start": "review"}
    page.get_by_role("button", name=f"Next: {step}").click()
    page.wait_for_url(f"**/edit/{addresses[step]}")
    ready(page)
