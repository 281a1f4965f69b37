"""Each contact has a place, and its waiting recipients have the same, whoever writes them."""

import asyncio
import os
import signal
import sys
from typing import Any, Final

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_import import ImportStatus
from app.domain.places import ZoneSource, resolve
from app.domain.recipient import RecipientStatus
from app.models import Campaign, Contact, ContactImport, Organization, Place, Recipient
from app.runtime.database import Database
from app.runtime.migrations import PROJECT
from app.services.access.principal import Principal
from app.services.campaigns.adding import add_contacts, add_manual
from app.services.campaigns.operations import duplicate_campaign
from app.services.campaigns.recipients import retry_recipients
from app.services.contacts.operations import create_contact, update_contact
from app.services.contacts.upserting import upsert_contacts
from app.services.imports import operations
from app.services.imports.undo import run_undo, undo_import
from app.services.places import contacts as places
from app.services.places.contacts import place_unplaced
from app.services.places.store import place_ids
from tests.support.builders import NOON, make_campaign, make_contact, make_organization, make_recipient
from tests.support.clock import VirtualClock

NEW_YORKER: Final = "+12125550143"
NEW_YORK, DENVER, PHOENIX = ("America/New_York",), ("America/Denver",), ("America/Phoenix",)
BATCH: Final = 10
PEOPLE: Final = 37


@pytest.fixture
async def campaign(database: Database, acme: Organization) -> Campaign:
    async with database.transaction() as session:
        return await make_campaign(session, acme)


async def place_of(database: Database, number: str = NEW_YORKER) -> tuple[tuple[str, ...], str]:
    """Return the zones of the contact with this number, and what told them."""
    async with database.session() as session:
        contact = (await session.scalars(select(Contact).where(col(Contact.number) == number))).one()
        place = await session.get_one(Place, contact.place_id)
        return tuple(place.zones), contact.zone_source


async def listed_place(database: Database) -> tuple[str, ...]:
    """Return the zones of the only recipient."""
    async with database.session() as session:
        recipient = (await session.scalars(select(Recipient))).one()
        return tuple((await session.get_one(Place, recipient.place_id)).zones)


async def create(database: Database, owner: Principal, **changes: Any) -> int:
    async with database.transaction() as session:
        return await create_contact(
            session, principal=owner, changes={"number": NEW_YORKER} | changes, now=NOON
        )


async def change(database: Database, owner: Principal, contact_id: int, **changes: Any) -> None:
    async with database.transaction() as session:
        await update_contact(session, principal=owner, contact_id=contact_id, changes=changes, now=NOON)


async def import_rows(
    database: Database, owner: Principal, rows: str, campaign: Campaign | None = None
) -> int:
    async with database.transaction() as session:
        done = await operations.import_file(
            session,
            principal=owner,
            campaign_ref=campaign.id if campaign else None,
            file_name="people.csv",
            data=rows.encode(),
            now=NOON,
        )
    return done.import_id


async def test_a_place_is_one_row_however_often_it_is_asked_for(database: Database) -> None:
    wanted = [
        resolve(number).place for number in (NEW_YORKER, "+12125550144", "+12705550143", "+15551234567")
    ]
    assert len(set(wanted)) == 3

    async def ask() -> dict[Any, int]:
        return await database.write(lambda session: place_ids(session, wanted))

    first, *others = await asyncio.gather(*(ask() for _ in range(5)))
    assert all(found == first for found in others)
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Place)) == 3
        for place, place_id in first.items():
            row = await session.get_one(Place, place_id)
            assert (tuple(row.zones), tuple(row.laws)) == (place.zones, place.laws)


async def test_a_new_contact_has_the_place_of_its_number(database: Database, owner: Principal) -> None:
    await create(database, owner)
    assert await place_of(database) == (NEW_YORK, ZoneSource.NUMBER)


