"""A stranger's first quarter of an hour: from the set-up link to a campaign that has called everybody."""

import re
from typing import Final

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.browsing import choose_card, choose_file, heading, ready, row, status, visit
from tests.e2e.installation import Installation, project_file
from tests.e2e.world import PASSWORD

_JOHN, _JANE, _BOB = "+15551234567", "+15559876543", "+15555550100"
_PERSONAS: Final = {_JOHN: "answers_confirms", _JANE: "voicemail", _BOB: "busy"}


def test_from_the_set_up_link_to_a_finished_campaign(
    context: BrowserContext, page: Page, installation: Installation
) -> None:
    for number, persona in _PERSONAS.items():
        installation.carrier.person(number, persona)
    _set_up(page, installation.set_up_link)
    _create_campaign(page, "Spring proposals")
    _write_message(page)
    _bring_contacts(page)
    _set_pace(page)
    _start(page)
    _watch_it_complete(page)
    _look_into_the_call_log(page)
    _expect_the_link_to_be_used_up(context, installation)


def _set_up(page: Page, link: str) -> None:
    visit(page, link)
    expect(heading(page, "Welcome to Callsheet")).to_be_visible()
    expect(page.get_by_role("note")).to_contain_text("nobody is really called")
    page.get_by_label("Your name").fill("Ann Owner")
    page.get_by_label("E-mail").fill("ann@northwind.example")
    page.get_by_label("Password").fill("short")
    page.get_by_label("Organization").fill("Northwind")
    page.get_by_role("button", name="Create account and sign in").click()
    expect(page.get_by_text("Use at least 10 characters")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account and sign in").click()
    page.wait_for_url("**/northwind/campaigns")
    ready(page)
    expect(row(page, "Sample: a word about your deal")).to_contain_text("Draft")


def _create_campaign(page: Page, name: str) -> None:
    page.get_by_role("button", name="Create campaign").click()
    page.wait_for_url("**/edit/basics")
    ready(page)
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("combobox", name="Agent").select_option("Ava")
    page.get_by_role("button", name="Next: Message").click()
    page.wait_for_url("**/edit/message")
    expect(heading(page, name)).to_be_visible()


def _write_message(page: Page) -> None:
    page.get_by_role("textbox", name="Greeting (welcome message)").fill(
        "Hi {{name}}, this is Ava. It is about your {{deal_stage}}."
    )
    page.get_by_role("textbox", name="Question").fill("Do you have a minute? Say yes or press 1.")
    page.get_by_role("textbox", name="Closing").fill("Thank you, goodbye.")
    expect(page.get_by_text("It is about your")).to_have_count(2)  # what is written, and what will be said
    page.get_by_role("button", name="Next: Contacts").click()
    page.wait_for_url("**/edit/contacts")
    ready(page)


def _bring_contacts(page: Page) -> None:
    choose_file(page, project_file("assets/example-contacts.csv"))
    columns = page.get_by_role("table", name="Columns of the file and what they become")
    expect(_use_of(columns, "phone_number")).to_have_value("phone_number")
    expect(_use_of(columns, "deal_stage")).to_have_value(re.compile("deal_stage"))
    accepted = page.get_by_role("table", name="Accepted: the first rows")
    expect(accepted.get_by_role("row")).to_have_count(1 + 3)
    expect(accepted.get_by_role("row", name="John Doe")).to_contain_text("no phone company uses such numbers")
    page.get_by_role("button", name="Import 3 contacts").click()
    expect(page.get_by_role("status").filter(has_text="3 contacts are now in the campaign")).to_be_visible(
        timeout=30_000
    )
    page.get_by_role("link", name="Next: Pace and retries").click()
    page.wait_for_url("**/edit/pace")
    ready(page)


def _use_of(columns: Locator, header: str) -> Locator:
    return columns.get_by_role("combobox", name=f"Use of column {header}")


def _set_pace(page: Page) -> None:
    page.get_by_role("spinbutton", name="Calls at once").fill("3")
    page.get_by_role("spinbutton", name="Attempts in all").fill("1")
    choose_card(page, re.compile("^Any time"))
    page.get_by_role("button", name="Next: Review and start").click()
    page.wait_for_url("**/edit/review")
    ready(page)


def _start(page: Page) -> None:
    review = page.get_by_role("main")
    expect(review).to_contain_text("Hi John Doe, this is Ava. It is about your proposal.")
    page.reload()
    ready(page)
    expect(review).to_contain_text(re.compile(r"Calls at once\s*3"))
    page.get_by_role("button", name="Start", exact=True).click()
    question = page.get_by_role("alertdialog", name="Start “Spring proposals”?")
    expect(question).to_contain_text("nobody is really called")
    question.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/northwind/campaigns/\d+$"))


def _watch_it_complete(page: Page) -> None:
    expect(status(page)).to_contain_text("Completed", timeout=60_000)
    progress = page.get_by_role("progressbar", name="Progress of the campaign")
    expect(progress).to_have_attribute("aria-valuenow", "100")
    for outcome in ("Completed", "Voicemail", "Busy"):
        expect(page.get_by_role("link", name=re.compile(rf"^{outcome} 1\b"))).to_be_visible()


def _look_into_the_call_log(page: Page) -> None:
    page.get_by_role("navigation", name="Campaign").get_by_role("link", name="Call log").click()
    calls = page.get_by_role("table", name="Call log")
    expect(calls.get_by_role("row")).to_have_count(1 + 3)
    expect(row(page, "Bob Wilson")).to_contain_text("Busy")
    calls.get_by_role("button", name="John Doe").click()
    sheet = page.get_by_role("dialog", name="John Doe")
    expect(sheet).to_contain_text("Answered")
    transcript = sheet.locator("section").filter(has=page.get_by_role("heading", name="Transcript"))
    expect(transcript.get_by_role("listitem").first).to_contain_text("Hi John Doe, this is Ava.")
    events = sheet.locator("section").filter(has=page.get_by_role("heading", name="Events"))
    expect(events.get_by_role("listitem").last).to_contain_text("completed")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


def _expect_the_link_to_be_used_up(context: BrowserContext, installation: Installation) -> None:
    stranger = context.new_page()
    context.clear_cookies()
    visit(stranger, installation.set_up_link)
    expect(heading(stranger, "This set-up link is no longer good")).to_be_visible()
