"""Pages that change by themselves, whatever happens to the web process meanwhile."""

from contextlib import suppress

from playwright.sync_api import BrowserContext, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.browsing import heading, start, status, visit
from tests.e2e.watching import Witness
from tests.e2e.world import BrowserWorld

A_SECOND = 1_000
_STANDSTILL = 0.001
"""A speed at which nothing happens at the carrier by itself."""


def test_a_webhook_changes_the_open_page_within_a_second(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    (contact,) = world.contacts(1)
    campaign_id = world.campaign("Spring reminders", [contact])
    world.installation.carrier.speed(_STANDSTILL)
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}"))
    start(page)
    expect(_call(page, contact.name)).to_contain_text("Queued")
    page.evaluate("window.neverReloaded = true")
    for webhook, shown in (("ringing", "Ringing"), ("in-progress", "In progress")):
        world.installation.carrier.tells(contact.number, webhook)
        expect(_call(page, contact.name)).to_contain_text(shown, timeout=A_SECOND)
    world.installation.carrier.tells(contact.number, "completed", CallDuration="12")
    expect(_call(page, contact.name)).to_have_count(0, timeout=A_SECOND)
    assert page.evaluate("window.neverReloaded")


def _start_persistently(page: Page) -> None:
    """Start as a person does whose first click may have gone with the process: click again if nothing comes."""
    question = page.get_by_role("alertdialog")
    for _ in range(4):
        page.get_by_role("button", name="Start", exact=True).click()
        with suppress(PlaywrightTimeout):
            question.wait_for(timeout=10_000)
            break
    question.get_by_role("button", name="Start").click()


def test_a_page_comes_back_after_the_web_process_died(
    context: BrowserContext, page: Page, world: BrowserWorld, witness: Witness
) -> None:
    (contact,) = world.contacts(1)
    campaign_id = world.campaign("Spring reminders", [contact])
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}"))
    expect(status(page)).to_contain_text("Draft")
    witness.expect("WebSocket", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "Transport", "websocket error")
    world.installation.crash("web")
    _start_persistently(page)
    expect(status(page)).to_contain_text("Completed", timeout=45_000)
    page.reload()
    expect(heading(page, "Spring reminders")).to_be_visible()
    expect(status(page)).to_contain_text("Completed")


def _call(page: Page, name: str) -> Locator:
    panel = (
        page.get_by_role("main").locator("section").filter(has=page.get_by_role("heading", name="Right now"))
    )
    return panel.get_by_role("listitem").filter(has_text=name)
