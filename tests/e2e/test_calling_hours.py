"""Calling hours as a person sets them: rows of hours, and whose clock they are on."""

import re
from typing import Final

from playwright.sync_api import BrowserContext, Page, expect

from app.domain.calling_hours import HoursClock, Window
from app.services.campaigns.settings import calling_hours_of
from tests.e2e.browsing import choose_card, ready, saved, visit
from tests.e2e.world import BrowserWorld

_SAVED: Final = re.compile("^Saved ")


def test_hours_have_rows_that_are_added_filled_in_kept_and_removed(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    campaign_id = world.campaign("Two shifts", world.contacts(1))
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}/edit/pace"))
    choose_card(page, re.compile("^Within certain hours"))
    expect(page.get_by_role("radio", name=re.compile("^Where they are"))).to_be_checked()
    expect(page.get_by_text("Most people are reached Tuesday to Thursday")).to_be_visible()
    page.get_by_label("Until", exact=True).fill("12:00")
    page.get_by_role("button", name="Add hours").click()
    expect(page.get_by_label("From", exact=True)).to_have_count(2)
    expect(page.get_by_label("From", exact=True).nth(1)).to_have_value("14:00")
    page.get_by_label("Until", exact=True).nth(1).fill("17:30")
    choose_card(page, re.compile("^In the campaign's zone"))
    expect(saved(page)).to_have_text(_SAVED)
    page.reload()
    ready(page)
    expect(page.get_by_label("Until", exact=True).nth(1)).to_have_value("17:30")
    hours = calling_hours_of(world.settings(campaign_id))
    assert hours.clock is HoursClock.CAMPAIGN
    assert [f"{each.start:%H:%M}-{each.end:%H:%M}" for each in hours.windows] == [
        "09:00-12:00",
        "14:00-17:30",
    ]
    page.get_by_role("button", name="Remove these hours").first.click()
    expect(page.get_by_label("From", exact=True)).to_have_count(1)
    expect(page.get_by_label("From", exact=True)).to_have_value("14:00")
    [window] = calling_hours_of(world.settings(campaign_id)).windows
    assert isinstance(window, Window)
    assert (window.end.hour, window.days) == (17, frozenset({2, 3, 4}))


def test_the_purpose_is_asked_for_in_the_basics(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    campaign_id = world.campaign("Offers", world.contacts(1))
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}/edit/basics"))
    expect(page.get_by_role("radio", name=re.compile("^Informational"))).to_be_checked()
    choose_card(page, re.compile("^Marketing"))
    assert world.settings(campaign_id).purpose == "marketing"
