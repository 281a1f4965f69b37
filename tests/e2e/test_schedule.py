"""A campaign that runs again and again: its schedule is chosen in the browser, with its next times."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import visit
from tests.e2e.world import BrowserWorld


def test_a_schedule_is_chosen_and_its_next_times_are_shown_before_the_start(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.sign_in(context, world.member())
    campaign_id = world.campaign("Every working day", world.contacts(1))
    visit(page, world.address(f"campaigns/{campaign_id}/edit/pace"))
    page.get_by_text("On a schedule", exact=True).click()
    often, at = page.get_by_label("How often"), page.get_by_label("At", exact=True)
    expect(often).to_have_value("weekly")
    expect(at).to_have_value("09:00")
    days = page.get_by_role("group", name="On these days").last
    expect(days.get_by_label("Fri")).to_be_checked()
    expect(days.get_by_label("Sun")).not_to_be_checked()
    times = page.get_by_role("list", name=re.compile("^The next times, "))
    expect(times.get_by_role("listitem")).to_have_count(5)
    expect(times.get_by_role("listitem").first).to_contain_text("09:00 (UTC")
    at.fill("10:15")
    page.keyboard.press("Tab")
    expect(times.get_by_role("listitem").first).to_contain_text("10:15")
    often.select_option("monthly")
    expect(page.get_by_role("list", name=re.compile("^The next times, "))).to_be_visible()
    expect(days.get_by_label("Fri")).to_be_hidden()
    page.get_by_label("Last date").fill("2024-12-31")
    page.keyboard.press("Tab")
    expect(page.get_by_text("This date has passed. Choose one in the future, or none.")).to_be_visible()
