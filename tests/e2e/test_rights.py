"""What a person may not do is not there to be done."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from app.domain.rights import Role
from tests.e2e.browsing import heading, ready, row, status, toast, visit
from tests.e2e.world import BrowserWorld

_ACTIONS = re.compile(
    r"^(Create|New|Add(?! filter)|Edit|Save|Start|Pause|Resume|Cancel|Retry|Skip|Remove|Delete|Stop all|More actions)\b"
)


def test_a_viewer_finds_no_button_that_changes_anything(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(2))
    world.sign_in(context, world.member(Role.VIEWER))
    visit(page, world.address("campaigns"))
    expect(row(page, "Spring reminders")).to_contain_text("Draft")
    _expect_no_actions(page)
    row(page, "Spring reminders").get_by_role("link", name="Spring reminders").click()
    for tab in ("Overview", "Contacts", "Settings", "Call log"):
        page.get_by_role("navigation", name="Campaign").get_by_role("link", name=tab).click()
        ready(page)
        expect(heading(page, "Spring reminders")).to_be_visible()
        _expect_no_actions(page)
    for section in ("Contacts", "Agents", "Numbers"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=section).click()
        expect(heading(page, section)).to_be_visible()
        ready(page)
        _expect_no_actions(page)
    visit(page, world.address(f"campaigns/{campaign_id}/edit/review"))
    _expect_no_actions(page)


def test_a_button_that_was_shown_before_the_role_was_taken_away_does_nothing(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(1))
    person = world.member(Role.OPERATOR)
    world.sign_in(context, person)
    visit(page, world.address(f"campaigns/{campaign_id}"))
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_visible()
    world.make(person, Role.VIEWER)
    start.click()
    expect(toast(page, "Your role does not allow this")).to_be_visible()
    expect(status(page)).to_contain_text("Draft")


def test_another_organization_is_not_there(context: BrowserContext, page: Page, world: BrowserWorld) -> None:
    world.sign_in(context, world.member())
    visit(page, f"{world.installation.url}/somebody-else/campaigns")
    expect(page.get_by_role("alert")).to_contain_text("somebody-else")


def _expect_no_actions(page: Page) -> None:
    for role in ("button", "link", "menuitem"):
        expect(page.get_by_role("main").get_by_role(role, name=_ACTIONS)).to_have_count(0)
