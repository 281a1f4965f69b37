"""What every journey does: opening pages, finding things by role and label, signing in."""

import re
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.world import PASSWORD, Person

PATIENCE_MS: Final = 10_000
"""How long anything may take to show, on a busy machine."""
READY: Final = '.cs-app[data-ready="true"]'
"""What the shell says once a page's loading has ended."""

expect.set_options(timeout=PATIENCE_MS)


def new_context(browser: Browser, url: str) -> BrowserContext:
    """A browser as nobody has used it, of a fixed size, language and zone."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": 1440, "height": 900},
        locale="en-US",
        timezone_id="America/New_York",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    context.set_default_navigation_timeout(2 * PATIENCE_MS)
    return context


def visit(page: Page, url: str) -> None:
    """Open an address and wait until the page has loaded what it shows."""
    page.goto(url)
    ready(page)


def ready(page: Page) -> None:
    """Wait until the page answers to what is done on it."""
    expect(page.locator(READY)).to_be_visible()


def start(page: Page, button: str = "Start") -> None:
    """Start a campaign by a page's button, and say yes to the question that follows."""
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Start").click()


def sign_in(page: Page, person: Person) -> None:
    """Fill in the sign-in page that is open, and arrive."""
    ready(page)
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"^(?!.*/sign-in)"))
    ready(page)


def sign_out(page: Page) -> None:
    """Sign out by the menu of one's own account."""
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Sign out").click()


def heading(page: Page, name: str | re.Pattern[str]) -> Locator:
    """The page's title."""
    return page.get_by_role("heading", level=1, name=name)


def status(page: Page) -> Locator:
    """What stands around the title: the status badge and the actions."""
    return page.get_by_role("main").locator("header").first


def saved(page: Page) -> Locator:
    """What the editor of a campaign says of whether all is saved."""
    return page.locator("[data-save-state]")


def row(page: Page, text: str | re.Pattern[str]) -> Locator:
    """The table row that holds this text."""
    return page.get_by_role("row").filter(has_text=text)


def choose_file(page: Page, file: Path) -> None:
    """Choose a file in the drop zone that is shown."""
    with page.expect_file_chooser() as chooser:
        page.get_by_text(re.compile("Drop a .* file here, or click to choose one")).click()
    chooser.value.set_files(file)


def choose_card(page: Page, name: str | re.Pattern[str]) -> None:
    """Choose one of a group of cards, and wait until the page has taken the choice."""
    card = page.get_by_role("radio", name=name)
    card.click()
    expect(card).to_be_checked()


def toast(page: Page, text: str | re.Pattern[str]) -> Locator:
    """A message in passing."""
    return page.get_by_role("region", name=re.compile("Notifications")).get_by_text(text)
