"""A campaign under way: watched, paused, resumed, and tried again for those it did not reach."""

import re
from dataclasses import replace

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.browsing import ready, row, start, status, visit
from tests.e2e.world import BrowserWorld


def test_pausing_stops_the_numbers_and_resuming_completes_them(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    contacts = world.contacts(16)
    carrier, numbers = world.installation.carrier, {contact.number for contact in contacts}
    campaign_id = world.campaign("Spring reminders", contacts, concurrent_limit=2)
    carrier.speed(30)
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}"))
    start(page)
    expect(status(page)).to_contain_text("Running")
    expect(_progress(page)).to_have_attribute("aria-valuetext", _some_of(len(contacts)))
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(status(page)).to_contain_text("Paused")
    expect(_under_way(page)).to_have_count(0)
    stopped_at = _progress(page).get_attribute("aria-valuetext") or ""
    calls = carrier.calls_to_all(numbers)
    assert 0 < calls < len(contacts)
    page.reload()
    ready(page)
    expect(_progress(page)).to_have_attribute("aria-valuetext", stopped_at)
    assert carrier.calls_to_all(numbers) == calls
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(status(page)).to_contain_text("Running")
    expect(status(page)).to_contain_text("Completed", timeout=30_000)
    expect(_progress(page)).to_have_attribute("aria-valuenow", "100")


def test_a_campaign_fails_with_its_account_and_goes_on_once_that_is_mended(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    contacts, carrier = world.contacts(6), world.installation.carrier
    campaign_id = world.campaign("Spring reminders", contacts)
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}"))
    carrier.faults(account_suspended=1)
    try:
        start(page)
        expect(status(page)).to_contain_text("Failed")
        banner = page.get_by_role("alert").filter(has_text="This campaign failed")
        expect(banner).to_contain_text("Account not active (error 20005). Activate the account")
        banner.get_by_role("button", name="Resume").click()
        expect(page.get_by_text("This campaign cannot go on yet.")).to_contain_text("is suspended")
        expect(status(page)).to_contain_text("Failed")
        visit(page, world.address("campaigns?status=failed"))
        expect(row(page, "Spring reminders")).to_contain_text("Failed")
    finally:
        carrier.faults()
    page.get_by_role("button", name="Resume Spring reminders").click()
    visit(page, world.address(f"campaigns/{campaign_id}"))
    expect(status(page)).to_contain_text("Completed", timeout=30_000)
    expect(banner).to_have_count(0)
    assert all(carrier.calls_to(contact.number) == 1 for contact in contacts)


def test_the_list_follows_a_campaign_without_a_reload(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.campaign("Spring reminders", world.contacts(4))
    world.sign_in(context, world.member())
    visit(page, world.address("campaigns"))
    campaign = row(page, "Spring reminders")
    start(page, "Start Spring reminders")
    expect(campaign).to_contain_text("Completed", timeout=30_000)
    expect(campaign.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")


def test_the_start_promises_whom_the_campaign_then_calls_and_shows_who_is_skipped(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    *called, nameless = world.contacts(3)
    contacts = [*called, replace(nameless, name="")]
    words = {"welcome_message_template": "Hi {{name}}.", "fallback_values": {}, "missing": "skip"}
    world.campaign("Spring reminders", contacts, **words)
    world.sign_in(context, world.member())
    visit(page, world.address("campaigns"))
    page.get_by_role("button", name="Start Spring reminders", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("2 of 3 people will be simulated.")
    expect(dialog).to_contain_text("1 is skipped: without name.")
    dialog.get_by_role("link", name="See them").click()
    expect(row(page, "No name")).to_contain_text("This contact has no value for {{name}}.")
    expect(page.get_by_role("button", name=re.compile("^Actions for "))).to_have_count(1)
    expect(dialog).to_have_count(0)
    start(page)
    expect(status(page)).to_contain_text("Completed", timeout=30_000)
    visit(page, world.address("campaigns"))
    expect(row(page, "Spring reminders")).to_contain_text("3 of 3 processed")
    expect(row(page, "Spring reminders")).to_contain_text("2 of 3 reached")
    assert world.installation.carrier.calls_to(nameless.number) == 0


def test_a_contact_who_did_not_answer_is_tried_again_by_hand(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    reached, missed = world.contacts(1)[0], world.contacts(1, "no_answer")[0]
    campaign_id = world.campaign("Spring reminders", [reached, missed])
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}/contacts"))
    start(page)
    expect(status(page)).to_contain_text("Completed", timeout=30_000)
    expect(row(page, missed.name)).to_contain_text("No answer")
    world.installation.carrier.person(missed.number, "answers_confirms")
    row(page, missed.name).get_by_role("button", name=f"Actions for {missed.name}").click()
    page.get_by_role("menuitem", name="Retry").click()
    expect(row(page, missed.name).get_by_text("Answered")).to_be_visible(timeout=30_000)
    expect(status(page)).to_contain_text("Completed")
    assert world.installation.carrier.calls_to(missed.number) == 2
    assert world.installation.carrier.calls_to(reached.number) == 1


def test_retry_failed_takes_a_completed_campaign_up_again_for_the_outcomes_ticked(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    busy, missed = world.contacts(1, "busy")[0], world.contacts(1, "no_answer")[0]
    campaign_id = world.campaign("Spring reminders", [busy, missed, *world.contacts(1)])
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}"))
    start(page)
    expect(status(page)).to_contain_text("Completed", timeout=30_000)
    for contact in (busy, missed):
        world.installation.carrier.person(contact.number, "answers_confirms")
    page.get_by_role("button", name="Retry failed").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_role("checkbox", name=re.compile("Busy")).click()
    dialog.get_by_role("button", name=re.compile("Retry 1 contact")).click()
    expect(dialog).to_have_count(0)
    expect(_share(page, "Completed")).to_contain_text("2", timeout=30_000)
    expect(_share(page, "Busy")).to_contain_text("1")
    expect(status(page)).to_contain_text("Completed")
    assert world.installation.carrier.calls_to(busy.number) == 1
    assert world.installation.carrier.calls_to(missed.number) == 2


def _progress(page: Page) -> Locator:
    return page.get_by_role("progressbar", name="Progress of the campaign")


def _some_of(total: int) -> re.Pattern[str]:
    return re.compile(rf"^[1-9]\d* of {total}\b")


def _under_way(page: Page) -> Locator:
    panel = (
        page.get_by_role("main").locator("section").filter(has=page.get_by_role("heading", name="Right now"))
    )
    return panel.get_by_role("listitem")


def _share(page: Page, word: str) -> Locator:
    return page.get_by_role("listitem").get_by_role("link", name=re.compile(f"^{word}"))
