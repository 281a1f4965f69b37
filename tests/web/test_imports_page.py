"""The history of imports."""

from app.context import AppContext
from app.models import Organization
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
    assert (row.name, row.status, row.not_in) == ("people.csv", "completed", 2)
    assert row.result == "1 in, 1 new, 1 duplicate, 1 rejected"