async def test_a_new_contact_has_the_place_of_its_own_zone_state_or_postcode(
    database: Database, owner: Principal
) -> None:
    await create(database, owner, time_zone="us/mountain")
    assert await place_of(database) == (DENVER, ZoneSource.OWN)
    await create(database, owner, number="+12125550144", state="Colorado")
    assert await place_of(database, "+12125550144") == (DENVER, ZoneSource.STATE)
    await create(database, owner, number="+12125550145", fields={"zip": "85001"})
    assert await place_of(database, "+12125550145") == (PHOENIX, ZoneSource.POSTCODE)


async def test_a_changed_card_moves_its_waiting_recipients(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    contact_id = await create(database, owner)
    async with database.transaction() as session:
        await add_contacts(
            session, principal=owner, campaign_ref=campaign.id, contact_ids=[contact_id], now=NOON
        )
    assert await listed_place(database) == NEW_YORK

    await change(database, owner, contact_id, state="AZ")
    assert await place_of(database) == (("America/Denver", "America/Phoenix"), ZoneSource.STATE)
    assert await listed_place(database) == ("America/Denver", "America/Phoenix")
    await change(database, owner, contact_id, time_zone="America/Phoenix")
    assert await listed_place(database) == PHOENIX
    await change(database, owner, contact_id, time_zone="", state="")
    assert await listed_place(database) == NEW_YORK


async def test_many_people_at_once_have_their_places(database: Database, owner: Principal) -> None:
    async def send(rows: list[dict[str, Any]]) -> None:
        async with database.transaction() as session:
            await upsert_contacts(session, principal=owner, rows=rows, now=NOON)

    await send([{"number": NEW_YORKER}, {"number": "+13035550143"}])
    assert await place_of(database) == (NEW_YORK, ZoneSource.NUMBER)
    assert await place_of(database, "+13035550143") == (DENVER, ZoneSource.NUMBER)
    await send([{"number": NEW_YORKER, "time_zone": "America/Phoenix"}, {"number": "+13035550143"}])
    assert await place_of(database) == (PHOENIX, ZoneSource.OWN)
    assert await place_of(database, "+13035550143") == (DENVER, ZoneSource.NUMBER)


async def test_a_person_added_by_hand_has_a_place_in_the_campaign(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    async with database.transaction() as session:
        await add_manual(
            session,
            principal=owner,
            campaign_ref=campaign.id,
            number="+16025550143",
            name="Ann",
            variables={},
            now=NOON,
        )
    assert await listed_place(database) == PHOENIX


async def test_a_file_s_people_have_their_places_in_the_address_book_and_in_the_campaign(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    await create(database, owner, number="+13035550143", time_zone="America/Phoenix")
    rows = f"phone,time_zone\n{NEW_YORKER},\n+13035550143,\n+13105550143,Asia/Kolkata\n+15551234567,\n"
    import_id = await import_rows(database, owner, rows, campaign)

    async with database.session() as session:
        found = await session.execute(
            select(col(Contact.number), col(Place.zones), col(Contact.zone_source))
            .join(Recipient, col(Recipient.contact_id) == col(Contact.id))
            .join(Place, col(Place.id) == col(Recipient.place_id))
            .where(col(Place.id) == col(Contact.place_id))
            .order_by(col(Recipient.position))
        )
        assert [(number, zones, source) for number, zones, source in found] == [
            (NEW_YORKER, [*NEW_YORK], "number"),
            ("+13035550143", [*PHOENIX], "own"),
            ("+13105550143", ["Asia/Kolkata"], "own"),
            ("+15551234567", [], "assumed"),
        ]
        counts = (await session.get_one(ContactImport, import_id)).zone_counts
    assert counts == {NEW_YORK[0]: 1, PHOENIX[0]: 1, "Asia/Kolkata": 1, "": 1}


async def test_a_file_that_changes_known_people_moves_them_and_its_undo_moves_them_back(
    database: Database, owner: Principal, campaign: Campaign
) -> None:
    contact_id = await create(database, owner)
    async with database.transaction() as session:
        await add_contacts(
            session, principal=owner, campaign_ref=campaign.id, contact_ids=[contact_id], now=NOON
        )
    import_id = await import_rows(database, owner, f"phone,state\n{NEW_YORKER},Colorado\n")
    assert await place_of(database) == (DENVER, ZoneSource.STATE)
    assert await listed_place(database) == DENVER

    async with database.transaction() as session:
        await undo_import(session, principal=owner, import_ref=import_id, now=NOON)
    await run_undo(database, import_id=import_id, clock=VirtualClock(at=NOON))
    async with database.session() as session:
        assert (await session.get_one(ContactImport, import_id)).status is ImportStatus.UNDONE
    assert await place_of(database) == (NEW_YORK, ZoneSource.NUMBER)
    assert await listed_place(database) == NEW_YORK


async def test_a_copied_campaign_s_people_have_the_places_of_today(
    database: Database, owner: Principal, acme: Organization, campaign: Campaign
) -> None:
    async with database.transaction() as session:
        contact = await make_contact(session, acme, number=NEW_YORKER)
        await make_recipient(session, campaign, contact, status=RecipientStatus.COMPLETED)
    await change(database, owner, contact.id, time_zone="America/Phoenix")
    async with database.transaction() as session:
        copied = await duplicate_campaign(session, principal=owner, campaign_ref=campaign.id, now=NOON)
        copy = (await session.scalars(select(Recipient).where(col(Recipient.campaign_id) == copied))).one()
        assert (await session.get_one(Place, copy.place_id)).zones == [*PHOENIX]


async def test_a_person_who_is_tried_again_by_hand_has_the_place_of_today(
    database: Database, owner: Principal, acme: Organization, campaign: Campaign
) -> None:
    async with database.transaction() as session:
        contact = await make_contact(session, acme, number=NEW_YORKER)
        await make_recipient(session, campaign, contact, status=RecipientStatus.FAILED)
    await change(database, owner, contact.id, time_zone="America/Phoenix")
    assert await listed_place(database) == NEW_YORK
    async with database.transaction() as session:
        await retry_recipients(
            session, principal=owner, campaign_ref=campaign.id, recipient_ids=None, everyone=True, now=NOON
        )
    assert await listed_place(database) == PHOENIX


async def unplaced(database: Database) -> int:
    async with database.session() as session:
        contacts = select(func.count()).where(col(Contact.place_id).is_(None))
        recipients = select(func.count()).where(col(Recipient.place_id).is_(None))
        return (await session.scalar(contacts) or 0) + (await session.scalar(recipients) or 0)


async def forget_places(session: AsyncSession) -> None:
    """Leave the rows as an upgrade finds them."""
    await session.execute(update(Contact).values(place_id=None, zone_source=""))
    await session.execute(update(Recipient).values(place_id=None))


async def test_people_from_before_places_were_kept_get_theirs_though_the_process_is_killed(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "BATCH", BATCH)
    async with database.transaction() as session:
        acme = await make_organization(session)
        campaign = await make_campaign(session, acme)
        for _ in range(PEOPLE):
            await make_recipient(session, campaign, await make_contact(session, acme))
        await forget_places(session)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RUN_IN_A_PROCESS, database_url),
        cwd=PROJECT,
        env={**os.environ, "CALLSHEET_FAULT": "before_places_commit:3", "CALLSHEET_CARRIER_SIMULATED": "1"},
    )
    assert await process.wait() == -signal.SIGKILL
    assert await unplaced(database) == 2 * (PEOPLE - 2 * BATCH)

    await place_unplaced(database)
    assert await unplaced(database) == 0
    async with database.session() as session:
        rows = await session.execute(
            select(col(Contact.place_id), col(Recipient.place_id)).join(
                Recipient, col(Recipient.contact_id) == col(Contact.id)
            )
        )
        assert all(of_contact == of_recipient for of_contact, of_recipient in rows)


_RUN_IN_A_PROCESS: Final = f"""
import asyncio, sys
from app.runtime.database import Database
from app.runtime.fault_points import install_from_environment
from app.services.places import contacts
contacts.BATCH = {BATCH}
install_from_environment()
asyncio.run(contacts.place_unplaced(Database(sys.argv[1])))
"""
