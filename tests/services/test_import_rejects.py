"""What did not go in comes back as a file that a spreadsheet opens safely and an upload takes again."""

import csv
import io

import pytest

from app.domain.rights import Role
from app.runtime.database import Database
from app.services.errors import NotAllowed, NotFound
from app.services.imports import operations, rejects
from app.services.imports.rejects import rejects_csv
from app.services.tabular.csv_text import safe_cell
from tests.support.builders import NOON, make_organization, principal

FILE = (
    b"phone,name\n2025550143,Ann\n12,=1+1\n2025550143,Ann again\n5551234567,Warned\n"
    b'2025550144,"Bob" x\nbad,"two\nlines"\n'
)


async def test_rejects_come_with_row_number_reason_and_the_original_cells(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejects, "_PAGE", 2)
    async with database.transaction() as session:
        owner = principal(await make_organization(session))
        result = await operations.import_file(
            session, principal=owner, campaign_ref=None, file_name="a.csv", data=FILE, now=NOON
        )

    async with database.session() as session:
        pieces = await rejects_csv(session, principal=owner, import_ref=result.import_id)
        text = "".join([piece async for piece in pieces])

    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert rows[0] == ["callsheet_row", "callsheet_reason", "phone", "name"]
    assert [(row[0], row[2:]) for row in rows[1:]] == [
        ("3", ["12", "'=1+1"]),
        ("4", ["2025550143", "Ann again"]),
        ("6", ['2025550144,"Bob" x']),
        ("7", ["bad", "two\nlines"]),
    ]
    assert "earlier row" in rows[2][1]


async def test_a_corrected_file_of_rejects_goes_in(database: Database) -> None:
    async with database.transaction() as session:
        owner = principal(await make_organization(session))
        first = await operations.import_file(
            session, principal=owner, campaign_ref=None, file_name="a.csv", data=FILE, now=NOON
        )
        pieces = await rejects_csv(session, principal=owner, import_ref=first.import_id)
        corrected = "".join([piece async for piece in pieces]).replace(",bad,", ",2025550145,")
        second = await operations.import_file(
            session, principal=owner, campaign_ref=None, file_name="b.csv", data=corrected.encode(), now=NOON
        )
        pieces = await rejects_csv(session, principal=owner, import_ref=second.import_id)
        still_wrong = list(
            csv.reader(io.StringIO("".join([piece async for piece in pieces])[1:], newline=""))
        )
    assert second.accepted == 2
    assert still_wrong[0] == ["callsheet_row", "callsheet_reason", "phone", "name"]
    assert still_wrong[1][2:] == ["12", "'=1+1"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_only_who_may_export_gets_them_and_no_stranger(database: Database, role: Role) -> None:
    async with database.transaction() as session:
        acme = await make_organization(session)
        stranger = principal(await make_organization(session))
        result = await operations.import_file(
            session, principal=principal(acme), campaign_ref=None, file_name="a.csv", data=FILE, now=NOON
        )
        with pytest.raises(NotAllowed):
            await rejects_csv(session, principal=principal(acme, role), import_ref=result.import_id)
        with pytest.raises(NotFound):
            await rejects_csv(session, principal=stranger, import_ref=result.import_id)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("+12025550143", "+12025550143"),
        ("-12.50", "-12.50"),
        ("+12025550143,,1", "'+12025550143,,1"),
        ("Ann", "Ann"),
        ("", ""),
    ],
)
def test_no_cell_is_taken_for_a_formula_and_numbers_stay(cell: str, written: str) -> None:
    assert safe_cell(cell) == written
