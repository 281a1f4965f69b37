"""Files as people really bring them: what is wrong is said at the file or at the row."""

import re
from pathlib import Path
from random import Random

from openpyxl import Workbook
from playwright.sync_api import BrowserContext, Page, expect

from app.services.imports.files.spreadsheets import AT_ONCE_BYTES
from tests.e2e.browsing import choose_file, visit
from tests.e2e.world import BrowserWorld

_MIXED = """phone,first name,last name
(212) 555-7001,Ada,Abbott
12,Ben,Brandt
,Chloe,Castillo
+1 212 555 7001,Ada,Again
"""


def test_rows_that_cannot_be_called_are_listed_with_their_reasons(
    context: BrowserContext, page: Page, world: BrowserWorld, tmp_path: Path
) -> None:
    _open_contacts_step(context, page, world)
    choose_file(page, _file(tmp_path, "mixed.csv", _MIXED.encode()))
    refused = page.get_by_role("table", name="Not imported: the first rows, with the reason")
    expect(refused.get_by_role("row")).to_have_count(1 + 3)
    for row, who, verdict in ((3, "Ben", "Rejected"), (4, "Chloe", "Rejected"), (5, "Again", "Duplicate")):
        expect(refused.get_by_role("row", name=who)).to_contain_text(re.compile(rf"^{row}{verdict}\. \S"))
    page.get_by_role("button", name="Import 1 contact").click()
    expect(page.get_by_text("Download the rows that did not go in")).to_be_visible(timeout=30_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rows that did not go in").click()
    told = Path(download.value.path()).read_text()
    assert "Ben" in told
    assert "Chloe" in told


def test_a_file_that_is_no_list_is_refused_and_another_is_welcome(
    context: BrowserContext, page: Page, world: BrowserWorld, tmp_path: Path
) -> None:
    _open_contacts_step(context, page, world)
    choose_file(page, _file(tmp_path, "people.csv", b"PK\x03\x04" + bytes(200)))
    expect(page.get_by_text("damaged or protected by a password")).to_be_visible()
    choose_file(page, _file(tmp_path, "people.csv", b""))
    expect(page.get_by_text("is empty")).to_be_visible()
    choose_file(page, _file(tmp_path, "people.csv", b"name,town\nAda,York\n"))
    expect(page.get_by_text("Choose the column that holds the phone numbers.")).to_be_visible()
    expect(page.get_by_role("button", name="Import 0 contacts")).to_be_disabled()
    page.get_by_role("button", name="Use another file").click()
    choose_file(page, _file(tmp_path, "people.csv", b"phone\n2125557002\n"))
    expect(page.get_by_role("button", name="Import 1 contact")).to_be_enabled()


def test_a_kind_of_file_that_cannot_be_read_is_refused_at_the_drop_zone(
    context: BrowserContext, page: Page, world: BrowserWorld, tmp_path: Path
) -> None:
    frames: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(len(frame))))
    _open_contacts_step(context, page, world)
    choose_file(page, _file(tmp_path, "people.pdf", b"%PDF-1.7" + bytes(3_000_000)))
    expect(page.get_by_text("This kind of file cannot be read.")).to_be_visible()
    expect(page.get_by_text("Files not Accepted")).to_have_count(0)
    assert max(frames) < 100_000, "the file itself stays where it is"


def test_a_pasted_list_goes_into_the_address_book_by_two_quick_clicks(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.sign_in(context, world.member())
    visit(page, world.address("contacts"))
    page.get_by_role("link", name="Import people").first.click()
    page.get_by_label("Or paste a list").fill("+12125557003\tAda\n+12125557004\tBen\n")
    page.get_by_role("button", name="Use this list").click()
    page.get_by_role("button", name="Import 2 contacts").dblclick()
    expect(page.get_by_text("2 contacts are now in the address book.")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("cannot be started again")).to_have_count(0)


def test_a_large_workbook_is_read_while_its_page_watches(
    context: BrowserContext, page: Page, world: BrowserWorld, tmp_path: Path
) -> None:
    _open_contacts_step(context, page, world)
    book, chance = Workbook(write_only=True), Random(1)
    sheet = book.create_sheet("People")
    sheet.append(["phone_number", "note"])
    for number in range(3_000):
        sheet.append([f"+1212{5_557_100 + number}", chance.randbytes(450).hex()])
    book.save(tmp_path / "people.xlsx")
    assert (tmp_path / "people.xlsx").stat().st_size > AT_ONCE_BYTES
    choose_file(page, tmp_path / "people.xlsx")
    expect(page.get_by_text("The file is being read")).to_be_visible()
    expect(page.get_by_role("button", name="Import 3000 contacts")).to_be_enabled(timeout=30_000)


def _open_contacts_step(context: BrowserContext, page: Page, world: BrowserWorld) -> None:
    campaign_id = world.campaign("Spring reminders", [])
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{campaign_id}/edit/contacts"))


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_the_template_downloads_as_a_file(context: BrowserContext, page: Page, world: BrowserWorld) -> None:
    _open_contacts_step(context, page, world)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV template").click()
    assert "phone" in Path(download.value.path()).read_text()
