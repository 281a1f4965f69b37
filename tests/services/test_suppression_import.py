"""Files of numbers never to contact."""

import csv
import io

import pytest

from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.domain.suppression import SuppressionScope
from app.models import Organization, Recipient
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.errors import FieldErrors, NotAllowed
from app.services.suppression import importing
from app.services.suppression.exporting import suppressions_csv
from app.services.suppression.importing import (
    SuppressionImportResult,
    import_suppressions,
    rejected_csv,
)
from app.services.suppression.queries import list_suppressions
from app.services.tabular.refusals import FileRefused
from tests.support.builders import make_campaign, make_contact, make_organization, make_recipient, principal
from tests.support.clock import VirtualClock

CLOCK: Clock = VirtualClock()


@pytest.fixture
async def manager(database: Database) -> Principal:
    async with database.transaction() as session:
        return principal(await make_organization(session), Role.MANAGER)


async def take(
    database: Database, someone: Principal, content: str | bytes, *, reason: str = "Bought list"
) -> SuppressionImportResult:
    """Import a file to its end."""
    progress = import_suppressions(
        database,
        principal=someone,
        file_name="dnc.csv",
        data=content.encode() if isinstance(content, str) else content,
        scope=SuppressionScope.ALL,
        reason=reason,
        clock=CLOCK,
    )
    *_, last = [step async for step in progress]
    return last


async def standing(database: Database, someone: Principal) -> dict[str, tuple[str, str]]:
    async with database.session() as session:
        page = await list_suppressions(session, principal=someone)
    return {view.number: (view.scope, view.reason) for view in page.items}


async def test_rows_say_their_own_scope_and_reason_or_take_those_given(
    database: Database, manager: Principal
) -> None:
    table = "Mobile;Channel;Notes\n+12025550111;call;Asked\n(202) 555-0112;;\n+12025550113;SMS;\n"
    result = await take(database, manager, table)
    assert (result.total, result.done, result.added, result.known, result.rejected) == (3, 3, 3, 0, 0)
    assert await standing(database, manager) == {
        "+12025550111": ("voice", "Asked"),
        "+12025550112": ("all", "Bought list"),
        "+12025550113": ("sms", "Bought list"),
    }


@pytest.mark.parametrize("content", ["+12025550111\n202-555-0112\n", "2025550111,Jo\n2025550112,Al\n"])
async def test_bare_numbers_need_no_header(database: Database, manager: Principal, content: str) -> None:
    result = await take(database, manager, content)
    assert (result.total, result.added) == (2, 2)


async def test_bad_rows_are_told_and_come_back_as_a_file(database: Database, manager: Principal) -> None:
    table = "phone,scope\n12,\n+12025550111,pigeon\n+12025550112,\n"
    result = await take(database, manager, table)
    assert (result.added, result.rejected) == (1, 2)
    assert [(each.row, each.cells[0]) for each in result.first_rejected] == [(2, "12"), (3, "+12025550111")]
    async with database.session() as session:
        pieces = await rejected_csv(session, principal=manager, import_id=result.import_id)
        text = "".join([piece async for piece in pieces])
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["callsheet_row"], row["phone"], row["scope"]) for row in rows] == [
        ("2", "12", ""),
        ("3", "+12025550111", "pigeon"),
    ]
    assert "all, voice or sms" in rows[1]["callsheet_reason"]
    corrected = await take(database, manager, text.replace("pigeon", "sms"))
    assert (corrected.added, corrected.rejected) == (1, 1)


async def test_a_file_sent_again_changes_nothing(database: Database, manager: Principal) -> None:
    table = "phone\n+12025550111\n+12025550111\n+12025550112\n"
    first, again = await take(database, manager, table), await take(database, manager, table)
    assert (first.added, first.known) == (2, 1)
    assert (again.added, again.known) == (0, 3)


async def test_progress_is_told_batch_by_batch(
    database: Database, manager: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BATCH", 2)
    progress = import_suppressions(
        database,
        principal=manager,
        file_name="dnc.csv",
        data=b"phone\n+12025550111\n+12025550112\n+12025550113\n",
        scope=SuppressionScope.ALL,
        reason="",
        clock=CLOCK,
    )
    assert [(step.done, step.total) async for step in progress] == [(2, 3), (3, 3)]


async def test_those_who_wait_are_skipped(database: Database, manager: Principal) -> None:
    async with database.transaction() as session:
        organization = await session.get_one(Organization, manager.organization_id)
        contact = await make_contact(session, organization, number="+12025550111")
        recipient = await make_recipient(session, await make_campaign(session, organization), contact)
    await take(database, manager, "phone\n+12025550111\n")
    async with database.session() as session:
        assert (await session.get_one(Recipient, recipient.id)).status is RecipientStatus.SKIPPED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"phone\n", "no row"),
        (b"name\nJo\n", "phone_number"),
        (b"PK\x03\x04zip", "Excel"),
        (b"phone\n" + bytes(64), "binary"),
    ],
)
async def test_what_is_no_list_of_numbers_is_refused_whole(
    database: Database, manager: Principal, content: bytes, said: str
) -> None:
    with pytest.raises(FileRefused, match=said):
        await take(database, manager, content)
    assert await standing(database, manager) == {}


async def test_a_file_is_bounded(
    database: Database, manager: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_ROWS", 1)
    with pytest.raises(FileRefused, match="more than 1 rows"):
        await take(database, manager, "phone\n+12025550111\n+12025550112\n")
    monkeypatch.setattr(importing, "MAX_BYTES", 10)
    with pytest.raises(FileRefused, match="larger"):
        await take(database, manager, "phone\n+12025550111\n")


async def test_who_may_not_suppress_imports_nothing(database: Database, manager: Principal) -> None:
    async with database.session() as session:
        organization = await session.get_one(Organization, manager.organization_id)
    with pytest.raises(NotAllowed):
        await take(database, principal(organization, Role.OPERATOR), "phone\n+12025550111\n")
    with pytest.raises(FieldErrors):
        await take(database, manager, "phone\n+12025550111\n", reason="x" * 501)


async def test_the_export_is_an_import(database: Database, manager: Principal) -> None:
    await take(database, manager, "phone,scope,reason\n+12025550111,sms,=SUM(A1)\n+12025550112,,\n")
    async with database.session() as session:
        pieces = await suppressions_csv(session, principal=manager)
        text = "".join([piece async for piece in pieces])
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["phone_number"], row["scope"], row["reason"]) for row in rows] == [
        ("+12025550112", "all", "Bought list"),
        ("+12025550111", "sms", "'=SUM(A1)"),
    ]
    assert (await take(database, manager, text)).known == 2
