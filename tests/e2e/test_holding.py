"""A hold is set and lifted in the browser: on a person's page, and in their sheet of a campaign."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import heading, ready, visit
from tests.e2e.world import BrowserWorld


def _hold(page: Page, day: str) -> None:
    page.get_by_role("button", name="Not before").click()
    dialog = page.get_by_role("dialog", name="When may they be contacted again?")
    dialog.get_by_label("Not before").fill(day)
    dialog.get_by_label("Reason").fill("on holiday")
    dialog.get_by_role("button", name="Hold", exact=True).click()
    expect(dialog).to_have_count(0)


def test_a_person_is_held_until_a_day_and_freed_again(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    day = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    [ada] = world.contacts(1)
    campaign_id = world.campaign("Spring reminders", [ada])
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}/contacts"))
    page.get_by_role("button", name=ada.name, exact=True).click()
    _hold(page, day)
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_text("their time: on holiday.")).to_be_visible()
    page.keyboard.press("Escape")

    visit(page, world.address("contacts"))
    page.get_by_role("link", name=ada.name).click()
    expect(heading(page, ada.name)).to_be_visible()
    ready(page)
    expect(page.get_by_text("there it is").first).to_be_visible()
    expect(page.get_by_text("their time: on holiday.")).to_be_visible()
    page.get_by_role("button", name="Lift the hold").click()
    expect(page.get_by_text("their time: on holiday.")).to_have_count(0)
    expect(page.get_by_text("Hold lifted").first).to_be_visible()
