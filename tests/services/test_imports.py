"""A file of people, from its upload to contacts, recipients and the list of rows that did not go in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import EDITABLE, CampaignStatus, Channel
from app.domain.contact_import import ImportStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Campaign, Contact, ImportIssue, Organization, Recipient, Suppression
from app.runtime.database import Database
from app.runtime.migrations import PROJECT
from app.services.access.principal import Principal
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from app.services.imports import operations, queries
from app.services.imports import preview as preview_module
from app.services.imports.issues import IssueKind
from app.services.imports.preview import preview_import
from app.services.imports.views import ImportResult
from app.services.tabular.file_names import display_name
from app.services.tabular.refusals import FileRefused
from tests.support.builders import NOON, make_campaign, make_contact, make_organization, principal

SEED = (PROJECT / "assets" / "example-contacts.csv").read_bytes()


@pytest.fixture
async def campaign(database: Database, acme: Organization) -> Campaign:
    async with database.transaction() as session:
        return await make_campaign(session, acme)


async def import_at_once(
    database: Database, owner: Principal, campaign: Campaign | None, data: bytes
) -> ImportResult:
    async with database.transaction() as session:
        return await operations.import_file(
            session,
            principal=owner,
            campaign_ref=campaign.id if campaign else None,
            file_name="contacts.csv",
            data=data,
            now=NOON,
        )


async def store(database: Database, owner: Principal, campaign: Campaign | None, data: bytes) -> int:
    async with database.transaction() as session:
        stored = await operations.store_import(
            session,
            principal=owner,
            campaign_ref=campaign.id if campaign else None,
            file_name="contacts.csv",
            data=data,
            now=NOON,
        )
    return stored.id


async def contacts(session: AsyncSession) -> dict[str, Contact]:
    return {contact.number: contact for contact in await session.scalars(select(Contact))}


async def recipients(session: AsyncSession) -> list[Recipient]:
    return list(await session.scalars(select(Recipient).order_by(col(Recipient.position))))


async def test_the_guides_example_goes_in_whole_with_three_warnings(
    database: Database, session: AsyncSession, owner: Principal, campaign: Campaign
) -> None:
    result = await import_at_once(database, owner, campaign, SEED)

    assert (result.accepted, result.warnings, result.rejected, result.duplicates) == (3, 3, 0, 0)
    assert [issue.row_number for issue in result.issues] == [2, 3, 4]
    assert all(issue.kind is IssueKind.WARNING for issue in result.issues)
    known = await contacts(session)
    assert set(known) == {"+15551234567", "+15559876543", "+15555550100"}
    john = known["+15551234567"]
    assert (john.name, john.email, john.company) == ("John Doe", "john@example.com", "Acme Corp")
    assert john.fields == {"deal_stage": "proposal"}
    added = await recipients(session)
    assert [row.variables["name"] for row in added] == ["John Doe", "Jane Smith", "Bob Wilson"]
    assert [row.position for row in added] == [1, 2, 3]
    assert added[0].variables == {
        "name": "John Doe",
        "email": "john@example.com",
        "company": "Acme Corp",
        "deal_stage": "proposal",
        "notes": "VIP customer",
    }


async def test_each_row_that_stays_out_says_why_and_where_it_is(
    database: Database, session: AsyncSession, owner: Principal, campaign: Campaign
) -> None:
    result = await import_at_once(
        database,
        owner,
        campaign,
        b"phone,name\n+12025550143,Ann\n\n1.20256E+10,Bob\n12,Cid\n(202) 555-0143,Ann again\n,Dan\n",
    )

    assert (result.rows, result.accepted, result.rejected, result.duplicates) == (5, 1, 3, 1)
    told = {
        issue.row_number: (issue.kind, issue.reason.split(".")[0], issue.cells) for issue in result.issues
    }
    assert told[4][0] is IssueKind.REJECTED
    assert "shortened by a spreadsheet" in result.issues[0].reason
    assert told[6] == (
        IssueKind.DUPLICATE,
        "An earlier row of this file has the same number",
        ["(202) 555-0143", "Ann again"],
    )
    assert told[7][1] == "There is no phone number"
    assert list(await contacts(session)) == ["+12025550143"]


async def test_a_number_that_is_in_the_campaign_is_a_duplicate_but_its_card_is_brought_up_to_date(
    database: Database, session: AsyncSession, owner: Principal, campaign: Campaign
) -> None:
    await import_at_once(
        database, owner, campaign, b"phone,name,email,city\n2025550143,Ann,a@example.com,Rome\n"
    )

    again = await import_at_once(database, owner, campaign, b"phone,name,email,vip\n2025550143,Anna,,yes\n")

    assert (again.accepted, again.duplicates) == (0, 1)
    assert "in the campaign already" in again.issues[0].reason
    card = (await contacts(session))["+12025550143"]
    assert (card.name, card.email, card.fields) == ("Anna", "a@example.com", {"city": "Rome", "vip": "yes"})
    assert [row.variables["name"] for row in await recipients(session)] == ["Ann"]


async def test_first_and_last_name_are_joined(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    await import_at_once(database, owner, None, b"First Name;Last Name;Mobile\nAnn;Lee;202 555 0143\n")

    card = (await contacts(session))["+12025550143"]
    assert (card.name, card.first_name, card.last_name) == ("Ann Lee", "Ann", "Lee")


async def test_a_new_name_takes_its_old_parts_with_it(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    await import_at_once(database, owner, None, b"first,last,phone\nAnn,Lee,2025550143\n")
    await import_at_once(database, owner, None, b"name,phone\nBob Ray,2025550143\n")

    card = (await contacts(session))["+12025550143"]
    assert (card.name, card.first_name, card.last_name) == ("Bob Ray", "", "")


@pytest.mark.parametrize(
    ("scope", "channel", "stopped"),
    [
        (SuppressionScope.ALL, Channel.CALL, True),
        (SuppressionScope.VOICE, Channel.CALL, True),
        (SuppressionScope.SMS, Channel.CALL, False),
        (SuppressionScope.SMS, Channel.SMS, True),
        (SuppressionScope.VOICE, Channel.SMS, False),
    ],
)
async def test_a_suppressed_number_is_listed_as_skipped_with_the_reason(
    database: Database,
    session: AsyncSession,
    owner: Principal,
    acme: Organization,
    scope: SuppressionScope,
    channel: Channel,
    *,
    stopped: bool,
) -> None:
    async with database.transaction() as writing:
        campaign = await make_campaign(writing, acme, channel=channel)
        writing.add(
            Suppression(
                organization_id=acme.id,
                number="+12025550143",
                scope=scope,
                reason="pressed 9",
                source=SuppressionSource.KEYPRESS,
                created_at=NOON,
            )
        )

    result = await import_at_once(database, owner, campaign, b"phone\n2025550143\n")

    assert (result.suppressed, result.accepted) == ((1, 0) if stopped else (0, 1))
    listed = (await recipients(session))[0]
    assert listed.status is (RecipientStatus.SKIPPED if stopped else RecipientStatus.PENDING)
    assert "+12025550143" in await contacts(session)
    if stopped:
        assert listed.blocked_by == "suppression"
        assert "pressed 9" in (listed.blocked_why or "")
        assert "pressed 9" in next(
            issue.reason for issue in result.issues if issue.kind is IssueKind.OPTED_OUT
        )


async def test_the_columns_come_in_the_files_order_with_a_target_and_samples(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    import_id = await store(
        database, owner, None, b"Deal Stage,phone,Full Name,Phone\nlead,2025550143,Ann,\n,2025550144,Bob,1\n"
    )

    view = await queries.get_import(session, principal=owner, import_ref=import_id)

    assert [(column.header, column.target) for column in view.columns] == [
        ("Deal Stage", "variable:deal_stage"),
        ("phone", "phone_number"),
        ("Full Name", "name"),
        ("Phone", "variable:phone_2"),
    ]
    assert view.columns[2].samples == ["Ann", "Bob"]
    assert (view.rows_total, view.status, view.delimiter) == (2, ImportStatus.UPLOADED, ",")


async def test_a_mapping_by_hand_wins(database: Database, session: AsyncSession, owner: Principal) -> None:
    import_id = await store(database, owner, None, b"ref,who,extra\n2025550143,Ann,x\n")
    mapping = {"ref": "phone", "who": "contact_name", "extra": "variable:Gold Status"}
    async with database.transaction() as writing:
        await operations.set_mapping(
            writing, principal=owner, import_ref=import_id, mapping=mapping, now=NOON
        )

    view = await queries.get_import(session, principal=owner, import_ref=import_id)

    assert [column.target for column in view.columns] == ["phone_number", "name", "variable:gold_status"]


@pytest.mark.parametrize(
    ("mapping", "field", "message"),
    [
        ({"who": "name"}, "mapping", "Choose the column that holds the phone numbers."),
        ({"ref": "phone", "who": "phone"}, "mapping.who", "Another column"),
        ({"ref": "phone", "nope": "name"}, "mapping.nope", "no column “nope”"),
        ({"ref": "phone", "who": "shoe size"}, "mapping.who", "not a contact field"),
    ],
)
async def test_a_mapping_that_cannot_work_is_refused_at_the_column(
    database: Database, owner: Principal, mapping: dict[str, str], field: str, message: str
) -> None:
    import_id = await store(database, owner, None, b"ref,who\n17,Ann\n")

    async with database.session() as session:
        with pytest.raises(FieldErrors) as refused:
            await operations.set_mapping(
                session, principal=owner, import_ref=import_id, mapping=mapping, now=NOON
            )

    assert message in refused.value.errors[field]


async def test_without_a_phone_column_nothing_is_queued_or_previewed(
    database: Database, owner: Principal
) -> None:
    import_id = await store(database, owner, None, b"ref,who\n17,Ann\n")

    async with database.session() as session:
        with pytest.raises(FieldErrors, match="phone numbers"):
            await operations.queue_import(session, principal=owner, import_ref=import_id, now=NOON)
        with pytest.raises(FieldErrors, match="phone numbers"):
            await preview_import(session, principal=owner, import_ref=import_id)
    with pytest.raises(FileRefused, match="Name one of them phone_number"):
        await import_at_once(database, owner, None, b"ref,who\n2025550143,Ann\n")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (b"ref,who,reach\n1000000001,Ann,2025550143\n1000000002,Bob,\n1000000003,Cid,2025550145\n", "reach"),
        (b"a,b\n2025550143,2025550143\n,2025550144\nx,2025550145\n", "b"),
        (b"ref,who\n1000000001,Ann\n1000000002,Bob\n", None),
        (b"who,when\nAnn,2026-03-10\n", None),
    ],
)
async def test_the_cells_tell_the_column_of_numbers_where_no_header_does(
    database: Database, owner: Principal, table: bytes, column: str | None
) -> None:
    import_id = await store(database, owner, None, table)
    async with database.session() as session:
        view = await queries.get_import(session, principal=owner, import_ref=import_id)
    phones = [each.header for each in view.columns if each.target == "phone_number"]
    assert phones == ([column] if column else [])


async def test_nobody_is_imported_by_a_guess_that_nobody_saw(database: Database, owner: Principal) -> None:
    with pytest.raises(FileRefused, match="Name one of them phone_number"):
        await import_at_once(database, owner, None, b"reach\n2025550143\n2025550144\n")


async def test_a_preview_tells_all_and_writes_nothing(
    database: Database, session: AsyncSession, owner: Principal, acme: Organization, campaign: Campaign
) -> None:
    import_id = await store(
        database,
        owner,
        campaign,
        b"phone,name,city\n2025550143,Ann,Rome\n5551234567,Bob,\nbad,Cid,\n2025550143,Ann,\n",
    )

    preview = await preview_import(session, principal=owner, import_ref=import_id)

    assert (preview.total, preview.examined, preview.sampled) == (4, 4, False)
    assert (preview.accepted, preview.warnings, preview.rejected, preview.duplicates) == (2, 1, 1, 1)
    first = preview.first_accepted[0]
    assert (first.row_number, first.number, first.pretty) == (2, "+12025550143", "+1 202-555-0143")
    assert (first.name, first.variables) == ("Ann", {"name": "Ann", "city": "Rome"})
    assert (preview.first(IssueKind.REJECTED)[0].row_number, preview.first(IssueKind.REJECTED)[0].cells) == (
        4,
        ["bad", "Cid", ""],
    )
    assert preview.first(IssueKind.DUPLICATE)[0].row_number == 5
    assert await contacts(session) == {}
    assert await recipients(session) == []
    assert list(await session.scalars(select(ImportIssue))) == []


async def test_a_long_files_preview_says_that_it_looked_at_a_part(
    database: Database, session: AsyncSession, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_module, "PREVIEW_ROWS", 1_000)
    monkeypatch.setattr(preview_module, "BATCH_ROWS", 500)
    rows = b"".join(b"+1202%07d\n" % number for number in range(2_000_000, 2_002_500))
    import_id = await store(database, owner, None, b"phone\n" + rows)

    preview = await preview_import(session, principal=owner, import_ref=import_id, limit=3)

    assert (preview.total, preview.examined, preview.sampled) == (2_500, 1_000, True)
    assert len(preview.first_accepted) == 3


async def test_json_objects_follow_the_same_rules(
    database: Database, session: AsyncSession, owner: Principal, campaign: Campaign
) -> None:
    async with database.transaction() as writing:
        result = await operations.import_json(
            writing,
            principal=owner,
            campaign_ref=str(campaign.public_id),
            rows=[
                {"phone_number": "+12025550143", "name": "Ann", "variables": {"city": "Rome"}, "age": 41},
                {"phone_number": 12025550144.0, "name": None, "vip": True},
                {},
                {"phone_number": "1.2E+10"},
            ],
            now=NOON,
        )

    assert (result.rows, result.accepted, result.rejected) == (4, 2, 2)
    assert [issue.row_number for issue in result.issues] == [3, 4]
    assert [row.variables for row in await recipients(session)] == [
        {"name": "Ann", "city": "Rome", "age": "41"},
        {"vip": "yes"},
    ]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([], "contacts"),
        ([{}], "contacts"),
        ([{"phone": "1"}, "x"], "contacts.1"),
        ([{}] * 10_001, "contacts"),
    ],
)
async def test_what_is_no_array_of_objects_is_refused(
    database: Database, owner: Principal, rows: list[dict[str, str]], field: str
) -> None:
    async with database.session() as session:
        with pytest.raises(FieldErrors) as refused:
            await operations.import_json(session, principal=owner, campaign_ref=None, rows=rows, now=NOON)
    assert field in refused.value.errors


@pytest.mark.parametrize("status", sorted(set(CampaignStatus) - EDITABLE))
async def test_only_a_campaign_that_may_be_edited_takes_a_file(
    database: Database, owner: Principal, acme: Organization, status: CampaignStatus
) -> None:
    async with database.transaction() as session:
        campaign = await make_campaign(session, acme, status=status)

    with pytest.raises(
        Conflict, match="Duplicate it" if status in {"completed", "cancelled"} else "Pause the"
    ):
        await store(database, owner, campaign, SEED)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_who_may_not_edit_contacts_may_not_import(
    database: Database, owner: Principal, acme: Organization, campaign: Campaign, role: Role
) -> None:
    import_id = await store(database, owner, campaign, SEED)
    other = principal(acme, role)
    async with database.session() as session:
        with pytest.raises(NotAllowed):
            await store(database, other, campaign, SEED)
        with pytest.raises(NotAllowed):
            await import_at_once(database, other, campaign, SEED)
        with pytest.raises(NotAllowed):
            await operations.import_json(
                session, principal=other, campaign_ref=None, rows=[{"phone": "1"}], now=NOON
            )
        with pytest.raises(NotAllowed):
            await operations.set_mapping(session, principal=other, import_ref=import_id, mapping={}, now=NOON)
        with pytest.raises(NotAllowed):
            await operations.queue_import(session, principal=other, import_ref=import_id, now=NOON)
        with pytest.raises(NotAllowed):
            await operations.cancel_import(session, principal=other, import_ref=import_id, now=NOON)
        assert (await queries.get_import(session, principal=other, import_ref=import_id)).rows_total == 3


async def test_another_organizations_import_and_campaign_do_not_exist(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    import_id = await store(database, owner, campaign, SEED)
    async with database.transaction() as session:
        stranger = principal(await make_organization(session))
    async with database.session() as session:
        for reading in (queries.get_import, preview_import, queries.list_issues):
            with pytest.raises(NotFound):
                await reading(session, principal=stranger, import_ref=import_id)
        with pytest.raises(NotFound):
            await operations.queue_import(session, principal=stranger, import_ref=import_id, now=NOON)
        with pytest.raises(NotFound):
            await store(database, stranger, campaign, SEED)
        assert (await queries.list_imports(session, principal=stranger)).items == []


async def test_two_organizations_keep_their_own_card_of_one_number(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    async with database.transaction() as writing:
        other = await make_organization(writing)
        await make_contact(writing, other, number="+12025550143", name="Theirs")

    await import_at_once(database, owner, None, b"phone,name\n2025550143,Ours\n")

    cards = await session.execute(select(col(Contact.organization_id), col(Contact.name)))
    assert {tuple(card) for card in cards} == {(other.id, "Theirs"), (owner.organization_id, "Ours")}


async def test_a_strict_organization_rejects_the_manuals_numbers(
    database: Database, session: AsyncSession
) -> None:
    async with database.transaction() as writing:
        strict = principal(await make_organization(writing, strict_numbers=True))

    result = await import_at_once(database, strict, None, SEED)

    assert (result.accepted, result.rejected) == (0, 3)


async def test_numbers_are_read_in_the_organizations_region(
    database: Database, session: AsyncSession
) -> None:
    async with database.transaction() as writing:
        british = principal(await make_organization(writing, default_region="GB"))

    await import_at_once(database, british, None, b"phone,country\n020 7946 0123,\n(202) 555-0143,us\n")

    assert set(await contacts(session)) == {"+442079460123", "+12025550143"}


async def test_a_file_arrives_in_pieces_of_any_size(
    database: Database, session: AsyncSession, owner: Principal
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(SEED), 7):
            yield SEED[start : start + 7]

    async with database.transaction() as writing:
        import_id, _ = await operations.store_import(
            writing,
            principal=owner,
            campaign_ref=None,
            file_name="../../etc/pass\u202ewd\n.csv",
            data=pieces(),
            now=NOON,
        )

    view = await queries.get_import(session, principal=owner, import_ref=import_id)
    assert (view.rows_total, view.file_bytes, view.file_name) == (3, len(SEED), "passwd.csv")


async def test_a_file_over_the_callers_limit_is_refused_as_soon_as_it_is_known(
    database: Database, owner: Principal
) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"phone\n" + b"2025550143\n" * 100_000

    async with database.session() as session:
        with pytest.raises(FileRefused, match="larger than 5 MB"):
            await operations.store_import(
                session,
                principal=owner,
                campaign_ref=None,
                file_name="big.csv",
                data=endless(),
                now=NOON,
                max_bytes=5_000_000,
            )
    assert read == 5


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\Users\\ann\\list.csv", "list.csv"),
        ("/tmp/../list.csv", "list.csv"),
        ("", "contacts.csv"),
        ("...", "contacts.csv"),
        ("a\x00b\r\nc.csv", "abc.csv"),
        ("a\ud800b.csv", "ab.csv"),
        ("x" * 300 + ".csv", "x" * 195 + "….csv"),
    ],
)
def test_a_file_name_is_shown_without_its_path_and_tricks(given: str, shown: str) -> None:
    assert display_name(given) == shown


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json"])
async def test_the_examples_say_the_same_in_every_format(
    database: Database, session: AsyncSession, owner: Principal, ending: str
) -> None:
    example = (PROJECT / "assets" / f"example-contacts.{ending}").read_bytes()
    assert (await import_at_once(database, owner, None, example)).accepted == 3
    assert {(person.number, person.name) for person in (await contacts(session)).values()} == {
        ("+15551234567", "John Doe"),
        ("+15559876543", "Jane Smith"),
        ("+15555550100", "Bob Wilson"),
    }


def test_the_template_and_the_example_are_there() -> None:
    for name in ("contacts-template.csv", "example-contacts.csv"):
        assert (
            Path(PROJECT / "assets" / name).read_text(encoding="utf-8").startswith("phone_number,name,email")
        )
