"""The address book."""

from typing import Any

import pytest

from app.domain.recipient import RecipientStatus
from app.models import ContactImport, Organization
from app.runtime.context import AppContext
from app.web.pages.contacts.bulk_history_state import BulkHistoryState
from app.web.pages.contacts.bulk_state import ContactBulkState
from app.web.pages.contacts.card_state import ContactCardState
from app.web.pages.contacts.filter_state import FilterFormState
from app.web.pages.contacts.person.state import PersonPageState
from app.web.pages.contacts.presenter import own_fields, tags
from app.web.pages.contacts.segments_state import SegmentsState
from app.web.pages.contacts.state import PAGE_SIZE, ContactsState
from app.web.pages.imports.details_state import ImportDetailsState
from tests.support.builders import NOON, make_bulk_change, make_campaign, make_contact, make_recipient
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

FORM: dict[str, Any] = {
    "number": "(201) 555-0123",
    "name": "Ada Abbott",
    "email": "ada@example.com",
    "tags": "vip, new,",
    "fields": "deal_stage: proposal\nday: Tuesday: noon",
}


async def address_book(seams: AppContext, acme: Organization, tab: Driver, people: int = 0) -> Browser:
    """The page, over an address book of that many people."""
    async with seams.database.transaction() as session:
        for serial in range(people):
            await make_contact(session, acme, name=f"Person {serial:02}", number=f"+1212555{serial:04}")
    browser = await signed_in(tab, acme, "/contacts")
    await browser.send(ContactsState.load())
    return browser


async def test_the_newest_come_first_a_page_at_a_time(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=PAGE_SIZE + 3)
    state = await tab.state(ContactsState)
    assert (state.rows[0].name, state.count, len(state.rows)) == (f"Person {PAGE_SIZE + 2}", "28", PAGE_SIZE)
    assert (state.has_previous, state.has_next) == (False, True)
    await browser.send(ContactsState.turn_page(1))
    state = await tab.state(ContactsState)
    assert [row.name for row in state.rows] == ["Person 02", "Person 01", "Person 00"]
    assert (state.has_previous, state.has_next) == (True, False)
    await browser.send(ContactsState.turn_page(-1))
    assert len((await tab.state(ContactsState)).rows) == PAGE_SIZE


async def test_a_filter_is_kept_as_a_segment_and_shown_again(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=3)
    async with seams.database.transaction() as session:
        await make_contact(session, acme, name="Vera", tags=["vip"], fields={"deal_stage": "proposal"})
    await browser.send(FilterFormState.open())
    await browser.send(FilterFormState.add({"value": "vip, new"}))
    state = await tab.state(ContactsState)
    assert ([row.name for row in state.rows], state.chips, state.count) == (
        ["Vera"],
        ["Tags any of vip, new"],
        "1",
    )
    await browser.send(SegmentsState.ask_to_save())
    await browser.send(SegmentsState.save({"segment_name": "Favourites"}))
    assert (await tab.state(ContactsState)).segment == "Favourites"
    await browser.send(ContactsState.clear())
    assert len((await tab.state(ContactsState)).rows) == 4
    await browser.send(SegmentsState.open())
    [line] = (await tab.state(SegmentsState)).lines
    assert (line.name, line.count, line.rule) == ("Favourites", "1 now", "Tags any of vip, new")
    await browser.send(SegmentsState.use(line.id))
    state = await tab.state(ContactsState)
    assert ([row.name for row in state.rows], state.segment, state.is_changed) == (
        ["Vera"],
        "Favourites",
        False,
    )
    await browser.send(ContactsState.drop_condition(0))
    state = await tab.state(ContactsState)
    assert (len(state.rows), state.is_changed) == (4, True)
    await browser.send(SegmentsState.save_changes())
    assert (await tab.state(ContactsState)).is_changed  # Nothing is left of the filter: it is not kept.
    await browser.send(SegmentsState.open())
    assert (await tab.state(SegmentsState)).lines == [line]
    await browser.send(SegmentsState.ask("delete", line.id))
    await browser.send(SegmentsState.delete())
    assert (await tab.state(SegmentsState)).lines == []


