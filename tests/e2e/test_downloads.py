"""What a campaign's tabs show, taken away as files."""

import csv
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from app.domain.rights import Role
from tests.e2e.browsing import start, status, visit
from tests.e2e.world import BrowserWorld


def test_contacts_and_calls_are_taken_away_as_files_by_the_filter_shown(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    reached, missed = world.contacts(1)[0], world.contacts(1, "no_answer")[0]
    campaign_id = world.campaign("Spring reminders", [reached, missed])
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}/contacts"))
    start(page)
    expect(status(page)).to_contain_text("Completed", timeout=30_000)
    assert {row["phone_number"] for row in _download(page)} == {reached.number, missed.number}
    visit(page, world.address(f"campaigns/{campaign_id}/contacts?status=no_answer"))
    assert [row["phone_number"] for row in _download(page)] == [missed.number]
    visit(page, world.address(f"campaigns/{campaign_id}/calls"))
    assert {row["outcome"] for row in _download(page)} == {"answered", "no_answer"}


def test_nobody_without_the_right_is_offered_a_file(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(1))
    world.sign_in(context, world.member(Role.OPERATOR))
    visit(page, world.address(f"campaigns/{campaign_id}/contacts"))
    expect(page.get_by_role("table").first).to_be_visible()
    expect(page.get_by_role("link", name="Download CSV")).to_have_count(0)


def _download(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    return list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
