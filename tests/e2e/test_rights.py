"""What a person may not do is not there to be done, and does not work by itself either."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from app.domain.rights import Role
from tests.e2e.browsing import heading, row, visit
from tests.e2e.world import World


def test_a_viewer_sees_everything_and_can_change_nothing(
    context: BrowserContext, page: Page, world: World
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(2))
    world.sign_in(context, world.member(Role.VIEWER))
    visit(page, world.address("campaigns"))
    expect(row(page, "Spring reminders")).to_contain_text("Draft")
    for action in (
        "Create campaign",
        "Stop all dialing",
        "Start Spring reminders",
        re.compile("More actions"),
    ):
        expect(page.get_by_role("button", name=action)).to_have_count(0)
    visit(page, world.address(f"campaigns/{campaign_id}"))
    expect(heading(page, "Spring reminders")).to_be_visible()