@pytest.mark.parametrize(
    ("field", "op", "form", "chip"),
    [
        ("own", "is", {"own_name": "deal_stage", "value": "proposal"}, "deal_stage is proposal"),
        ("last_contacted_at", "not_within_days", {"value": "30"}, "Last contacted not in the last 30 days"),
        ("last_contacted_at", "empty", {}, "Last contacted never"),
        ("consent", "is_not", {"value": "denied"}, "Consent is not Denied"),
        ("suppressed", "is_not", {"value": "any"}, "Blocked is not on some channel"),
        (
            "created_at",
            "between",
            {"value": "2026-01-01", "until": "2026-02-01"},
            "Added between 2026-01-01 and 2026-02-01",
        ),
    ],
)
async def test_conditions_are_said_in_words(
    seams: AppContext, acme: Organization, tab: Driver, field: str, op: str, form: dict[str, str], chip: str
) -> None:
    browser = await address_book(seams, acme, tab)
    await browser.send(FilterFormState.open())
    await browser.send(FilterFormState.choose_field(field))
    await browser.send(FilterFormState.choose_op(op))
    await browser.send(FilterFormState.add(form))
    assert (await tab.state(FilterFormState)).errors == {}
    assert (await tab.state(ContactsState)).chips == [chip]


async def test_a_field_of_ones_own_without_a_name_is_asked_for_at_its_box(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab)
    await browser.send(FilterFormState.open())
    await browser.send(FilterFormState.choose_field("own"))
    await browser.send(FilterFormState.choose_op("empty"))
    await browser.send(FilterFormState.add({"own_name": " ", "value": None}))
    assert (await tab.state(FilterFormState)).errors == {"own_name": "Enter the name of a field of your own."}


