"""The suppression list in the browser."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import reflex as rx

from app.domain.rights import Role
from app.models import Organization
from app.runtime.context import AppContext
from app.web.pages.suppressions import state as list_state
from app.web.pages.suppressions.change_state import SuppressionChangeState
from app.web.pages.suppressions.file_state import ZONE, SuppressionFileState
from app.web.pages.suppressions.state import SuppressionsState
from tests.support.builders import make_contact
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

FORM: dict[str, Any] = {"number": "(201) 555-0123", "scope": "voice", "reason": "Asked by e-mail"}


async def suppression_list(seams: AppContext, acme: Organization, tab: Driver, numbers: int = 0) -> Browser:
    """The page, with that many numbers imported."""
    browser = await signed_in(tab, acme, "/suppressions")
    if numbers:
        await give(browser, "phone\n" + "".join(f"+1212555{serial:04}\n" for serial in range(numbers)))
    await browser.send(SuppressionsState.load())
    return browser


async def give(browser: Browser, content: str) -> None:
    """Drop a file, and let the list be read again as the browser would be asked to."""
    await browser.send(SuppressionsState.load())
    state = await browser.tab.state(SuppressionFileState)
    files = [rx.UploadFile(file=BytesIO(content.encode()), path=Path("dnc.csv"))]
    async for _ in SuppressionFileState.event_handlers["receive"].fn(state, files):
        pass
    await browser.send(SuppressionsState.refresh())


async def test_a_number_is_suppressed_listed_and_lifted_with_a_reason(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        await make_contact(session, acme, number="+12015550123", name="Ada Abbott")
    browser = await suppression_list(seams, acme, tab)
    await browser.send(SuppressionChangeState.ask_to_add())
    await browser.send(SuppressionChangeState.add(FORM | {"number": "12"}))
    assert set((await tab.state(SuppressionChangeState)).errors) == {"number"}
    await browser.send(SuppressionChangeState.add(FORM))
    [row] = (await tab.state(SuppressionsState)).rows
    assert (row.e164, row.name, row.scope, row.reason) == (
        "+12015550123",
        "Ada Abbott",
        "Never call",
        "Asked by e-mail",
    )
    await browser.send(SuppressionChangeState.ask_to_lift(row.id))
    await browser.send(SuppressionChangeState.lift({"reason": " "}))
    assert set((await tab.state(SuppressionChangeState)).errors) == {"reason"}
    await browser.send(SuppressionChangeState.lift({"reason": "Changed their mind"}))
    assert (await tab.state(SuppressionsState)).rows == []
    await browser.send(SuppressionsState.filter_by("standing", "lifted"))
    [lifted] = (await tab.state(SuppressionsState)).rows
    assert (lifted.is_lifted, "Changed their mind" in lifted.lifted) == (True, True)
    await browser.send(SuppressionChangeState.show_history("+12015550123", "Ada Abbott"))
    assert len((await tab.state(SuppressionChangeState)).history) == 1


async def test_pages_search_and_filters_are_the_servers(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    size = list_state.PAGE_SIZE
    browser = await suppression_list(seams, acme, tab, numbers=size + 3)
    state = await tab.state(SuppressionsState)
    assert (len(state.rows), state.has_next, state.range_text) == (size, True, "1\u201325 of 28 entries")
    await browser.send(SuppressionsState.turn_page(1))
    state = await tab.state(SuppressionsState)
    assert (len(state.rows), state.query.page, state.has_next, state.range_text) == (
        3,
        2,
        False,
        "26\u201328 of 28 entries",
    )
    await browser.send(SuppressionsState.turn_page(1))
    assert (await tab.state(SuppressionsState)).query.page == 2
    await browser.send(SuppressionsState.turn_page(-1))
    assert len((await tab.state(SuppressionsState)).rows) == size
    await browser.send(SuppressionsState.find("212 555 0001"))
    assert [row.e164 for row in (await tab.state(SuppressionsState)).rows] == ["+12125550001"]
    await browser.send(SuppressionsState.filter_by("source", "carrier"))
    state = await tab.state(SuppressionsState)
    assert (state.rows, state.is_filtered) == ([], True)
    assert state.filters == "?state=standing&search=212+555+0001&source=carrier"
    await browser.send(SuppressionsState.clear())
    assert not (await tab.state(SuppressionsState)).is_filtered


async def test_a_file_is_imported_with_its_result_and_its_bad_rows(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await suppression_list(seams, acme, tab)
    await browser.send(SuppressionFileState.open())
    await browser.send(SuppressionFileState.choose_scope("sms"))
    await browser.send(SuppressionFileState.write_reason("Bought list"))
    await give(browser, "phone,name\n+12025550111,Jo\n12,Al\n+12025550111,Jo\n")
    state = await tab.state(SuppressionFileState)
    assert (state.stage, state.result.percent) == ("done", 100)
    assert state.result.sentence == "1 number blocked, 1 blocked already, 1 row could not be read."
    assert [(line.row, line.cells) for line in state.result.first_rejected or []] == [(3, "12, Al")]
    [row] = (await tab.state(SuppressionsState)).rows
    assert (row.scope, row.reason) == ("Never text", "Bought list")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("file-too-large", "larger than 10 MB. Split it"),
        ("file-invalid-type", "Save the list as CSV."),
        ("too-many-files", "one file at a time"),
    ],
)
async def test_what_the_browser_refuses_is_said_in_words(
    acme: Organization, tab: Driver, code: str, words: str
) -> None:
    browser = await signed_in(tab, acme, "/suppressions")
    await browser.send(SuppressionFileState.open())
    await browser.send(SuppressionFileState.refuse([{"errors": [{"code": code}]}]))
    state = await tab.state(SuppressionFileState)
    assert (words in state.errors[ZONE], state.stage) == (True, "choose")


async def test_a_file_that_is_no_list_says_so_and_waits_for_another(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await suppression_list(seams, acme, tab)
    await give(browser, "name\nJo\n")
    state = await tab.state(SuppressionFileState)
    assert (state.stage, set(state.errors)) == ("choose", {ZONE})


async def test_an_operator_reads_and_changes_nothing(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/suppressions", role=Role.OPERATOR)
    await browser.send(SuppressionsState.load())
    await browser.send(SuppressionChangeState.add(FORM))
    await browser.send(SuppressionsState.refresh())
    assert (await tab.state(SuppressionsState)).rows == []
