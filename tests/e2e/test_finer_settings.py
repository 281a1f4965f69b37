"""The finer settings of a campaign: folded away, opened by keyboard, unfolded where something has to be mended."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import visit
from tests.e2e.world import BrowserWorld


def test_a_section_opens_by_keyboard_and_what_is_typed_in_it_is_kept(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.sign_in(context, world.member())
    campaign_id = world.campaign("Folded", world.contacts(1))
    address = world.address(f"campaigns/{campaign_id}/edit/pace")
    visit(page, address)
    share = page.get_by_label("Share", exact=True)
    expect(share).to_be_hidden()
    summary = page.locator("summary", has_text="Share")
    expect(summary).to_contain_text("The same as other campaigns")
    summary.focus()
    page.keyboard.press("Enter")
    share.fill("3")
    page.keyboard.press("Tab")
    expect(summary).to_contain_text("3 times that of a campaign with a share of 1")
    visit(page, address)
    expect(page.locator("summary", has_text="Share")).to_contain_text("3 times")


def test_what_has_to_be_mended_is_unfolded_on_the_way_on(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.sign_in(context, world.member())
    campaign_id = world.campaign("Folded", world.contacts(1))
    visit(page, world.address(f"campaigns/{campaign_id}/edit/pace"))
    share, summary = page.get_by_label("Share", exact=True), page.locator("summary", has_text="Share")
    summary.click()
    share.fill("0")
    summary.click()
    expect(share).to_be_hidden()
    page.get_by_role("button", name="Next: Review and start").click()
    expect(page.get_by_text("Choose a whole number from 1 to 100.")).to_be_visible()
    expect(share).to_be_focused()


def test_an_address_that_is_no_campaigns_says_so(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.sign_in(context, world.member())
    for tail in ("campaigns/abc", "campaigns/abc/contacts", "campaigns/abc/edit/pace"):
        visit(page, world.address(tail))
        expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
        expect(page.get_by_role("link", name="All campaigns")).to_be_visible()
