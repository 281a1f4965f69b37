"""A list is as it was: after Back, after a reload, and by its address in another tab."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import heading, ready, row, sign_in, visit
from tests.e2e.world import BrowserWorld


def test_back_from_a_person_and_a_reload_show_the_same_search_and_filter(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    ada, ben = world.contacts(2)
    world.campaign("Spring reminders", [ada, ben])
    world.sign_in(context, world.member())
    visit(page, world.address("contacts"))
    page.get_by_label("Search contacts").fill(ada.name)
    expect(row(page, ben.name)).to_have_count(0)
    page.get_by_role("button", name="Add filter").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Who").select_option("name")
    dialog.get_by_label("Condition").select_option("starts_with")
    dialog.get_by_label("Value").fill(ada.name)
    dialog.get_by_role("button", name="Add filter").click()
    expect(page.get_by_text(f"Name starts with {ada.name}")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/contacts\?search=.*&name\.starts_with="))
    address = page.url

    def as_it_was(tab: Page) -> None:
        ready(tab)
        expect(tab).to_have_url(address)
        expect(tab.get_by_label("Search contacts")).to_have_value(ada.name)
        expect(tab.get_by_text(f"Name starts with {ada.name}")).to_be_visible()
        expect(row(tab, ada.name)).to_be_visible()
        expect(row(tab, ben.name)).to_have_count(0)

    page.get_by_role("link", name=ada.name).click()
    expect(heading(page, ada.name)).to_be_visible()
    ready(page)
    page.go_back()
    as_it_was(page)
    page.go_forward()
    expect(heading(page, ada.name)).to_be_visible()
    page.go_back()
    as_it_was(page)
    page.reload()
    as_it_was(page)
    other = context.new_page()
    visit(other, address)
    as_it_was(other)

    page.get_by_role("button", name="Clear", exact=True).click()
    expect(row(page, ben.name)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/contacts$"))


def test_a_campaigns_list_keeps_search_sort_and_filter(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    people = world.contacts(30)
    campaign_id = world.campaign("Spring reminders", people)
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}/contacts"))
    page.get_by_role("button", name="Contact", exact=True).click()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?sort=name&page=2$"))
    address, last = page.url, max(one.name for one in people)
    expect(row(page, last)).to_be_visible()

    page.get_by_role("link", name="Call log", exact=True).click()
    page.wait_for_url(re.compile(r"/calls$"))
    ready(page)
    page.go_back()
    ready(page)
    expect(page).to_have_url(address)
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(row(page, last)).to_be_visible()
    page.reload()
    ready(page)
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()

    page.get_by_label("Search name or number").fill(last)
    expect(page.get_by_text("1\N{EN DASH}1 of 1 contact")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?search="))
    page.reload()
    ready(page)
    expect(page.get_by_label("Search name or number")).to_have_value(last)
    expect(row(page, last)).to_be_visible()


def test_a_link_to_a_filtered_list_leads_through_the_sign_in(page: Page, world: BrowserWorld) -> None:
    ada, ben = world.contacts(2)
    world.campaign("Spring reminders", [ada, ben])
    address = world.address(f"contacts?search={ada.name.replace(' ', '+')}&sort=phone_number")
    page.goto(address)
    page.wait_for_url(re.compile(r"/sign-in"))
    sign_in(page, world.member())
    expect(page).to_have_url(address)
    expect(page.get_by_label("Search contacts")).to_have_value(ada.name)
    expect(row(page, ada.name)).to_be_visible()
    expect(row(page, ben.name)).to_have_count(0)
