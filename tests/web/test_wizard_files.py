"""The wizard's contacts: files, from the upload to the import."""

from io import BytesIO

import pytest
from openpyxl import Workbook
from redis.asyncio import Redis

from app.domain.rights import Role
from app.runtime.context import get_context
from app.services.imports.operations import store_import
from app.services.imports.queries import get_import
from app.services.imports.run import run_import
from app.web.imports.state import ImportState
from app.web.pages.wizard.contacts.state import ContactsStepState
from app.web.pages.wizard.review.state import ReviewState
from app.web.pages.wizard.state import WizardState
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import (
    make_contact,
    make_organization,
    principal,
)
from tests.web.browser import signed_in
from tests.web.conftest import Driver
from tests.web.wizard_steps import SEED, events_of, open_step, upload


async def test_an_uploaded_file_is_mapped_looked_through_and_left_to_be_imported(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    file = SEED + b"+15551234567,John Again,,,,\nnot a number,Nobody,,,,\n"
    await events_of(tab, ImportState, "receive", upload(file))
    state = await tab.state(ImportState)
    assert state.stage == "uploaded"
    assert [(row.header, row.target) for row in state.columns][:2] == [
        ("phone_number", "phone_number"),
        ("name", "name"),
    ]
    assert (state.tally.accepted, state.tally.rejected, state.tally.duplicates) == (3, 1, 1)
    assert [(row.row, row.kind) for row in state.refused] == [("5", "Duplicate"), ("6", "Rejected")]
    assert await world.people(campaign_id) == {}


async def test_a_file_left_half_way_is_taken_up_again_on_the_next_visit(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(SEED))
    first = (await tab.state(ImportState)).import_id
    await browser.send(ImportState.load())
    state = await tab.state(ImportState)
    assert (state.import_id, state.stage, state.tally.accepted) == (first, "uploaded", 3)


async def test_a_file_without_a_column_of_numbers_asks_for_one(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(b"a,b\nx,y\n"))
    assert "phone numbers" in (await tab.state(ImportState)).errors["mapping"]


async def test_a_field_moved_to_another_column_leaves_the_first_a_variable(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(b"a,b\n+12025550143,+12025550144\n"))
    assert [row.target for row in (await tab.state(ImportState)).columns] == ["phone_number", "variable:b"]
    await browser.send(ImportState.use_column("b", "phone_number"))
    state = await tab.state(ImportState)
    assert [(row.header, row.target) for row in state.columns] == [("a", "variable:a"), ("b", "phone_number")]
    assert (state.errors, state.tally.accepted) == ({}, 1)


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "empty"), (b"phone_number,name\n", "no row"), (b"\x89PNG\r\n\x1a\n" + bytes(99), "")],
)
async def test_what_is_no_list_of_people_is_refused_in_words(
    world: CampaignWorld, tab: Driver, data: bytes, why: str
) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(data))
    state = await tab.state(ImportState)
    assert why in state.errors["contacts-file"]
    assert (state.stage, state.uploading) == ("none", False)


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_an_import_is_queued_once_and_shown_to_its_end(
    world: CampaignWorld, tab: Driver, redis: Redis
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(SEED))
    await browser.send(ImportState.start())
    state = await tab.state(ImportState)
    assert (state.stage, tab.errors) == ("working", [])
    assert await redis.exists(f"arq:job:import:{state.import_id}")
    await run_import(world.database, import_id=state.import_id, clock=get_context().clock)
    await browser.send(ContactsStepState.load())
    assert [line.text for line in (await tab.state(ImportState)).earlier] == ["3 added"]
    assert (await tab.state(WizardState)).contacts == 3


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_going_on_asks_about_a_file_that_is_not_imported(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await browser.send(ContactsStepState.ask(True))
    assert not (await tab.state(ContactsStepState)).asking
    await events_of(tab, ImportState, "receive", upload(SEED))
    await browser.send(ContactsStepState.ask(True))
    assert (await tab.state(ContactsStepState)).asking
    events = await events_of(tab, ContactsStepState, "import_and_go_on")
    assert f"/campaigns/{campaign_id}/edit/pace" in events
    asking, stage = (await tab.state(ContactsStepState)).asking, (await tab.state(ImportState)).stage
    assert (asking, stage) == (False, "working")


async def test_the_review_names_a_file_that_is_not_imported(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(SEED, "march.csv"))
    await browser.send(ReviewState.load())
    state = await tab.state(ReviewState)
    assert "“march.csv” is uploaded but not imported" in str([one.sentence for one in state.obstacles])
    await world.recipient(campaign_id)
    await browser.send(ReviewState.load())
    assert "“march.csv” is uploaded but not imported" in (await tab.state(ReviewState)).warnings[0]


async def test_another_organizations_import_cannot_be_started(world: CampaignWorld, tab: Driver) -> None:
    async with world.database.transaction() as session:
        stranger = await make_organization(session)
        foreign, _ = await store_import(
            session,
            principal=principal(stranger),
            campaign_ref=None,
            file_name="theirs.csv",
            data=SEED,
            now=get_context().clock.now(),
        )
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    (await tab.state(ImportState)).import_id = foreign
    await events_of(tab, ImportState, "start")
    assert (
        await world.ask(get_import, principal=principal(stranger), import_ref=foreign)
    ).status == "uploaded"


def workbook(**sheets: list[list[str]]) -> bytes:
    """Return an Excel workbook of those sheets."""
    book, file = Workbook(), BytesIO()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


PEOPLE = [["phone_number", "name"], ["+12025550143", "Ann"], ["+12025550144", "Ben"]]


async def test_a_workbook_is_taken_and_another_sheet_can_be_chosen(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    data = workbook(North=PEOPLE, South=PEOPLE[:2])
    await events_of(tab, ImportState, "receive", upload(data, "people.xlsx"))
    state = await tab.state(ImportState)
    assert (state.stage, state.tally.accepted, state.sheets) == ("uploaded", 2, ["North", "South"])
    assert "XLSX" in state.facts
    await browser.send(ImportState.use_sheet("South"))
    state = await tab.state(ImportState)
    assert (state.sheet, state.tally.accepted, state.errors, state.looking) == ("South", 1, {}, False)


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_a_large_workbook_is_read_by_a_worker_and_then_opened(
    world: CampaignWorld, tab: Driver, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.imports.operations.AT_ONCE_BYTES", 10)
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(workbook(North=PEOPLE), "people.xlsx"))
    state = await tab.state(ImportState)
    assert (state.stage, state.columns) == ("reading", [])
    assert await redis.exists(f"arq:job:import:{state.import_id}")
    await browser.send(ImportState.load())
    assert (await tab.state(ImportState)).stage == "reading"
    await run_import(world.database, import_id=state.import_id, clock=get_context().clock)
    view = await world.ask(get_import, import_ref=state.import_id)
    assert (await tab.state(ImportState))._follow([view])
    await browser.send(ImportState.load())
    state = await tab.state(ImportState)
    assert (state.stage, state.tally.accepted) == ("uploaded", 2)


async def test_json_is_taken_as_a_file(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    data = b'[{"phone_number": "+12025550143", "name": "Ann"}]'
    await events_of(tab, ImportState, "receive", upload(data, "people.json"))
    state = await tab.state(ImportState)
    assert (state.stage, state.tally.accepted) == ("uploaded", 1)


async def test_a_pasted_list_is_mapped_and_looked_through(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await browser.send(ImportState.paste({"text": " "}))
    assert (await tab.state(ImportState)).errors == {"text": "Paste at least one phone number."}
    await browser.send(ImportState.paste({"text": "+12025550143\n+12025550144\n"}))
    state = await tab.state(ImportState)
    assert (state.stage, state.file_name, state.tally.accepted) == ("uploaded", "Pasted text", 2)
    assert (state.errors, state.saving) == ({}, False)
    assert await events_of(tab, ImportState, "paste", {"text": "+12025550145"}) == "[]"
    assert (await tab.state(ImportState)).import_id == state.import_id


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("file-invalid-type", "CSV, XLSX or JSON"),
        ("file-too-large", "larger than"),
        ("too-many-files", "one file"),
    ],
)
async def test_what_the_browser_refuses_is_said_in_words(
    world: CampaignWorld, tab: Driver, code: str, words: str
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await browser.send(ImportState.refuse([{"file": {}, "errors": [{"code": code, "message": "…"}]}]))
    await events_of(tab, ImportState, "receive", [])
    assert words in (await tab.state(ImportState)).errors["contacts-file"]


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_a_second_click_on_import_changes_nothing(
    world: CampaignWorld, tab: Driver, redis: Redis
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(SEED))
    await browser.send(ImportState.start())
    assert await events_of(tab, ImportState, "start") == "[]"
    assert await events_of(tab, ContactsStepState, "import_and_go_on") == "[]"
    state = await tab.state(ImportState)
    assert (state.stage, state.saving, tab.errors) == ("working", False, [])


async def test_the_preview_tells_who_is_known_and_what_the_message_will_say(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        await make_contact(session, world.organization, number="+12025550143")
    campaign_id = await world.campaign()
    await open_step(tab, world, campaign_id, "file")
    await events_of(
        tab, ImportState, "receive", upload(b"phone_number,name\n+12025550143,Ann\n+12025550144,Ben\n")
    )
    state = await tab.state(ImportState)
    assert (state.tally.known, state.tally.opted_out) == (1, 0)
    assert [sample.said for sample in state.samples] == ["Hello Ann.", "Hello Ben."]


@pytest.mark.filterwarnings("ignore:.*retry_on_timeout.*:DeprecationWarning")  # arq's own
async def test_people_are_imported_into_the_address_book_without_a_campaign(
    world: CampaignWorld, tab: Driver, redis: Redis
) -> None:
    campaign_id = await world.campaign()
    browser = await signed_in(tab, world.organization, "/contacts/import")
    await browser.send(ImportState.load())
    await events_of(tab, ImportState, "receive", upload(SEED))
    state = await tab.state(ImportState)
    assert (state.stage, state.into_campaign, state.samples, tab.errors) == ("uploaded", False, [], [])
    await browser.send(ImportState.load())
    assert (await tab.state(ImportState)).import_id == state.import_id
    await browser.send(ImportState.start())
    await run_import(world.database, import_id=state.import_id, clock=get_context().clock)
    view = await world.ask(get_import, import_ref=state.import_id)
    assert (view.campaign_id, view.accepted) == (None, 3)
    await browser.send(ImportState.load())
    assert [line.text for line in (await tab.state(ImportState)).earlier] == ["3 added"]
    assert await world.people(campaign_id) == {}


async def test_a_colleagues_file_for_the_address_book_is_not_taken_up(
    world: CampaignWorld, tab: Driver
) -> None:
    async with world.database.transaction() as session:
        await store_import(
            session,
            principal=world.someone(),
            campaign_ref=None,
            file_name="theirs.csv",
            data=SEED,
            now=get_context().clock.now(),
        )
    browser = await signed_in(tab, world.organization, "/contacts/import")
    await browser.send(ImportState.load())
    assert (await tab.state(ImportState)).stage == "none"


async def test_a_viewer_may_not_import_people(world: CampaignWorld, tab: Driver) -> None:
    browser = await signed_in(tab, world.organization, "/contacts/import", role=Role.VIEWER)
    await browser.send(ImportState.load())
    assert "does not allow" in (await tab.state(ImportState)).problem
    await browser.send(ImportState.paste({"text": "+12025550143"}))
    assert (await tab.state(ImportState)).stage == "none"


async def test_words_that_are_no_time_zones_are_confirmed_before_the_import(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    file = b"phone,time_zone\n+12025550143,Pacific Time\n+12025550144,EST\n+12025550145,Asia/Kolkata\n"
    await events_of(tab, ImportState, "receive", upload(file))
    state = await tab.state(ImportState)
    assert [(row.word, row.zone, row.asked) for row in state.zone_words] == [
        ("Pacific Time", "America/Los_Angeles", True),
        ("EST", "", False),
    ]
    assert "abbreviation" in state.zone_words[1].message
    assert [(line.where, line.people) for line in state.zones] == [
        ("America/New_York", "2 people"),
        ("Asia/Kolkata", "1 person"),
    ]
    assert len(state.to_check) == 2

    await browser.send(ImportState.use_zones(True))
    state = await tab.state(ImportState)
    assert state.zones_used
    assert [line.where for line in state.zones] == ["America/Los_Angeles", "America/New_York", "Asia/Kolkata"]
    assert len(state.to_check) == 1

    await browser.send(ImportState.name_zone("Pacific Time", "us/hawaii"))
    assert (await tab.state(ImportState)).zone_words[0].zone == "Pacific/Honolulu"
    await browser.send(ImportState.use_zones(False))
    state = await tab.state(ImportState)
    assert (state.zones_used, len(state.to_check)) == (False, 2)


async def test_a_word_of_the_time_zone_column_cannot_mean_an_abbreviation(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign()
    browser = await open_step(tab, world, campaign_id, "file")
    await events_of(tab, ImportState, "receive", upload(b"phone,tz\n+12025550143,Eastern\n"))
    await browser.send(ImportState.name_zone("Eastern", "EST"))
    await browser.send(ImportState.use_zones(True))
    state = await tab.state(ImportState)
    assert not state.zones_used
    assert "abbreviation" in state.zone_words[0].error
