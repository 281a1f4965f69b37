"""Undoing an import: the dump after is the dump before, but for people who were contacted or changed since."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.domain.contact_import import ImportStatus
from app.domain.rights import Role
from app.domain.suppression import SuppressionSource
from app.models import Campaign, Contact, ContactImport, ImportIssue, Organization, Recipient, Suppression
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.runtime.fault_points import install
from app.services.access.principal import Principal
from app.services.contacts.exporting import address_book_csv
from app.services.errors import Conflict, NotAllowed, NotFound
from app.services.imports import operations, queries, run, undo
from app.services.imports.views import Undo
from tests.support.builders import (
    NOON,
    make_attempt,
    make_campaign,
    make_contact,
    make_number,
    make_organization,
    make_recipient,
    principal,
)

LATER = NOON + timedelta(hours=1)
ANN, BOB, CID, DAN, EVE = (f"+1202555014{digit}" for digit in range(3, 8))
FILE = f"""phone,name,email,city,vip
{ANN},Anna Lee,,Rome,yes
{BOB},Bob,bob@example.com,Oslo,
{CID},Cid,,,
bad,Nobody,,,
{DAN},Dan,dan@example.com,,
{EVE},Eve,,Bern,
""".encode()


class LaterClock(SystemClock):
    def now(self) -> Any:
        return LATER


class Killed(BaseException):
    """Stands for the death of the process: no handler catches it."""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(undo, "UNDO_ROWS", 2)
    monkeypatch.setattr(run, "BATCH_ROWS", 2)
    yield
    install(None)


@pytest.fixture
async def campaign(database: Database, acme: Organization) -> Campaign:
    """A draft with one person of its own; Ann and Bob are in the address book, Cid must not be contacted."""
    async with database.transaction() as session:
        campaign = await make_campaign(session, acme)
        await make_recipient(session, campaign)
        await make_contact(
            session, acme, number=ANN, name="Ann", email="ann@x.com", fields={"city": "Bari", "old": "1"}
        )
        await make_contact(
            session, acme, number=BOB, name="Bob", email="bob@example.com", fields={"city": "Oslo"}
        )
        session.add(
            Suppression(organization_id=acme.id, number=CID, source=SuppressionSource.MANUAL, created_at=NOON)
        )
        return campaign


async def dump(database: Database) -> dict[str, list[str]]:
    """Every row of every table that an import touches, but the records of imports themselves."""
    async with database.session() as session:
        return {
            table: list(await session.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")))
            for table in ("contact", "recipient", "recipient_transition", "campaign", "run", "suppression")
        }


async def imported(
    database: Database, owner: Principal, campaign: Campaign | None, data: bytes = FILE
) -> int:
    async with database.transaction() as session:
        import_id, _ = await operations.store_import(
            session,
            principal=owner,
            campaign_ref=campaign.id if campaign else None,
            file_name="people.csv",
            data=data,
            now=LATER,
        )
        await operations.queue_import(session, principal=owner, import_ref=import_id, now=LATER)
    await run.run_import(database, import_id=import_id, clock=LaterClock())
    return import_id


async def begin_undo(database: Database, owner: Principal, import_id: int) -> None:
    async with database.transaction() as session:
        await undo.undo_import(session, principal=owner, import_ref=import_id, now=LATER)


async def undone(database: Database, owner: Principal, import_id: int) -> ContactImport:
    await begin_undo(database, owner, import_id)
    await run.run_import(database, import_id=import_id, clock=LaterClock())
    async with database.session() as session:
        return await session.get_one(ContactImport, import_id)


async def kept(database: Database, import_id: int) -> dict[str, str]:
    """Number -> why something of that person stayed."""
    async with database.session() as session:
        found = await session.scalars(
            select(ImportIssue).where(
                col(ImportIssue.import_id) == import_id, col(ImportIssue.kind) == "kept"
            )
        )
        return {issue.row["cells"][0]: issue.reason for issue in found}


async def test_an_undone_import_leaves_everything_as_it_was(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    before = await dump(database)
    import_id = await imported(database, owner, campaign)
    assert await dump(database) != before

    row = await undone(database, owner, import_id)

    assert row.status is ImportStatus.UNDONE
    assert await dump(database) == before
    async with database.session() as session:
        view = await queries.get_import(session, principal=owner, import_ref=import_id)
    assert view.undo == Undo(recipients_removed=5, contacts_removed=3, contacts_restored=1, kept=0)
    assert (view.undone_at, view.undone_by) == (LATER, owner.actor)


async def test_tags_are_added_to_those_there_and_an_undo_takes_them_away(
    database: Database, owner: Principal, acme: Organization
) -> None:
    async with database.transaction() as session:
        await make_contact(session, acme, number=ANN, tags=["vip"])
    before = await dump(database)
    data = f'phone,tags\n{ANN},"new, vip"\n{BOB},"a ""b""; c\\d"\n'.encode()
    import_id = await imported(database, owner, None, data)
    async with database.session() as session:
        tags = {contact.number: contact.tags for contact in await session.scalars(select(Contact))}
    assert tags == {ANN: ["vip", "new"], BOB: ['a "b"', "c\\d"]}
    again = await imported(database, owner, None, data)
    async with database.session() as session:
        assert (await session.get_one(ContactImport, again)).updated == 0
    await undone(database, owner, import_id)
    assert await dump(database) == before


async def test_an_export_of_the_address_book_that_comes_back_changes_nothing(
    database: Database, owner: Principal, acme: Organization
) -> None:
    async with database.transaction() as session:
        await make_contact(
            session, acme, number=ANN, name="Ann", tags=["vip", "new"], fields={"city": "Bari"}
        )
    async with database.session() as session:
        pieces = address_book_csv(session, principal=owner, now=LATER)
        data = "".join([piece async for piece in await pieces])
    before = await dump(database)
    await imported(database, owner, None, data.encode())
    assert await dump(database) == before


async def test_an_undone_import_into_the_address_book_leaves_it_as_it_was(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    before = await dump(database)

    await undone(database, owner, await imported(database, owner, None))

    assert await dump(database) == before


async def test_imports_undone_in_turn_come_back_to_the_beginning(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    before = await dump(database)
    first = await imported(database, owner, campaign)
    between = await dump(database)
    second = await imported(
        database, owner, None, f"phone,name,city\n{ANN},Annabel,Pisa\n{DAN},Daniel,\n".encode()
    )

    await undone(database, owner, second)
    assert await dump(database) == between
    await undone(database, owner, first)
    assert await dump(database) == before


@pytest.mark.parametrize("point", ["undo_batch_stored", "undo_batch_committed"])
@pytest.mark.parametrize("passing", [1, 2, 3, 5, 8])
async def test_an_undo_that_is_killed_goes_on_and_ends_the_same(
    database: Database, owner: Principal, campaign: Campaign, point: str, passing: int
) -> None:
    before = await dump(database)
    import_id = await imported(database, owner, campaign)
    await begin_undo(database, owner, import_id)
    passed = 0

    def die(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == passing:
            raise Killed

    install(die)
    with pytest.raises(Killed):
        await run.run_import(database, import_id=import_id, clock=LaterClock())
    install(None)
    async with database.session() as session:
        stalled = await run.requeue_stalled_imports(session)
    await run.run_import(database, import_id=import_id, clock=LaterClock())

    assert stalled == [import_id] or point == "undo_batch_committed"
    assert await dump(database) == before
    async with database.session() as session:
        view = await queries.get_import(session, principal=owner, import_ref=import_id)
    assert view.undo == Undo(recipients_removed=5, contacts_removed=3, contacts_restored=1, kept=0)


async def test_who_was_contacted_stays_as_they_are_and_it_is_said(
    database: Database, owner: Principal, acme: Organization, campaign: Campaign
) -> None:
    import_id = await imported(database, owner, campaign)
    async with database.transaction() as session:
        number = await make_number(session, acme)
        for phone in (ANN, DAN):
            found = select(Recipient).join(Contact, col(Contact.id) == col(Recipient.contact_id))
            recipient = (await session.execute(found.where(col(Contact.number) == phone))).scalar_one()
            await make_attempt(session, recipient, number=number)

    row = await undone(database, owner, import_id)

    assert row.status is ImportStatus.UNDONE
    assert await kept(database, import_id) == {ANN: undo.CONTACTED, DAN: undo.CONTACTED}
    async with database.session() as session:
        people = {each.number: each for each in await session.scalars(select(Contact))}
        listed = await session.scalars(
            select(col(Recipient.contact_id)).where(col(Recipient.import_id) == import_id)
        )
        assert set(listed) == {people[ANN].id, people[DAN].id}
    assert people[ANN].name == "Anna Lee"
    assert {BOB, ANN, DAN} <= set(people)
    assert not {CID, EVE} & set(people)


async def test_what_somebody_changed_since_is_not_undone_and_it_is_said(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    import_id = await imported(database, owner, None)
    async with database.transaction() as session:
        people = {each.number: each for each in await session.scalars(select(Contact))}
        people[ANN].name, people[ANN].updated_at = "Ann by hand", LATER + timedelta(minutes=1)
        people[EVE].notes, people[EVE].updated_at = "by hand", LATER + timedelta(minutes=1)

    await undone(database, owner, import_id)

    async with database.session() as session:
        people = {each.number: each for each in await session.scalars(select(Contact))}
    assert people[ANN].name == "Ann by hand"
    assert people[ANN].fields == {"city": "Bari", "old": "1"}
    assert people[EVE].notes == "by hand"
    assert await kept(database, import_id) == {
        ANN: undo.CHANGED_FIELDS + "name.",
        EVE: undo.CHANGED_SINCE,
    }


async def test_a_contact_that_another_campaign_has_stays(
    database: Database, owner: Principal, acme: Organization, campaign: Campaign
) -> None:
    import_id = await imported(database, owner, campaign)
    async with database.transaction() as session:
        other = await make_campaign(session, acme)
        eve = (await session.execute(select(Contact).where(col(Contact.number) == EVE))).scalar_one()
        await make_recipient(session, other, eve)

    await undone(database, owner, import_id)

    assert await kept(database, import_id) == {EVE: undo.ELSEWHERE}


async def test_a_cancelled_import_can_be_undone_and_an_undone_one_not_again(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    before = await dump(database)
    import_id = await imported(database, owner, campaign)
    async with database.transaction() as session:
        (await session.get_one(ContactImport, import_id)).status = ImportStatus.CANCELLED

    await undone(database, owner, import_id)

    assert await dump(database) == before
    with pytest.raises(Conflict, match="undone already"):
        await begin_undo(database, owner, import_id)


async def test_a_campaign_under_way_is_paused_first(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    import_id = await imported(database, owner, campaign)
    async with database.transaction() as session:
        (await session.get_one(Campaign, campaign.id)).status = CampaignStatus.RUNNING

    with pytest.raises(Conflict, match="Pause the campaign first"):
        await begin_undo(database, owner, import_id)


async def test_an_undo_waits_while_its_campaign_runs(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    import_id = await imported(database, owner, campaign)
    await begin_undo(database, owner, import_id)
    async with database.transaction() as session:
        (await session.get_one(Campaign, campaign.id)).status = CampaignStatus.RUNNING

    await run.run_import(database, import_id=import_id, clock=LaterClock())

    async with database.session() as session:
        row = await session.get_one(ContactImport, import_id)
    assert row.status is ImportStatus.UNDOING
    assert "Pause the campaign first" in (row.error or "")


async def test_only_who_may_import_may_undo_and_no_stranger(
    database: Database, acme: Organization, owner: Principal, campaign: Campaign
) -> None:
    import_id = await imported(database, owner, campaign)
    async with database.transaction() as session:
        stranger = principal(await make_organization(session))
    with pytest.raises(NotAllowed):
        await begin_undo(database, principal(acme, Role.OPERATOR), import_id)
    with pytest.raises(NotFound):
        await begin_undo(database, stranger, import_id)
