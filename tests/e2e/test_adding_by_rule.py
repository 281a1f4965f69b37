"""From the address book into a campaign by a rule: counted first, added by the worker, seen live, and ended."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import row, visit
from tests.e2e.world import BrowserWorld


def test_a_rule_adds_who_matches_keeps_adding_and_is_ended(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    ada, ben, cleo = world.contacts(3)
    campaign_id = world.campaign("Spring reminders", [ada])
    world.campaign("Summer reminders", [ben, cleo])
    world.sign_in(context, world.member())

    visit(page, world.address(f"campaigns/{campaign_id}/contacts"))
    page.get_by_role("button", name="From address book").click()
    page.get_by_text("The whole address book.").click()
    expect(page.get_by_text("3 match, 1 is in already, 2 would be added.")).to_be_visible()
    page.get_by_text("Keep adding who matches while it runs").click()
    page.get_by_role("button", name="Keep adding them").click()
    expect(page.get_by_text("2 added · 1 in the campaign already")).to_be_visible()
    expect(row(page, ben.name)).to_be_visible()
    expect(row(page, cleo.name)).to_be_visible()

    page.get_by_label(f"Select {ben.name}").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text("would come back")
    question.get_by_role("button", name="Skip instead").click()
    expect(row(page, ben.name)).to_contain_text("Skipped")

    page.get_by_role("button", name="End: Everyone in the address book").click()
    question.get_by_role("button", name="End the rule").click()
    expect(page.get_by_text("Ended", exact=True)).to_be_visible()
