"""Legal hours as an owner sets them.

It stands after the first campaign in the alphabet: once there is an owner, the set-up link of that journey is void.
"""

import re

from playwright.sync_api import BrowserContext, Page, expect

from app.domain.rights import Role
from tests.e2e.browsing import row, toast, visit
from tests.e2e.world import BrowserWorld


def test_an_owner_sets_legal_hours_with_a_reason_and_blackout_dates(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.sign_in(context, world.member(Role.OWNER))
    visit(page, world.address("settings"))
    policy = page.get_by_role("combobox", name="Policy")
    policy.select_option("The law where people are")
    page.get_by_role("button", name="Save legal hours").click()
    expect(toast(page, "Settings saved").first).to_be_visible()
    policy.select_option("Off: only each campaign's hours")
    page.get_by_role("button", name="Save legal hours").click()
    expect(page.get_by_text("Say why legal hours are loosened.").first).to_be_visible()
    page.get_by_role("textbox", name="Reason").fill("Only our own staff.")
    page.get_by_role("button", name="Save legal hours").click()
    page.get_by_text("Changes of the policy").first.click()
    expect(row(page, "Only our own staff.")).to_be_visible()
    page.get_by_text("What the law says").click()
    expect(row(page, "US-FL")).to_contain_text("08:00 to 20:00, every day")
    page.get_by_label("First day").fill("2026-12-24")
    page.get_by_label("Last day").fill("2026-12-26")
    page.get_by_role("button", name="Add dates").click()
    expect(row(page, "24 Dec 2026 to 26 Dec 2026")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Remove 24 Dec 2026")).click()
    expect(page.get_by_text("No blackout dates.")).to_be_visible()
