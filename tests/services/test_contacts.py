"""The address book."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import Disposition
from app.domain.contact_filter import ContactFilter
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right, Role, has_right
from app.domain.suppression import SuppressionScope
from app.models import Contact, Organization
from app.runtime.database import Database
from app.services.contacts.index_scans import Sort
from app.services.contacts.operations import create_contact, update_contact
from app.services.contacts.queries import count_contacts, get_contact, list_contacts
from app.services.contacts.search import matches_search
from app.services.errors import FieldErrors, NotAllowed, NotFound
from app.services.suppression.operations import suppress_contact
from tests.support.builders import (
    NOON,
    make_campaign,
    make_contact,
    make_organization,
    make_recipient,
    principal,
)

HOUR = timedelta(hours=1)


async def found(session: AsyncSession, acme: Organization, search: str) -> list[str]:
    wanted = ContactFilter(search=search)
    page = await list_contacts(session, principal=principal(acme), wanted=wanted, sort=Sort.NAME, now=NOON)
    assert str(await count_contacts(session, principal=principal(acme), wanted=wanted, now=NOON)) == str(
        len(page.items)
    )
    return [row.name for row in page.items]


async def test_a_contact_is_created_with_everything_on_the_card(
    session: AsyncSession, acme: Organization
) -> None:
    changes = {
        "number": "555 123 4567",
        "name": "John Doe",
        "email": "john@example.com",
        "company": "Acme Corp",
        "time_zone": "America/Chicago",
        "country": "us",
        "tags": ["vip", " vip ", ""],
        "fields": {"deal_stage": "proposal", "age": 42, "empty": None},
    }
    contact_id = await create_contact(session, principal=principal(acme), changes=changes, now=NOON)
    card = await get_contact(session, principal=principal(acme), contact_id=contact_id)
    assert (card.row.number, card.row.name, card.row.tags) == ("+15551234567", "John Doe", ["vip"])
    assert (card.country, card.time_zone) == ("US", "America/Chicago")
    assert card.fields == {"deal_stage": "proposal", "age": "42"}
    assert (card.history, card.suppression, card.row.suppressed) == ([], [], False)


async def test_first_and_last_name_make_the_name(session: AsyncSession, acme: Organization) -> None:
    changes = {"number": "+15551234567", "first_name": "John", "last_name": "Doe"}
    contact_id = await create_contact(session, principal=principal(acme), changes=changes, now=NOON)
    assert (
        await get_contact(session, principal=principal(acme), contact_id=contact_id)
    ).row.name == "John Doe"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", ""),
        ("number", "12"),
        ("number", True),
        ("name", "x" * 201),
        ("name", ["John"]),
        ("email", "john"),
        ("email", "john doe@example.com"),
        ("time_zone", "Nowhere"),
        ("country", "XX"),
        ("tags", "vip"),
        ("tags", ["x" * 51]),
        ("fields", ["a"]),
        ("fields", {"a": "x" * 5000}),
        ("id", 7),
    ],
)
async def test_a_field_that_will_not_do_is_named(
    session: AsyncSession, acme: Organization, field: str, value: Any
) -> None:
    contact = await make_contact(session, acme)
    changes = {"number": "+15551234567", field: value}
    with pytest.raises(FieldErrors) as on_create:
        await create_contact(session, principal=principal(acme), changes=changes, now=NOON)
    with pytest.raises(FieldErrors) as on_update:
        await update_contact(
            session, principal=principal(acme), contact_id=contact.id, changes={field: value}, now=NOON
        )
    assert list(on_create.value.errors) == list(on_update.value.errors) == [field]


async def test_a_strict_organization_refuses_numbers_nobody_uses(session: AsyncSession) -> None:
    strict = principal(await make_organization(session, strict_numbers=True))
    with pytest.raises(FieldErrors):
        await create_contact(session, principal=strict, changes={"number": "+15551234567"}, now=NOON)


async def test_a_name_cannot_turn_the_direction_of_what_follows(
    session: AsyncSession, acme: Organization
) -> None:
    contact = await make_contact(session, acme)
    changes = {"name": "Ann\u202eeel\u2066"}
    await update_contact(session, principal=principal(acme), contact_id=contact.id, changes=changes, now=NOON)
    assert contact.name == "Anneel"


async def test_control_characters_never_reach_the_database(session: AsyncSession, acme: Organization) -> None:
    contact = await make_contact(session, acme)
    changes = {"name": "John\x00 Doe\ud800", "notes": "one\ntwo"}
    await update_contact(session, principal=principal(acme), contact_id=contact.id, changes=changes, now=NOON)
    assert (contact.name, contact.notes) == ("John Doe", "one\ntwo")


async def test_a_number_has_one_contact(session: AsyncSession, acme: Organization) -> None:
    await make_contact(session, acme, number="+15551234567")
    other = await make_contact(session, acme)
    with pytest.raises(FieldErrors) as on_create:
        await create_contact(session, principal=principal(acme), changes={"number": "5551234567"}, now=NOON)
    changes = {"number": "+15551234567"}
    with pytest.raises(FieldErrors) as on_update:
        await update_contact(
            session, principal=principal(acme), contact_id=other.id, changes=changes, now=NOON
        )
    assert "already" in on_create.value.errors["number"]
    assert "already" in on_update.value.errors["number"]


async def test_a_contact_created_twice_at_the_same_moment_is_there_once(database: Database) -> None:
    async with database.transaction() as session:
        someone = principal(await make_organization(session))

    async def create() -> int:
        async with database.transaction() as session:
            return await create_contact(
                session, principal=someone, changes={"number": "5551234567"}, now=NOON
            )

    outcomes = await asyncio.gather(*(create() for _ in range(3)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["FieldErrors", "FieldErrors", "int"]


async def test_a_search_finds_the_start_of_a_name_in_any_case(
    session: AsyncSession, acme: Organization
) -> None:
    for name in ("John Doe", "JOHANNA", "Bob", "Élodie"):
        await make_contact(session, acme, name=name)
    assert await found(session, acme, "joh") == ["JOHANNA", "John Doe"]
    assert await found(session, acme, " John D") == ["John Doe"]
    assert await found(session, acme, "éLO") == ["Élodie"]
    assert await found(session, acme, "ohn") == []


async def test_a_search_finds_the_start_of_the_last_word_of_a_name(
    session: AsyncSession, acme: Organization
) -> None:
    for name in ("John Doe", "Jane de la Doe", "Doe", "Ed Doernberg", "Doris Day"):
        await make_contact(session, acme, name=name)
    assert await found(session, acme, "doe") == ["Doe", "Ed Doernberg", "Jane de la Doe", "John Doe"]
    assert await found(session, acme, "doe j") == []


@pytest.mark.parametrize("wildcard", ["%", "_", "\\", "100%", "a_b", "/"])
async def test_wildcards_of_the_database_stand_for_themselves(
    session: AsyncSession, acme: Organization, wildcard: str
) -> None:
    await make_contact(session, acme, name="100 percent")
    await make_contact(session, acme, name="axb")
    await make_contact(session, acme, name=f"{wildcard} sign")
    assert await found(session, acme, wildcard) == [f"{wildcard} sign"]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("+1555", ["One", "Two"]),
        ("555123", ["One"]),
        ("(555) 123", ["One"]),
        ("1555", ["One", "Two"]),
        ("+44", ["Brit"]),
        ("+555", []),
        ("5551234567", ["One"]),
        ("9" * 30, []),
    ],
)
async def test_a_search_finds_the_start_of_a_number_however_it_is_written(
    session: AsyncSession, acme: Organization, search: str, names: list[str]
) -> None:
    await make_contact(session, acme, name="One", number="+15551234567")
    await make_contact(session, acme, name="Two", number="+15559876543")
    await make_contact(session, acme, name="Brit", number="+442071838750")
    assert await found(session, acme, search) == names


@pytest.mark.parametrize(
    ("sort", "descending", "names"),
    [
        ("created", True, ["Al", "Cy", "Bo"]),
        ("created", False, ["Bo", "Cy", "Al"]),
        ("name", False, ["Al", "Bo", "Cy"]),
        ("phone_number", True, ["Bo", "Al", "Cy"]),
    ],
)
async def test_the_list_is_sorted(
    session: AsyncSession, acme: Organization, sort: str, *, descending: bool, names: list[str]
) -> None:
    for name, number in (("Bo", "+12025550009"), ("Cy", "+12025550001"), ("Al", "+12025550005")):
        await make_contact(session, acme, name=name, number=number)
    page = await list_contacts(
        session, principal=principal(acme), sort=Sort(sort), descending=descending, now=NOON
    )
    assert [row.name for row in page.items] == names


async def test_a_row_tells_of_campaigns_and_of_the_last_outcome(
    session: AsyncSession, acme: Organization
) -> None:
    contact = await make_contact(
        session, acme, last_outcome=Disposition.BUSY, last_contacted_at=NOON + 2 * HOUR
    )
    for hours, disposition in ((2, Disposition.BUSY), (1, Disposition.ANSWERED)):
        await make_recipient(
            session,
            await make_campaign(session, acme, name=f"{hours} hours"),
            contact,
            status=RecipientStatus.COMPLETED,
            last_attempt_at=NOON + hours * HOUR,
            last_disposition=disposition,
        )
    await make_recipient(session, await make_campaign(session, acme, name="waiting"), contact)
    [row] = (await list_contacts(session, principal=principal(acme), now=NOON)).items
    assert (row.campaigns_count, row.last_outcome, row.last_contacted_at) == (
        3,
        Disposition.BUSY,
        NOON + 2 * HOUR,
    )
    card = await get_contact(session, principal=principal(acme), contact_id=contact.id)
    assert [line.campaign_name for line in card.history] == ["2 hours", "1 hours", "waiting"]
    assert [line.at for line in card.history] == [NOON + 2 * HOUR, NOON + HOUR, NOON]


async def test_a_suppressed_contact_is_marked_and_the_card_says_why(
    session: AsyncSession, acme: Organization
) -> None:
    contact = await make_contact(session, acme)
    await make_contact(session, acme)
    await suppress_contact(
        session,
        principal=principal(acme),
        number=contact.number,
        scope=SuppressionScope.SMS,
        reason="asked by mail",
        now=NOON,
    )
    rows = (await list_contacts(session, principal=principal(acme), now=NOON)).items
    assert [row.suppressed for row in rows] == [False, True]
    card = await get_contact(session, principal=principal(acme), contact_id=contact.id)
    assert [one.reason for one in card.suppression] == ["asked by mail"]


@pytest.mark.parametrize(
    ("search", "index"), [("jo", "ix_contact_name"), ("+1202555", "uq_contact_organization_id_number")]
)
async def test_a_search_reads_an_index_and_not_the_whole_book(
    session: AsyncSession, acme: Organization, search: str, index: str
) -> None:
    people = [
        {"organization_id": acme.id, "number": f"+1{2_000_000_000 + n}", "name": f"Name {n}"}
        for n in range(5000)
    ]
    await session.execute(insert(Contact), [one | {"created_at": NOON, "updated_at": NOON} for one in people])
    await session.execute(text("ANALYZE contact"))
    statement = select(col(Contact.id)).where(col(Contact.organization_id) == acme.id, matches_search(search))
    plan = await explain(session, statement)
    assert index in plan
    assert "Seq Scan" not in plan


async def explain(session: AsyncSession, statement: Select[int]) -> str:
    connection = await session.connection()
    compiled = statement.compile(dialect=connection.dialect)
    rows = await connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)
    return "\n".join(rows.scalars())


@pytest.mark.parametrize("role", list(Role))
async def test_contacts_are_changed_by_those_with_the_right(
    session: AsyncSession, acme: Organization, role: Role
) -> None:
    contact, someone = await make_contact(session, acme), principal(acme, role)
    await list_contacts(session, principal=someone, now=NOON)
    await get_contact(session, principal=someone, contact_id=contact.id)
    for act in (
        create_contact(session, principal=someone, changes={"number": "+15551234567"}, now=NOON),
        update_contact(session, principal=someone, contact_id=contact.id, changes={}, now=NOON),
    ):
        if has_right(role, Right.EDIT_CONTACTS):
            await act
        else:
            with pytest.raises(NotAllowed):
                await act


async def test_a_contact_of_another_organization_is_not_there(
    session: AsyncSession, acme: Organization
) -> None:
    contact, stranger = await make_contact(session, acme), principal(await make_organization(session))
    for act in (
        get_contact(session, principal=stranger, contact_id=contact.id),
        get_contact(session, principal=stranger, contact_id=10**30),
        update_contact(session, principal=stranger, contact_id=contact.id, changes={"name": "x"}, now=NOON),
        update_contact(session, principal=stranger, contact_id=10**30, changes={"name": "x"}, now=NOON),
    ):
        with pytest.raises(NotFound):
            await act
    assert (await list_contacts(session, principal=stranger, now=NOON)).items == []
