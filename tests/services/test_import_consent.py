"""Consent from a file: taken as it is said, refused when unclear, and never a yes in the place of a no."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.domain.consent import Consent
from app.models import Contact, ContactImport, Organization
from app.runtime.clock import SystemClock
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.contacts.exporting import address_book_csv
from app.services.imports import operations, run, undo
from app.services.imports.issues import IssueKind
from app.services.imports.views import ImportResult
from tests.support.builders import NOON, make_contact

ANN, BOB = "+12025550143", "+12025550144"
HEADER = "phone_number,consent,consent_source,consent_wording,consent_evidence,consent_at\n"


async def imported(database: Database, owner: Principal, text: str) -> ImportResult:
    async with database.transaction() as session:
        return await operations.import_file(
            session, principal=owner, campaign_ref=None, file_name="c.csv", data=text.encode(), now=NOON
        )


async def undone(database: Database, owner: Principal, import_id: int) -> None:
    async with database.transaction() as session:
        await undo.undo_import(session, principal=owner, import_ref=import_id, now=NOON)
    await run.run_import(database, import_id=import_id, clock=SystemClock())
    async with database.session() as session:
        assert (await session.get_one(ContactImport, import_id)).status == "undone"


async def contact(database: Database, number: str = ANN) -> Contact:
    async with database.session() as session:
        return (await session.scalars(select(Contact).where(col(Contact.number) == number))).one()


def consent_of(person: Contact) -> tuple[object, ...]:
    return (
        *(person.consent, person.consent_source, person.consent_wording),
        *(person.consent_evidence, person.consent_at),
    )


async def test_status_source_wording_proof_and_time_go_onto_the_card(
    database: Database, owner: Principal
) -> None:
    result = await imported(
        database, owner, HEADER + f"{ANN},Yes,Form,“Call me”,https://x.example/1,2026-01-02T09:00:00+01:00\n"
    )
    assert (result.accepted, result.warnings) == (1, 0)
    assert consent_of(await contact(database)) == (
        *(Consent.GRANTED, "Form", "“Call me”", "https://x.example/1"),
        datetime(2026, 1, 2, 8, tzinfo=UTC),
    )
    assert not (await contact(database)).fields


async def test_a_time_that_is_not_said_is_that_of_the_upload(database: Database, owner: Principal) -> None:
    await imported(database, owner, f"phone_number,consent\n{ANN},granted\n{BOB},unknown\n")
    assert (await contact(database)).consent_at == NOON
    assert consent_of(await contact(database, BOB)) == (Consent.UNKNOWN, "", "", "", None)


@pytest.mark.parametrize(("said", "stored"), [("SMS", "sms"), ("calls", "voice"), ("both", ""), ("", "")])
async def test_a_consent_may_be_for_one_channel(
    database: Database, owner: Principal, said: str, stored: str
) -> None:
    await imported(database, owner, f"phone_number,consent,consent_scope\n{ANN},yes,{said}\n")
    assert (await contact(database)).consent_scope == stored


async def test_a_channel_that_is_not_clear_refuses_the_row(database: Database, owner: Principal) -> None:
    result = await imported(
        database, owner, f"phone_number,consent,consent_scope\n{ANN},yes,fax\n{BOB},yes,sms\n"
    )
    assert (result.accepted, result.rejected) == (1, 1)


async def test_consents_for_one_channel_each_are_one_for_both_and_an_undo_takes_the_second_back(
    database: Database, owner: Principal
) -> None:
    await imported(database, owner, f"phone_number,consent,consent_scope\n{ANN},yes,sms\n")
    second = await imported(database, owner, f"phone_number,consent,consent_scope\n{ANN},yes,calls\n")
    assert (await contact(database)).consent_scope == ""
    await undone(database, owner, second.import_id)
    assert (await contact(database)).consent_scope == "sms"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("perhaps,,,,", "“perhaps” is no consent. Write granted, denied, withdrawn or unknown."),
        ("granted,,,,03/04/2026", "“03/04/2026” is no time of a consent. Write it like 2026-03-10"),
        ("granted,,,,2031-01-01", "A consent given on 2031-01-01 is in the future. Check the date."),
        ("granted,,,,0001-01-01T00:00:00+14:00", "is no time of a consent"),
    ],
)
async def test_what_is_unclear_refuses_the_row_and_no_other(
    database: Database, owner: Principal, cells: str, reason: str
) -> None:
    result = await imported(database, owner, HEADER + f"{ANN},{cells}\n{BOB},granted,,,,\n")
    assert (result.accepted, result.rejected) == (1, 1)
    assert result.issues[0].kind is IssueKind.REJECTED
    assert reason in result.issues[0].reason


async def test_what_is_said_of_a_consent_without_its_status_is_left_out_and_it_is_said(
    database: Database, owner: Principal
) -> None:
    result = await imported(database, owner, f"phone_number,consent_source\n{ANN},Form\n")
    assert (result.accepted, result.warnings) == (1, 1)
    assert consent_of(await contact(database)) == (Consent.UNKNOWN, "", "", "", None)


@pytest.mark.parametrize("no", [Consent.DENIED, Consent.WITHDRAWN])
@pytest.mark.parametrize("said", ["granted", "unknown", "denied", "withdrawn", ""])
async def test_a_no_stays_whatever_a_file_says(
    database: Database, acme: Organization, owner: Principal, no: Consent, said: str
) -> None:
    async with database.transaction() as session:
        await make_contact(
            session, acme, number=ANN, consent=no, consent_source="On the phone", consent_at=NOON
        )
    result = await imported(database, owner, HEADER + f"{ANN},{said},Form,,,2026-01-02\n")
    assert consent_of(await contact(database)) == (no, "On the phone", "", "", NOON)
    if said == "granted":
        assert "only a person can turn a no into a yes" in result.issues[0].reason


@pytest.mark.parametrize("before", [Consent.UNKNOWN, Consent.GRANTED])
async def test_a_no_of_the_file_counts_and_an_undo_puts_back_what_was(
    database: Database, acme: Organization, owner: Principal, before: Consent
) -> None:
    async with database.transaction() as session:
        was = {"consent": before, "consent_source": "Form", "consent_wording": "Call me", "consent_at": NOON}
        await make_contact(session, acme, number=ANN, **was)
    result = await imported(database, owner, HEADER + f"{ANN},withdrawn,Letter,,,2026-03-01\n")
    assert consent_of(await contact(database)) == (
        *(Consent.WITHDRAWN, "Letter", "", ""),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    await undone(database, owner, result.import_id)
    assert consent_of(await contact(database)) == (before, "Form", "Call me", "", NOON)


async def test_an_own_export_says_again_what_is_known_and_changes_nothing(
    database: Database, acme: Organization, owner: Principal
) -> None:
    async with database.transaction() as session:
        await make_contact(
            session, acme, number=ANN, consent=Consent.GRANTED, consent_source="Form", consent_at=NOON
        )
        await make_contact(session, acme, number=BOB, consent=Consent.WITHDRAWN)
    async with database.session() as session:
        pieces = address_book_csv(session, principal=owner, now=NOON)
        data = "".join([piece async for piece in await pieces])
    result = await imported(database, owner, data)
    async with database.session() as session:
        assert (await session.get_one(ContactImport, result.import_id)).updated == 0
    assert (await contact(database)).consent is Consent.GRANTED
