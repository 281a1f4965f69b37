"""A number is added when the carrier has it and no other organization does; it stays good for what it is needed for."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import CampaignStatus, Channel
from app.models import Organization, PhoneNumber
from app.providers.base import OwnedNumber
from app.runtime.database import Database
from app.services.errors import Conflict, FieldErrors
from app.services.numbers.adding import NumbersAdded, add_carrier_numbers, create_number
from app.services.numbers.carriers import CarrierIdentity, ensure_carrier_account
from app.services.numbers.operations import set_default_number, set_number_active, update_number
from app.services.numbers.ownership import CarrierSilent, NumbersAtCarrier
from app.services.numbers.queries import get_number, list_numbers
from tests.support.builders import (
    NOON,
    make_agent,
    make_campaign,
    make_number,
    make_organization,
    principal,
)

NUMBER = "+12015550123"
SIMULATED = CarrierIdentity("twilio", "AC" + "5" * 32, "http://localhost:3001", simulated=True)
REAL = CarrierIdentity("twilio", "AC" + "7" * 32, "https://api.twilio.com", simulated=False)
RUNNING = CampaignStatus.RUNNING
ELSEWHERE = (
    "This number already belongs to another organization of this installation. "
    "Ask its administrator to deactivate it there first."
)


@pytest.fixture
async def other(database: Database) -> Organization:
    async with database.transaction() as session:
        return await make_organization(session, name="Globex")


def said(*, voice: bool = True, sms: bool = True, carrier: CarrierIdentity = REAL) -> NumbersAtCarrier:
    """The account has the number, for this."""
    owned = OwnedNumber(number=NUMBER, label="", voice=voice, sms=sms)
    return NumbersAtCarrier(carrier=carrier, known={NUMBER: owned})


def lacking(carrier: CarrierIdentity = REAL) -> NumbersAtCarrier:
    return NumbersAtCarrier(carrier=carrier, known={NUMBER: None})


async def add(database: Database, organization: Organization, heard: NumbersAtCarrier, **changes: Any) -> int:
    return await database.write(
        lambda session: create_number(
            session,
            principal=principal(organization),
            changes={"number": NUMBER} | changes,
            said=heard,
            now=NOON,
        )
    )


async def refused(
    database: Database, organization: Organization, heard: NumbersAtCarrier, **changes: Any
) -> dict[str, str]:
    with pytest.raises(FieldErrors) as problem:
        await add(database, organization, heard, **changes)
    async with database.session() as session:
        assert NUMBER not in {
            row.number for row in await list_numbers(session, principal=principal(organization))
        }
    return problem.value.errors


async def switch(database: Database, organization: Organization, number_id: int, *, active: bool) -> None:
    await database.write(
        lambda session: set_number_active(
            session, principal=principal(organization), number_ref=number_id, active=active, now=NOON
        )
    )


# --- the carrier has it ---


async def test_a_number_is_good_for_what_the_carrier_says(database: Database, acme: Organization) -> None:
    number_id = await add(database, acme, said(sms=False))
    async with database.session() as session:
        view = await get_number(session, principal=principal(acme), number_ref=number_id)
    assert (view.voice, view.sms, view.carrier) == (True, False, "Twilio")


async def test_less_than_the_carrier_allows_may_be_wanted(database: Database, acme: Organization) -> None:
    number_id = await add(database, acme, said(), voice=False)
    async with database.session() as session:
        view = await get_number(session, principal=principal(acme), number_ref=number_id)
    assert (view.voice, view.sms) == (False, True)


NOT_THERE = {
    REAL: "The Twilio account AC7777…7777 does not have +1 201-555-0123. Buy it there, or verify it there to call from "
    "it, or choose one of its numbers: the Numbers page can add all of them.",
    SIMULATED: "The simulated carrier AC5555…5555 does not have +1 201-555-0123. Choose one of its numbers: the "
    "Numbers page can add all of them.",
}


@pytest.mark.parametrize("carrier", list(NOT_THERE), ids=["real", "simulated"])
async def test_a_number_the_account_does_not_have_is_refused_with_what_to_do(
    database: Database, acme: Organization, carrier: CarrierIdentity
) -> None:
    assert await refused(database, acme, lacking(carrier)) == {"number": NOT_THERE[carrier]}


@pytest.mark.parametrize(("field", "able"), [("sms", "calls"), ("voice", "texts")])
async def test_what_the_carrier_does_not_let_it_do_is_refused_by_field(
    database: Database, acme: Organization, field: str, able: str
) -> None:
    errors = await refused(database, acme, said(voice=field != "voice", sms=field != "sms"), **{field: True})
    assert errors == {
        field: f"The carrier says that +1 201-555-0123 is for {able} only. Add it for {able} alone, or choose another."
    }


async def test_a_number_that_can_neither_call_nor_text_is_refused(
    database: Database, acme: Organization
) -> None:
    assert set(await refused(database, acme, said(voice=False, sms=False))) == {"number"}


@pytest.mark.parametrize(
    "heard",
    [NumbersAtCarrier(carrier=REAL, silent="no route"), NumbersAtCarrier(carrier=REAL)],
    ids=["silent", "asked about another"],
)
async def test_without_the_carriers_word_nothing_is_added(
    database: Database, acme: Organization, heard: NumbersAtCarrier
) -> None:
    with pytest.raises(CarrierSilent, match="try again"):
        await add(database, acme, heard)
    async with database.session() as session:
        assert await list_numbers(session, principal=principal(acme)) == []


async def test_a_carrier_that_cannot_tell_is_not_waited_for(database: Database, acme: Organization) -> None:
    assert await add(database, acme, NumbersAtCarrier(carrier=REAL, cannot_tell=True))


async def test_a_number_that_moved_to_another_account_is_added_again_there(
    database: Database, acme: Organization
) -> None:
    before = await add(database, acme, said(carrier=SIMULATED))
    assert await add(database, acme, said(carrier=REAL)) == before
    async with database.session() as session:
        assert (await get_number(session, principal=principal(acme), number_ref=before)).carrier == "Twilio"
    assert set(await errors_of(database, acme)) == {"number"}


async def errors_of(database: Database, organization: Organization) -> dict[str, str]:
    with pytest.raises(FieldErrors) as problem:
        await add(database, organization, said())
    return problem.value.errors


# --- changes ---


async def change(
    database: Database,
    organization: Organization,
    number_id: int,
    heard: NumbersAtCarrier | None,
    **changes: Any,
) -> None:
    await database.write(
        lambda session: update_number(
            session,
            principal=principal(organization),
            number_ref=number_id,
            changes=changes,
            said=heard,
            now=NOON,
        )
    )


async def test_a_number_texts_from_now_on_only_if_the_carrier_lets_it(
    database: Database, acme: Organization
) -> None:
    number_id = await add(database, acme, said(), sms=False)
    for heard in (said(sms=False), lacking()):
        with pytest.raises(FieldErrors) as problem:
            await change(database, acme, number_id, heard, sms=True)
        assert set(problem.value.errors) == {"sms"}
    with pytest.raises(CarrierSilent):
        await change(database, acme, number_id, None, sms=True)
    await change(database, acme, number_id, said(), sms=True)
    await change(database, acme, number_id, None, label="Sales", sms=True, voice=True)


@pytest.mark.parametrize(("field", "channel"), [("voice", Channel.CALL), ("sms", Channel.SMS)])
async def test_a_number_stays_good_for_what_a_campaign_under_way_needs(
    database: Database, acme: Organization, field: str, channel: Channel
) -> None:
    async with database.transaction() as session:
        number = await make_number(session, acme)
        spare = await make_number(session, acme, **{field: False})
        await make_campaign(
            session, acme, status=RUNNING, channel=channel, pool=(number, spare), name="Reminders"
        )
    with pytest.raises(FieldErrors) as problem:
        await change(database, acme, number.id, None, **{field: False})
    assert set(problem.value.errors) == {field}
    assert "“Reminders” is under way" in problem.value.errors[field]
    with pytest.raises(Conflict, match="Reminders"):
        await switch(database, acme, number.id, active=False)
    unneeded = "sms" if field == "voice" else "voice"
    await change(database, acme, number.id, None, **{unneeded: False})


async def test_there_stays_a_default_while_a_campaign_calls_from_it(
    database: Database, acme: Organization
) -> None:
    async with database.transaction() as session:
        first, second = await make_number(session, acme), await make_number(session, acme)
        agent = await make_agent(session, acme)
        organization = await session.get_one(Organization, acme.id)
        organization.default_phone_number_id = first.id
        campaign = await make_campaign(session, acme, status=RUNNING, agent=agent, name="Reminders")

    async def default(number_ref: int | None) -> None:
        await database.write(
            lambda session: set_default_number(
                session, principal=principal(acme), number_ref=number_ref, now=NOON
            )
        )

    with pytest.raises(Conflict, match="“Reminders” is under way"):
        await default(None)
    await default(second.id)
    async with database.transaction() as session:
        (await session.merge(campaign)).phone_number_id = first.id
    await default(None)


# --- one organization ---


async def test_a_number_belongs_to_one_organization(
    database: Database, acme: Organization, other: Organization
) -> None:
    await add(database, acme, said())
    assert await refused(database, other, said()) == {"number": ELSEWHERE}


async def test_of_two_organizations_that_add_a_number_at_once_one_has_it(
    database: Database, acme: Organization, other: Organization
) -> None:
    outcomes = await asyncio.gather(
        *(add(database, each, said()) for each in (acme, other, acme, other)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [*["FieldErrors"] * 3, "int"]


async def test_a_number_switched_off_may_be_anothers_and_does_not_come_back(
    database: Database, acme: Organization, other: Organization
) -> None:
    ours = await add(database, acme, said())
    await switch(database, acme, ours, active=False)
    theirs = await add(database, other, said())
    with pytest.raises(Conflict) as conflict:
        await switch(database, acme, ours, active=True)
    assert str(conflict.value) == ELSEWHERE
    await switch(database, other, theirs, active=False)
    outcomes = await asyncio.gather(
        switch(database, acme, ours, active=True),
        switch(database, other, theirs, active=True),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]


async def test_one_of_ours_that_is_off_says_so_when_it_is_added(
    database: Database, acme: Organization
) -> None:
    number_id = await add(database, acme, said())
    await switch(database, acme, number_id, active=False)
    assert await errors_of(database, acme) == {
        "number": f"{NUMBER} is among your numbers already: activate it."
    }


async def test_the_accounts_numbers_that_another_organization_has_are_left_out_and_counted(
    database: Database, acme: Organization, other: Organization
) -> None:
    await add(database, other, said())
    async with database.transaction() as session:
        added = await add_carrier_numbers(
            session, principal=principal(acme), identity=REAL, numbers=[NUMBER, "+12025550143"], now=NOON
        )
        assert added == NumbersAdded(new=1, elsewhere=1)
        assert [view.number for view in await list_numbers(session, principal=principal(acme))] == [
            "+12025550143"
        ]


async def test_what_switched_a_number_off_is_forgotten_when_it_is_on(
    database: Database, acme: Organization
) -> None:
    async with database.transaction() as session:
        number = await make_number(session, acme, active=False, inactive_why="Somebody had it first.")
    await switch(database, acme, number.id, active=True)
    async with database.session() as session:
        view = await get_number(session, principal=principal(acme), number_ref=number.id)
    assert (view.active, view.inactive_why) == (True, "")


async def test_the_accounts_numbers_come_to_it_from_another(
    session: AsyncSession, database: Database
) -> None:
    acme = await make_organization(session)
    before = await ensure_carrier_account(session, SIMULATED, now=NOON)
    number = await make_number(session, acme, number=NUMBER, carrier_account_id=before.id)
    added = await add_carrier_numbers(
        session, principal=principal(acme), identity=REAL, numbers=[NUMBER], now=NOON
    )
    assert added == NumbersAdded(new=1, elsewhere=0)
    await session.refresh(number)
    now_at = await ensure_carrier_account(session, REAL, now=NOON)
    assert isinstance(number, PhoneNumber)
    assert number.carrier_account_id == now_at.id
