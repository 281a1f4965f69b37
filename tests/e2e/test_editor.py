"""One editor for drafts and for paused campaigns: nothing typed is lost, nothing of others is overwritten."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.domain.campaign import Channel
from tests.e2e.browsing import choose_card, heading, ready, saved, status, visit
from tests.e2e.test_tabs import Line
from tests.e2e.world import BrowserWorld

_TEXTS: Final[dict[str, Any]] = {
    "channel": "sms",
    "sms_message_template": "Hi {{name}}. Reply STOP to opt out.",
}
_SAVED: Final = re.compile("^Saved ")


@pytest.fixture
def campaign_id(context: BrowserContext, world: BrowserWorld) -> int:
    """A draft of calls; somebody who may edit it is signed in."""
    world.sign_in(context, world.member())
    return world.campaign("Spring reminders", world.contacts(1))


def test_two_tabs_on_one_draft_keep_what_each_of_them_changed(
    context: BrowserContext, page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    older, address = page, world.address(f"campaigns/{campaign_id}/edit/basics")
    visit(older, address)
    other = context.new_page()
    visit(other, address)
    _box(other, "Name").fill("Autumn reminders")
    expect(saved(other)).to_have_text(_SAVED)
    _box(older, "Description").fill("For regulars")
    _box(older, "Description").blur()
    expect(_box(older, "Name")).to_have_value("Autumn reminders")
    expect(saved(older)).to_have_text(_SAVED)
    settings = world.settings(campaign_id)
    assert (settings.name, settings.description) == ("Autumn reminders", "For regulars")
    expect(_box(other, "Description")).to_have_value("For regulars")


@pytest.mark.parametrize("choice", ["Keep yours", "Take theirs"])
def test_what_two_changed_at_once_is_shown_and_chosen_between(
    page: Page, world: BrowserWorld, campaign_id: int, choice: str
) -> None:
    visit(page, world.address(f"campaigns/{campaign_id}/edit/basics"))
    name = _box(page, "Name")
    name.focus()
    page.keyboard.press("End")
    page.keyboard.type(" today")
    world.change(campaign_id, name="Autumn reminders")
    page.keyboard.type("!")
    question = page.get_by_role("alert").filter(has_text="Name was changed elsewhere")
    expect(question).to_contain_text("Autumn reminders")
    expect(question).to_contain_text("Spring reminders today!")
    expect(name).to_have_value("Spring reminders today!")
    expect(saved(page)).to_contain_text("Not saved")
    assert world.settings(campaign_id).name == "Autumn reminders"
    question.get_by_role("button", name=choice).click()
    expect(question).to_have_count(0)
    expect(saved(page)).to_have_text(_SAVED)
    stands = "Spring reminders today!" if choice == "Keep yours" else "Autumn reminders"
    expect(name).to_have_value(stands)
    assert world.settings(campaign_id).name == stands


def test_a_box_that_is_typed_in_is_not_replaced_under_the_cursor(
    page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    visit(page, world.address(f"campaigns/{campaign_id}/edit/basics"))
    name = _box(page, "Name")
    name.focus()
    world.change(campaign_id, name="Autumn reminders", description="For regulars")
    expect(_box(page, "Description")).to_have_value("For regulars")
    expect(name).to_have_value("Spring reminders")
    name.blur()
    expect(name).to_have_value("Autumn reminders")


@pytest.mark.parametrize("channel", [Channel.CALL, Channel.SMS])
def test_a_paused_campaign_is_edited_by_the_steps_to_the_end_and_resumed(
    context: BrowserContext, page: Page, world: BrowserWorld, channel: Channel
) -> None:
    world.sign_in(context, world.member())
    words = _TEXTS if channel is Channel.SMS else {}
    people = world.contacts(1, "delivered" if channel is Channel.SMS else "answers_confirms")
    campaign_id = world.campaign("Spring reminders", people, **words)
    world.pause_before_its_start(campaign_id)
    visit(page, world.address(f"campaigns/{campaign_id}"))
    page.get_by_role("link", name="Edit settings").click()
    page.wait_for_url("**/edit/basics")
    ready(page)
    expect(status(page)).to_contain_text("Paused")
    expect(page.get_by_role("radio", name=re.compile("^Call "))).to_be_disabled()
    _box(page, "Name").fill("Autumn reminders")
    _onward(page, "button", "Next: Message", "message")
    _box(page, "Message" if channel is Channel.SMS else "Closing").fill(
        "Bye {{name}}. Reply STOP to opt out."
    )
    _onward(page, "button", "Next: Contacts", "contacts")
    _onward(page, "link", "Next: Pace and retries", "pace")
    choose_card(page, re.compile("^Any time"))
    choose_card(page, re.compile("^When I press Start"))
    expect(page.get_by_role("link", name="Review and start")).to_have_count(0)
    page.get_by_role("button", name="Back to the campaign").click()
    page.wait_for_url(re.compile(rf"/campaigns/{campaign_id}/?$"))
    expect(heading(page, "Autumn reminders")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(status(page)).to_contain_text("Completed", timeout=60_000)
    assert world.installation.carrier.calls_to(people[0].number) == 1


def test_what_was_changed_in_a_paused_campaign_is_kept_when_one_clicks_away(
    page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    world.pause_before_its_start(campaign_id)
    visit(page, world.address(f"campaigns/{campaign_id}/settings"))
    page.get_by_role("link", name="Edit Pace").click()
    page.wait_for_url("**/edit/pace")
    ready(page)
    page.get_by_label("Calls at once").fill("7")
    page.get_by_role("link", name="Back to the campaign").click()
    page.get_by_role("navigation", name="Campaign").get_by_role("link", name="Settings").click()
    page.wait_for_url("**/settings")
    ready(page)
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"Calls at once\s*7"))
    page.get_by_role("link", name="Edit Pace").click()
    expect(page.get_by_label("Calls at once")).to_have_value("7")


def test_what_cannot_be_saved_is_asked_about_before_the_step_is_left(
    page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    visit(page, world.address(f"campaigns/{campaign_id}/edit/pace"))
    at_once = page.get_by_label("Calls at once")
    at_once.fill("0")
    page.get_by_role("link", name="Basics").click()
    question = page.get_by_role("dialog", name="Leave without saving?")
    expect(question).to_contain_text("Not saved: see “Calls at once”.")
    question.get_by_role("button", name="Stay here").click()
    expect(at_once).to_have_value("0")
    expect(page.locator("#concurrent_limit-error")).not_to_be_empty()
    at_once.fill("8")
    expect(page.locator("#concurrent_limit-error")).to_be_empty()
    expect(saved(page)).to_have_text(_SAVED)
    at_once.fill("0")
    page.get_by_role("link", name="Basics").click()
    question.get_by_role("button", name="Leave without it").click()
    page.wait_for_url("**/edit/basics")
    assert world.settings(campaign_id).concurrent_limit == 8


def test_a_lost_connection_never_says_saved_and_loses_nothing_typed(
    page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    line = Line(page)
    visit(page, world.address(f"campaigns/{campaign_id}/edit/basics"))
    expect(saved(page)).to_have_text(_SAVED)
    with line.cut():
        _box(page, "Name").fill("Typed without a line")
        expect(saved(page)).to_have_text("Not saved: the connection is lost. Trying again…", timeout=30_000)
        expect(page.get_by_text("Connection lost.")).to_be_visible(timeout=30_000)
    expect(saved(page)).to_have_text(_SAVED, timeout=30_000)
    expect(_box(page, "Name")).to_have_value("Typed without a line")
    assert world.settings(campaign_id).name == "Typed without a line"


def test_a_refused_box_is_named_still_when_another_one_was_saved_after_it(
    context: BrowserContext, page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    address = world.address(f"campaigns/{campaign_id}/edit/pace")
    visit(page, address)
    page.get_by_label("Calls at once").fill("0")
    expect(saved(page)).to_have_text("Not saved: see “Calls at once”.")
    page.get_by_label("Calls per minute").fill("33")
    other = context.new_page()
    visit(other, address)
    expect(other.get_by_label("Calls per minute")).to_have_value("33")
    expect(saved(page)).to_have_text("Not saved: see “Calls at once”.")


def test_a_server_that_does_not_answer_is_told_and_what_was_typed_is_saved_once_it_does(
    page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    line = Line(page)
    visit(page, world.address(f"campaigns/{campaign_id}/edit/basics"))
    with line.silent():
        _box(page, "Name").fill("Typed at a silent server")
        expect(saved(page)).to_have_text("Not saved: no answer yet. Trying again…", timeout=30_000)
    expect(saved(page)).to_have_text(_SAVED, timeout=30_000)
    assert world.settings(campaign_id).name == "Typed at a silent server"


def test_what_was_typed_and_not_saved_is_shown_when_the_campaign_is_resumed_meanwhile(
    page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    world.pause_before_its_start(campaign_id)
    visit(page, world.address(f"campaigns/{campaign_id}/edit/pace"))
    page.get_by_label("Calls at once").fill("0")
    expect(saved(page)).to_have_text("Not saved: see “Calls at once”.")
    world.resume(campaign_id)
    lost = page.get_by_role("dialog", name="Not saved")
    expect(lost).to_contain_text(re.compile(r"Calls at once.*0", re.DOTALL))
    lost.get_by_role("button", name="Close").click()
    expect(page.get_by_role("main")).to_contain_text("cannot be edited now")


def test_a_tab_that_is_closed_with_something_unsaved_asks_first(
    page: Page, world: BrowserWorld, campaign_id: int
) -> None:
    visit(page, world.address(f"campaigns/{campaign_id}/edit/pace"))
    asked = page.evaluate("() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    assert not asked
    page.get_by_label("Calls at once").fill("0")
    asked = page.evaluate("() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    assert asked


def test_each_step_begins_at_its_heading_for_the_keyboard(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.sign_in(context, world.member())
    visit(page, world.address("campaigns"))
    page.get_by_role("button", name="Create campaign").first.press("Enter")
    _expect_heading(page, "Basics")
    page.keyboard.press("Tab")
    _box(page, "Name").press("ControlOrMeta+a")
    page.keyboard.type("By keyboard")
    page.get_by_role("button", name="Next: Message").press("Enter")
    _expect_heading(page, "By keyboard: Message")
    page.get_by_role("button", name="Next: Contacts").press("Enter")
    _expect_heading(page, "By keyboard: Contacts")
    page.get_by_role("link", name="Next: Pace and retries").press("Enter")
    _expect_heading(page, "By keyboard: Pace and retries")
    page.get_by_role("button", name="Next: Review and start").press("Enter")
    _expect_heading(page, "By keyboard: Review and start")
    page.get_by_role("link", name="Back").press("Enter")
    _expect_heading(page, "By keyboard: Pace and retries")


def _expect_heading(page: Page, words: str) -> None:
    expect(heading(page, words)).to_be_focused()
    ready(page)
    expect(heading(page, words)).to_be_focused()


def _box(page: Page, name: str) -> Any:
    return page.get_by_role("textbox", name=re.compile(f"^{name}"))


def _onward(page: Page, role: Any, name: str, step: str) -> None:
    page.get_by_role(role, name=name).click()
    page.wait_for_url(f"**/edit/{step}")
    ready(page)
