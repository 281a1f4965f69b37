"""By keyboard alone."""

import re

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.browsing import heading, ready, visit
from tests.e2e.world import PASSWORD, BrowserWorld

_MOST_STOPS = 60


def test_signing_in_and_beginning_a_campaign_need_no_mouse(page: Page, world: BrowserWorld) -> None:
    person = world.member()
    visit(page, "/sign-in")
    _tab_to(page, page.get_by_label("E-mail"))
    page.keyboard.type(person.email)
    _tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(world.address("campaigns"))
    ready(page)
    _tab_to(page, page.get_by_role("button", name="Create campaign").first)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/edit/basics$"))
    ready(page)
    _tab_to(page, page.get_by_role("textbox", name="Name"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Typed by hand")
    _tab_to(page, page.get_by_role("combobox", name="Agent"))
    page.keyboard.type("Ava")
    _tab_to(page, page.get_by_role("radio", name=re.compile("The default caller ID")))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("One number"))).to_be_checked()
    _tab_to(page, page.get_by_role("combobox", name="Caller ID"))
    page.keyboard.press("ArrowDown")
    _tab_to(page, page.get_by_role("button", name="Next: Message"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/edit/message$"))
    expect(heading(page, "Typed by hand")).to_be_visible()


def test_the_first_stop_of_a_page_skips_to_its_content(page: Page, world: BrowserWorld) -> None:
    visit(page, "/sign-in")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_a_dialog_takes_the_focus_and_gives_it_back_to_what_opened_it(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.campaign("Spring reminders", world.contacts(2))
    world.sign_in(context, world.member())
    visit(page, world.address("contacts"))
    for name in ("Add filter", "Segments", "Bulk changes", "New contact"):
        opener = page.get_by_role("button", name=name).first
        opener.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog").locator(":focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(opener).to_be_focused()
    page.get_by_label(re.compile("^Select (?!this page)")).first.press("Space")
    delete = page.get_by_role("button", name="Delete", exact=True)
    _tab_to(page, delete)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alertdialog").get_by_role("button", name="Go back")).to_be_focused()
    page.keyboard.press("Escape")
    expect(delete).to_be_focused()


def _tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the wanted control has the focus, as somebody would who sees where it is."""
    expect(wanted).to_be_visible()
    for _ in range(_MOST_STOPS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()
