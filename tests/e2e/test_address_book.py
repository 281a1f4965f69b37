"""From a filter to a segment, to a person, to never calling them again, and back."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import heading, ready, row, toast, visit
from tests.e2e.world import BrowserWorld


def test_filter_segment_tag_person_never_call_and_lift(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    ada, ben = world.contacts(2)
    world.campaign("Spring reminders", [ada, ben])
    world.sign_in(context, world.member())

    visit(page, world.address("contacts"))
    page.get_by_label(f"Select {ada.name}").click()
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_role("button", name="Tag", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tags").fill("vip")
    dialog.get_by_role("button", name="Tag", exact=True).click()
    expect(row(page, ada.name)).to_contain_text("vip")

    page.get_by_role("button", name="Add filter").click()
    dialog.get_by_label("Tags, separated by commas").fill("vip")
    dialog.get_by_role("button", name="Add filter").click()
    expect(page.get_by_text("Tags any of vip")).to_be_visible()
    expect(row(page, ben.name)).to_have_count(0)

    page.get_by_role("button", name="Save as a segment").click()
    dialog.get_by_label("Name").fill("Favourites")
    dialog.get_by_role("button", name="Save segment").click()
    expect(page.get_by_text("Segment: Favourites")).to_be_visible()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(row(page, ben.name)).to_be_visible()
    page.get_by_role("button", name="Segments").click()
    expect(dialog).to_contain_text("1 now")
    dialog.get_by_role("button", name="Favourites", exact=True).click()
    expect(row(page, ben.name)).to_have_count(0)

    page.get_by_role("link", name=ada.name).click()
    page.wait_for_url(re.compile(r"/contacts/[0-9]+"))
    ready(page)
    expect(heading(page, ada.name)).to_be_visible()
    expect(page.get_by_text("Added to a campaign")).to_be_visible()
    page.get_by_role("button", name="Do not contact").click()
    dialog.get_by_label("What to stop").select_option("voice")
    dialog.get_by_label("Reason").fill("Asked by e-mail")
    dialog.get_by_role("button", name="Block").click()
    expect(page.get_by_text("Never call: by hand")).to_be_visible()
    expect(page.get_by_role("list").get_by_text("Skipped")).to_be_visible()

    page.get_by_role("link", name="Contacts", exact=True).last.click()
    page.get_by_role("link", name="Do not contact", exact=True).click()
    page.wait_for_url(re.compile(r"/suppressions"))
    ready(page)
    expect(row(page, ada.name)).to_contain_text("Asked by e-mail")
    page.get_by_role("button", name=re.compile("Actions for")).click()
    page.get_by_role("menuitem", name="Remove block").click()
    dialog.get_by_label("Why may they be contacted again?").fill("They changed their mind")
    dialog.get_by_role("button", name="Remove block").click()
    expect(toast(page, "Block removed")).to_be_visible()
    expect(page.get_by_text("No blocked numbers")).to_be_visible()
