"""What people bring beside CSV: workbooks, JSON files, pasted text; and a mapping that is remembered."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from app.domain.contact_import import ImportStatus
from app.models import Contact, Organization
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.errors import FieldErrors
from app.services.imports import operations, queries, run
from app.services.imports.preview import preview_import
from app.services.imports.views import ImportView
from tests.imports.corpus import ANN, BOB, workbook
from tests.support.builders import NOON, make_campaign


async def stored(database: Database, owner: Principal, data: bytes, sheet: str = "") -> ImportView:
    async with database.transaction() as session:
        import_id, _ = await operations.store_import(
            session, principal=owner, campaign_ref=None, file_name="a.csv", data=data, now=NOON, sheet=sheet
        )
        return await queries.get_import(session, principal=owner, import_ref=import_id)


async def started(database: Database, owner: Principal, import_id: int) -> None:
    async with database.transaction() as session:
        await operations.queue_import(session, principal=owner, import_ref=import_id, now=NOON)
    await run.run_import(database, import_id=import_id, clock=SystemClock())


async def numbers(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(col(Contact.number)).order_by(col(Contact.number))))


@pytest.mark.parametrize(
    "text",
    [
        "2025550143\n2025550144",
        "2025550143, (202) 555-0144",
        "+12025550143; +12025550144;",
        "Ann\t2025550143\nBob\t2025550144\n",
        "name,phone\nAnn,2025550143\nBob,2025550144",
        "Ann, 2025550143\nBob, 2025550144",
    ],
)
async def test_pasted_text_goes_in_with_or_without_a_header(
    database: Database, session: AsyncSession, owner: Principal, text: str
) -> None:
    async with database.transaction() as writing:
        import_id, _ = await operations.store_pasted(
            writing, principal=owner, campaign_ref=None, text=text, now=NOON
        )

    await started(database, owner, import_id)

    assert await numbers(session) == [ANN, BOB]


async def test_nothing_pasted_is_said(database: Database, owner: Principal) -> None:
    async with database.session() as session:
        with pytest.raises(FieldErrors, match="at least one"):
            await operations.store_pasted(session, principal=owner, campaign_ref=None, text=" \n ", now=NOON)


async def test_another_sheet_of_a_workbook_can_be_chosen(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    data = workbook([["phone"], [2025550143]], others={"Archive": [["tel", "who"], [2025550144, "Bob"]]})
    view = await stored(database, owner, data)
    assert (view.format, view.sheet, view.sheets) == ("xlsx", "Sheet", ["Sheet", "Archive"])

    async with database.transaction() as writing:
        await operations.choose_sheet(writing, principal=owner, import_ref=view.id, sheet="Archive", now=NOON)
        chosen = await queries.get_import(writing, principal=owner, import_ref=view.id)
    await started(database, owner, view.id)

    assert [column.header for column in chosen.columns] == ["tel", "who"]
    assert await numbers(session) == [BOB]
    assert (await stored(database, owner, data, sheet="Archive")).sheet == "Archive"


async def test_a_large_workbook_is_read_by_a_worker_and_then_begins_by_itself(
    database: Database, session: AsyncSession, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "AT_ONCE_BYTES", 0)
    view = await stored(database, owner, workbook([["phone"], [2025550143], [2025550144]]))
    assert (view.status, view.rows_total) == (ImportStatus.READING, None)
    async with database.session() as reading:
        assert await run.requeue_stalled_imports(reading) == [view.id]

    await started(database, owner, view.id)

    assert await numbers(session) == [ANN, BOB]


async def test_a_large_workbook_that_is_none_fails_with_the_reason(
    database: Database, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "AT_ONCE_BYTES", 0)
    view = await stored(database, owner, b"PK\x03\x04 and nothing more")

    await run.run_import(database, import_id=view.id, clock=SystemClock())

    async with database.session() as session:
        failed = await queries.get_import(session, principal=owner, import_ref=view.id)
    assert failed.status is ImportStatus.FAILED
    assert "damaged" in (failed.error or "")


async def test_the_mapping_of_the_last_file_with_these_headers_is_where_the_next_begins(
    database: Database, owner: Principal
) -> None:
    first = await stored(database, owner, b"ref,who\n2025550143,Ann\n")
    async with database.transaction() as session:
        await operations.set_mapping(
            session, principal=owner, import_ref=first.id, mapping={"ref": "phone", "who": "name"}, now=NOON
        )
    await started(database, owner, first.id)

    again = await stored(database, owner, b"Ref,Who\n2025550144,Bob\n")
    other = await stored(database, owner, b"ref,who,more\n17,Bob,x\n")

    assert [column.target for column in again.columns] == ["phone_number", "name"]
    assert "phone_number" not in [column.target for column in other.columns]


async def test_a_preview_says_what_the_campaign_will_say_to_three_people(
    database: Database, acme: Organization, owner: Principal
) -> None:
    async with database.transaction() as session:
        campaign = await make_campaign(
            session, acme, step={"welcome_message_template": "Hello {{name}}, your {{plan}} is ready."}
        )
        import_id, _ = await operations.store_import(
            session,
            principal=owner,
            campaign_ref=campaign.id,
            file_name="a.csv",
            data=b"phone,name,plan\n2025550143,Ann,gold\nbad,x,y\n2025550144,Bob,\n",
            now=NOON,
        )

    async with database.session() as session:
        preview = await preview_import(session, principal=owner, import_ref=import_id)

    assert [sample.row_number for sample in preview.samples] == [2, 4]
    assert preview.samples[0].texts["welcome"] == "Hello Ann, your gold is ready."
    assert preview.samples[1].missing == ["plan"]
