"""The history of imports."""

import pytest

from app.context import AppContext
from app.models import ContactImport, ImportStatus, Organization
from app.services.imports.operations import import_file
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
    assert row.result == "1 in, 1 new, 1 duplicate, 1 rejected"


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