async def test_people_are_filtered_by_campaign_status_there_and_import(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        file = ContactImport(
            organization_id=acme.id, file_name="leads.csv", file_bytes=1, created_by="ann", created_at=NOON
        )
        session.add(file)
        await session.flush()
        ada = await make_contact(session, acme, name="Ada", import_id=file.id)
        ben = await make_contact(session, acme, name="Ben")
        spring = await make_campaign(session, acme, name="Spring")
        await make_recipient(session, spring, ada, status=RecipientStatus.BUSY)
        await make_recipient(session, spring, ben)
    browser = await address_book(seams, acme, tab)
    asked: tuple[tuple[str, str, dict[str, str], str, set[str]], ...] = (
        ("campaign_id", "is", {"value": str(spring.id)}, "In “Spring”", {"Ada", "Ben"}),
        (
            *("campaign_status", "is", {"value": str(spring.id), "status": "busy"}),
            *("In “Spring”: busy", {"Ada"}),
        ),
        ("import_id", "is", {"value": str(file.id)}, "From “leads.csv”", {"Ada"}),
        ("import_id", "empty", {}, "Not from an import", {"Ben"}),
    )
    for field, op, form, chip, names in asked:
        await browser.send(FilterFormState.open())
        await browser.send(FilterFormState.choose_field(field))
        offered = [option.words for option in (await tab.state(FilterFormState)).choices]
        assert offered[0].startswith("leads.csv" if field == "import_id" else "Spring")
        await browser.send(FilterFormState.choose_op(op))
        await browser.send(FilterFormState.add(form))
        state = await tab.state(ContactsState)
        assert (state.chips, {row.name for row in state.rows}) == ([chip], names)
        await browser.send(ContactsState.clear())


async def test_a_condition_without_a_value_says_so(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab)
    await browser.send(FilterFormState.open())
    await browser.send(FilterFormState.add({"value": " "}))
    form = await tab.state(FilterFormState)
    assert (set(form.errors), form.is_open) == ({"value"}, True)


async def test_ticked_people_or_all_that_match_are_tagged_suppressed_and_deleted(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=3)
    ids = [row.id for row in (await tab.state(ContactsState)).rows]
    await browser.send(ContactBulkState.tick(ids[0]))
    await browser.send(ContactBulkState.ask("tag"))
    await browser.send(ContactBulkState.submit({"bulk_tags": "vip, new"}))
    rows = (await tab.state(ContactsState)).rows
    assert [row.tags for row in rows] == [["vip", "new"], [], []]
    assert (await tab.state(ContactBulkState)).ids == []
    await browser.send(ContactsState.find("person 01"))
    await browser.send(ContactBulkState.tick_all())
    await browser.send(ContactBulkState.ask("suppress"))
    await browser.send(ContactBulkState.submit({"bulk_scope": "voice", "bulk_reason": "Asked"}))
    await browser.send(ContactsState.clear())
    assert [row.suppressed for row in (await tab.state(ContactsState)).rows] == [False, True, False]
    await browser.send(ContactBulkState.tick_page())
    await browser.send(ContactBulkState.ask("delete"))
    await browser.send(ContactBulkState.confirm())
    assert (await tab.state(ContactsState)).rows == []


async def test_what_was_done_to_many_is_kept_with_who_whom_and_the_result(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=3)
    await browser.send(ContactBulkState.tick_page())
    await browser.send(ContactBulkState.ask("tag"))
    await browser.send(ContactBulkState.submit({"bulk_tags": "vip"}))
    async with seams.database.transaction() as session:
        under_way = await make_bulk_change(session, acme, created_by="ann@example.com")
    await browser.send(BulkHistoryState.open())
    history = await tab.state(BulkHistoryState)
    running, done = history.lines
    assert (done.title, done.whom, done.result, done.status) == (
        *("Tag vip", "3 chosen one by one", "3 contacts changed", "completed"),
    )
    assert (running.id, running.status, running.by) == (under_way.id, "running", "by ann@example.com")
    assert history.under_way.startswith(running.title)
    await browser.send(BulkHistoryState.cancel(under_way.id))
    history = await tab.state(BulkHistoryState)
    assert (history.under_way, history.lines[0].status) == ("", "cancelled")


async def test_a_persons_page_leads_to_the_import_they_came_from(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        file = ContactImport(
            organization_id=acme.id, file_name="leads.csv", file_bytes=1, created_by="ann", created_at=NOON
        )
        session.add(file)
        await session.flush()
        ada = await make_contact(session, acme, name="Ada", source=f"import:{file.id}", import_id=file.id)
    browser = await signed_in(tab, acme, f"/contacts/{ada.id}")
    await browser.send(ContactCardState.load())
    await browser.send(PersonPageState.load())
    assert (await tab.state(ContactCardState)).card.import_id == file.id
    [created] = (await tab.state(PersonPageState)).events
    assert (created.title, created.import_id) == ("Added from a file", file.id)
    browser.path = f"/{acme.slug}/imports?import={file.id}"
    await browser.send(ImportDetailsState.load())
    sheet = await tab.state(ImportDetailsState)
    assert (sheet.is_open, sheet.details.name) == (True, "leads.csv")


async def test_a_persons_page_tells_everything_that_happened(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        contact = await make_contact(session, acme, name="Ada", time_zone="Europe/Berlin")
        campaign = await make_campaign(session, acme, name="Spring")
        await make_recipient(session, campaign, contact)
    browser = await signed_in(tab, acme, f"/contacts/{contact.id}")
    await browser.send(ContactCardState.load())
    await browser.send(PersonPageState.load())
    assert (await tab.state(ContactCardState)).card.name == "Ada"
    await browser.send(ContactCardState.suppress({"scope": "all", "reason": "Asked by e-mail"}))
    events = (await tab.state(PersonPageState)).events
    assert {event.title for event in events} >= {
        "Never call or text: by hand",
        "Skipped",
        "Added to a campaign",
        "Added by hand",
    }
    assert all("CE" in event.when for event in events), "also at their own time"
    await browser.send(ContactCardState.delete())
    assert (await tab.state(ContactCardState)).card.id == contact.id, "a campaign's record keeps it"


async def test_a_person_that_is_not_there_is_said_so(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/contacts/4711")
    await browser.send(ContactCardState.load())
    await browser.send(PersonPageState.load())
    assert "4711" in (await tab.state(PersonPageState)).problem


async def test_people_are_found_by_the_start_of_name_or_number(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=12)
    for search, found in (("person 03", 1), ("212 555 001", 2), ("nobody", 0)):
        await browser.send(ContactsState.find(search))
        assert len((await tab.state(ContactsState)).rows) == found


async def test_sorting_by_a_column_once_more_turns_it_round(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=3)
    for expected in ("Person 00", "Person 02"):
        await browser.send(ContactsState.sort_by("name"))
        assert (await tab.state(ContactsState)).rows[0].name == expected


async def test_a_new_contact_shows_its_card_and_appears_in_the_list(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab)
    await browser.send(ContactCardState.open(0))
    await browser.send(ContactCardState.save(FORM))
    card = await tab.state(ContactCardState)
    assert (card.card.e164, card.card.tags, card.editing) == ("+12015550123", "vip, new", False)
    assert card.card.own_fields == "day: Tuesday: noon\ndeal_stage: proposal"
    assert [row.name for row in (await tab.state(ContactsState)).rows] == ["Ada Abbott"]


async def test_a_number_that_is_known_is_refused_at_its_field(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab)
    for _ in range(2):
        await browser.send(ContactCardState.open(0))
        await browser.send(ContactCardState.save(FORM))
    card = await tab.state(ContactCardState)
    assert ("already" in card.errors["number"], card.editing, card.is_open) == (True, True, True)


async def test_the_card_tells_what_campaigns_did(seams: AppContext, acme: Organization, tab: Driver) -> None:
    browser = await address_book(seams, acme, tab, people=1)
    async with seams.database.transaction() as session:
        contact = await make_contact(session, acme)
        await make_recipient(session, await make_campaign(session, acme, name="Spring"), contact)
    await browser.send(ContactCardState.open(contact.id))
    [item] = (await tab.state(ContactCardState)).history
    assert (item.campaign, item.channel, item.status) == ("Spring", "Call", "pending")


async def test_a_suppression_says_who_and_why_and_is_lifted_with_a_reason(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab)
    await browser.send(ContactCardState.open(0))
    await browser.send(ContactCardState.save(FORM))
    await browser.send(ContactCardState.suppress({"scope": "voice", "reason": "Asked by e-mail"}))
    [item] = (await tab.state(ContactCardState)).suppressions
    assert (item.scope, item.reason, item.source, item.is_lifted) == (
        "Never call",
        "Asked by e-mail",
        "by hand",
        False,
    )
    assert (await tab.state(ContactsState)).rows[0].suppressed
    await browser.send(ContactCardState.ask("lift", item.id))
    await browser.send(ContactCardState.lift({"lift_reason": " "}))
    assert set((await tab.state(ContactCardState)).errors) == {"reason"}
    await browser.send(ContactCardState.lift({"lift_reason": "Changed their mind"}))
    [item] = (await tab.state(ContactCardState)).suppressions
    assert (item.is_lifted, item.lift_reason) == (True, "Changed their mind")
    assert not (await tab.state(ContactsState)).rows[0].suppressed


async def test_a_visit_starts_without_what_another_left_open(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await address_book(seams, acme, tab, people=1)
    await browser.send(ContactCardState.open((await tab.state(ContactsState)).rows[0].id))
    await browser.send(ContactCardState.reset_card())
    card = await tab.state(ContactCardState)
    assert (card.is_open, card.card.id) == (False, 0)


def test_lines_and_commas_are_read_forgivingly() -> None:
    assert own_fields("a: 1\n\nb:2:3\nc") == {"a": "1", "b": "2:3", "c": ""}
    assert tags(" vip,, new ,") == ["vip", "new"]
