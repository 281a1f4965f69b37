"""The history of imports."""

import pytest

from app.domain.contact_import import ImportStatus
from app.models import ContactImport, Organization
from app.runtime.context import AppContext
from app.services.imports.operations import import_file, store_import
from app.web.pages.imports.details_state import ImportDetailsState
from app.web.pages.imports.state import ImportsState
from tests.support.builders import NOON, principal
from tests.web.browser import signed_in
from tests.web.conftest import Driver

FILE = b"phone,name\n+12025550111,Jo\n12,Al\n+12025550111,Jo\n"


async def test_every_file_is_listed_with_what_became_of_its_rows(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        await import_file(
            session,
            principal=principal(acme),
            campaign_ref=None,
            file_name="people.csv",
            data=FILE,
            now=NOON,
        )
    browser = await signed_in(tab, acme, "/imports")
    await browser.send(ImportsState.load())
    [row] = (await tab.state(ImportsState)).rows
    assert (row.name, row.status, row.not_in, row.can_undo) == ("people.csv", "completed", 2, True)
    assert row.result == "1 imported (1 new), 1 duplicate, 1 rejected"


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout:DeprecationWarning")  # arq's own way to Redis
async def test_undoing_is_asked_about_and_handed_to_a_worker(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        done = await import_file(
            session, principal=principal(acme), campaign_ref=None, file_name="a.csv", data=FILE, now=NOON
        )
    browser = await signed_in(tab, acme, "/imports")
    await browser.send(ImportsState.load())
    await browser.send(ImportsState.ask(done.import_id))
    assert (await tab.state(ImportsState)).name == "a.csv"
    await browser.send(ImportsState.undo())
    state = await tab.state(ImportsState)
    assert (state.undoing, state.rows[0].status, state.rows[0].can_undo) == (0, "undoing", False)
    async with seams.database.session() as session:
        kept = await session.get_one(ContactImport, done.import_id)
    assert kept.status is ImportStatus.UNDOING
    await browser.send(ImportsState.undo())  # the second of two quick clicks
    assert (await tab.state(ImportsState)).problem == ""


async def test_an_import_opens_with_its_counts_and_why_rows_did_not_go_in(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        done = await import_file(
            session, principal=principal(acme), campaign_ref=None, file_name="a.csv", data=FILE, now=NOON
        )
    browser = await signed_in(tab, acme, "/imports")
    await browser.send(ImportDetailsState.open(done.import_id))
    state = await tab.state(ImportDetailsState)
    counts = {figure.name: figure.count for figure in state.details.figures}
    assert (counts["Imported"], counts["Rejected"], counts["Duplicates"]) == ("1", "1", "1")
    assert (state.details.can_cancel, state.details.can_go_on) == (False, False)
    assert [(line.row, line.kind) for line in state.issues] == [("Row 3", "Rejected"), ("Row 4", "Duplicate")]
    assert all(line.reason for line in state.issues)
    await browser.send(ImportDetailsState.choose_kind("rejected"))
    assert [line.cells for line in (await tab.state(ImportDetailsState)).issues] == ["12 \N{MIDDLE DOT} Al"]


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout:DeprecationWarning")  # arq's own way to Redis
async def test_an_import_that_was_left_goes_on_from_its_sheet_and_can_be_cancelled(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        left, _ = await store_import(
            session, principal=principal(acme), campaign_ref=None, file_name="a.csv", data=FILE, now=NOON
        )
    browser = await signed_in(tab, acme, "/imports")
    await browser.send(ImportDetailsState.open(left))
    assert (await tab.state(ImportDetailsState)).details.can_go_on
    await browser.send(ImportDetailsState.go_on())
    queued = (await tab.state(ImportDetailsState)).details
    assert (queued.status, queued.can_go_on, queued.can_cancel) == ("queued", False, True)
    await browser.send(ImportDetailsState.cancel())
    assert (await tab.state(ImportDetailsState)).details.status == "cancelled"


async def test_an_import_without_a_column_of_numbers_says_so_in_its_sheet(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        left, _ = await store_import(
            session,
            principal=principal(acme),
            campaign_ref=None,
            file_name="a.csv",
            data=b"a,b\nx,y\n",
            now=NOON,
        )
    browser = await signed_in(tab, acme, "/imports")
    await browser.send(ImportDetailsState.open(left))
    await browser.send(ImportDetailsState.go_on())
    assert "phone numbers" in (await tab.state(ImportDetailsState)).errors["mapping"]


async def test_an_import_says_how_many_people_are_in_which_time_zone(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    rows = b"phone\n+12025550111\n+12025550112\n+12705550113\n+15551234567\n"
    async with seams.database.transaction() as session:
        done = await import_file(
            session, principal=principal(acme), campaign_ref=None, file_name="a.csv", data=rows, now=NOON
        )
    browser = await signed_in(tab, acme, "/imports")
    await browser.send(ImportDetailsState.open(done.import_id))
    zones = (await tab.state(ImportDetailsState)).details.zones
    assert [(line.where, line.people) for line in zones] == [
        ("America/New_York", "2 people"),
        ("America/Chicago or America/New_York: calling hours must hold in all", "1 person"),
        ("No time zone known: campaigns assume their own", "1 person"),
    ]
