"""Our numbers and the carrier accounts they belong to."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import AttemptStatus
from app.domain.campaign import CampaignStatus
from app.domain.rights import Right, Role, has_right
from app.models import Organization, PhoneNumber
from app.providers.base import OwnedNumber
from app.runtime.database import Database
from app.services.access.organizations import organization_settings
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from app.services.numbers.adding import NumbersAdded, add_carrier_numbers, create_number
from app.services.numbers.carriers import CarrierIdentity, ensure_carrier_account
from app.services.numbers.operations import set_default_number, set_number_active, update_number
from app.services.numbers.ownership import NumbersAtCarrier
from app.services.numbers.queries import get_number, list_numbers
from tests.support.builders import (
    NOON,
    make_agent,
    make_attempt,
    make_campaign,
    make_number,
    make_organization,
    make_recipient,
    principal,
)

RUNNING = CampaignStatus.RUNNING
SIMULATED = CarrierIdentity(
    kind="twilio", account_sid="AC" + "0" * 32, api_url="http://localhost:3001", simulated=True
)
REAL = CarrierIdentity(
    kind="twilio", account_sid="AC" + "1" * 32, api_url="https://api.twilio.com", simulated=False
)


def said_of(number: str, *, voice: bool = True, sms: bool = True) -> NumbersAtCarrier:
    """The carrier has the number, for this."""
    owned = OwnedNumber(number=number, label="", voice=voice, sms=sms)
    return NumbersAtCarrier(carrier=SIMULATED, known={number: owned})


OURS = said_of("+12015550123")


async def switch_off(session: AsyncSession, acme: Organization, number: PhoneNumber) -> None:
    await set_number_active(session, principal=principal(acme), number_ref=number.id, active=False, now=NOON)


async def test_a_number_is_stored_in_e164_however_it_is_written(
    session: AsyncSession, acme: Organization
) -> None:
    changes = {"number": "(201) 555-0123", "label": "Sales", "sms": False}
    number_id = await create_number(session, principal=principal(acme), changes=changes, said=OURS, now=NOON)
    view = await get_number(session, principal=principal(acme), number_ref=number_id)
    assert (view.number, view.label, view.voice, view.sms, view.active) == (
        "+12015550123",
        "Sales",
        True,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "number"),
        ({"number": "12"}, "number"),
        ({"number": None}, "number"),
        ({"number": ["+12015550123"]}, "number"),
        ({"number": "+12015550123", "label": "x" * 201}, "label"),
        ({"number": "+12015550123", "voice": "yes"}, "voice"),
        ({"number": "+12015550123", "colour": "red"}, "colour"),
    ],
)
async def test_a_field_that_will_not_do_is_named(
    session: AsyncSession, acme: Organization, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(FieldErrors) as problem:
        await create_number(session, principal=principal(acme), changes=changes, said=OURS, now=NOON)
    assert list(problem.value.errors) == [field]


async def test_an_organization_has_a_number_once(session: AsyncSession, acme: Organization) -> None:
    await make_number(session, acme, number="+12015550123")
    with pytest.raises(FieldErrors) as problem:
        await create_number(
            session, principal=principal(acme), changes={"number": "2015550123"}, said=OURS, now=NOON
        )
    assert "already" in problem.value.errors["number"]


async def _add(database: Database, organization: Organization) -> int:
    return await database.write(
        lambda session: create_number(
            session,
            principal=principal(organization),
            changes={"number": "+12015550123"},
            said=OURS,
            now=NOON,
        )
    )


async def test_a_number_added_twice_at_the_same_moment_is_there_once(database: Database) -> None:
    async with database.transaction() as session:
        acme = await make_organization(session)
    outcomes = await asyncio.gather(*(_add(database, acme) for _ in range(3)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["FieldErrors", "FieldErrors", "int"]


async def test_the_number_itself_never_changes(session: AsyncSession, acme: Organization) -> None:
    number = await make_number(session, acme)
    changes: dict[str, Any] = {"label": "Support", "voice": False}
    await update_number(
        session, principal=principal(acme), number_ref=number.id, changes=changes, said=None, now=NOON
    )
    assert (number.label, number.voice) == ("Support", False)
    changes = {"number": "+12015550199"}
    with pytest.raises(FieldErrors):
        await update_number(
            session, principal=principal(acme), number_ref=number.id, changes=changes, said=None, now=NOON
        )


async def test_the_only_number_of_a_campaign_under_way_stays_on(
    session: AsyncSession, acme: Organization
) -> None:
    number = await make_number(session, acme)
    await make_campaign(session, acme, status=RUNNING, number=number, name="Reminders")
    with pytest.raises(Conflict, match="Reminders"):
        await switch_off(session, acme, number)


async def test_one_number_of_a_pool_may_go_but_not_the_last(
    session: AsyncSession, acme: Organization
) -> None:
    first, last = await make_number(session, acme), await make_number(session, acme)
    await make_campaign(session, acme, status=RUNNING, pool=(first, last))
    await switch_off(session, acme, first)
    with pytest.raises(Conflict):
        await switch_off(session, acme, last)


async def test_a_campaign_with_a_pool_does_not_need_its_single_number(
    session: AsyncSession, acme: Organization
) -> None:
    single, pooled = await make_number(session, acme), await make_number(session, acme)
    await make_campaign(session, acme, status=RUNNING, number=single, pool=(pooled,))
    await switch_off(session, acme, single)


async def test_the_agents_or_the_organizations_default_may_be_the_only_number(
    session: AsyncSession, acme: Organization
) -> None:
    of_agent, of_acme = await make_number(session, acme), await make_number(session, acme)
    session.add(acme)
    acme.default_phone_number_id = of_acme.id
    agent = await make_agent(session, acme, default_phone_number_id=of_agent.id)
    await make_campaign(session, acme, status=RUNNING, agent=agent)
    await switch_off(session, acme, of_acme)
    with pytest.raises(Conflict):
        await switch_off(session, acme, of_agent)
    agent.default_phone_number_id = None
    await session.flush()
    await switch_off(session, acme, of_agent)


@pytest.mark.parametrize("status", [CampaignStatus.DRAFT, CampaignStatus.PAUSED, CampaignStatus.COMPLETED])
async def test_the_number_of_other_campaigns_can_be_switched_off_and_on(
    session: AsyncSession, acme: Organization, status: CampaignStatus
) -> None:
    number = await make_number(session, acme)
    await make_campaign(session, acme, status=status, number=number)
    for active in (False, True):
        await set_number_active(
            session, principal=principal(acme), number_ref=str(number.public_id), active=active, now=NOON
        )
        [view] = await list_numbers(session, principal=principal(acme))
        assert view.active is active


async def test_the_default_is_set_and_shown_and_taken_back(session: AsyncSession, acme: Organization) -> None:
    number, manager = await make_number(session, acme), principal(acme, Role.MANAGER)
    await set_default_number(session, principal=manager, number_ref=number.id, now=NOON)
    assert (await get_number(session, principal=manager, number_ref=number.id)).is_default
    await set_default_number(session, principal=manager, number_ref=None, now=NOON)
    assert (await organization_settings(session, principal=manager)).default_phone_number_id is None


async def test_a_number_that_is_off_cannot_be_the_default(session: AsyncSession, acme: Organization) -> None:
    number = await make_number(session, acme, active=False)
    with pytest.raises(Conflict):
        await set_default_number(session, principal=principal(acme), number_ref=number.id, now=NOON)


async def test_the_list_counts_campaigns_once_and_calls_that_were_made(
    session: AsyncSession, acme: Organization
) -> None:
    number = await make_number(session, acme)
    campaign = await make_campaign(session, acme, number=number, pool=(number,))
    for status in (AttemptStatus.COMPLETED, AttemptStatus.FAILED, AttemptStatus.NOT_PLACED):
        await make_attempt(session, await make_recipient(session, campaign), number=number, status=status)
    [view] = await list_numbers(session, principal=principal(acme, Role.VIEWER))
    assert (view.campaigns_count, view.calls_made) == (1, 2)


async def test_the_numbers_of_the_carriers_account_are_added_once(
    session: AsyncSession, acme: Organization
) -> None:
    await make_number(session, acme, number="+12015550123")
    numbers = ["+12015550123", "+12025550143", "+12025550143"]
    for expected in (1, 0):
        added = await add_carrier_numbers(
            session, principal=principal(acme), identity=SIMULATED, numbers=numbers, now=NOON
        )
        assert added == NumbersAdded(new=expected, elsewhere=0)
    views = await list_numbers(session, principal=principal(acme))
    assert [(view.number, view.carrier) for view in views] == [
        ("+12015550123", ""),
        ("+12025550143", "Simulated carrier"),
    ]


async def test_what_a_number_is_good_for_is_as_the_carrier_says(
    session: AsyncSession, acme: Organization
) -> None:
    owned = OwnedNumber(number="+12015550123", label="Sales", voice=True, sms=False)
    await add_carrier_numbers(
        session, principal=principal(acme), identity=SIMULATED, numbers=[owned], now=NOON
    )
    [view] = await list_numbers(session, principal=principal(acme))
    assert (view.label, view.voice, view.sms) == ("Sales", True, False)


@pytest.mark.parametrize(("identity", "rate"), [(SIMULATED, 50), (REAL, 1)])
async def test_a_carrier_account_starts_at_the_rate_its_carrier_gives(
    session: AsyncSession, identity: CarrierIdentity, rate: int
) -> None:
    account = await ensure_carrier_account(session, identity, now=NOON)
    assert (account.calls_per_second, account.simulated) == (rate, identity.simulated)


async def test_a_carrier_account_is_one_row_even_when_seen_by_several_at_once(database: Database) -> None:
    async def ensure() -> int:
        async with database.transaction() as session:
            return (await ensure_carrier_account(session, REAL, now=NOON)).id

    assert len(set(await asyncio.gather(*(ensure() for _ in range(4))))) == 1


async def test_a_rate_that_an_operator_set_stays(session: AsyncSession) -> None:
    account = await ensure_carrier_account(session, REAL, now=NOON)
    account.calls_per_second = 5
    await session.flush()
    assert (await ensure_carrier_account(session, REAL, now=NOON)).calls_per_second == 5


@pytest.mark.parametrize("role", list(Role))
async def test_numbers_are_changed_by_those_with_the_right(
    session: AsyncSession, acme: Organization, role: Role
) -> None:
    number, someone = await make_number(session, acme), principal(acme, role)
    for act in (
        create_number(session, principal=someone, changes={"number": "2015550123"}, said=OURS, now=NOON),
        add_carrier_numbers(session, principal=someone, identity=SIMULATED, numbers=[], now=NOON),
        update_number(session, principal=someone, number_ref=number.id, changes={}, said=None, now=NOON),
        set_default_number(session, principal=someone, number_ref=number.id, now=NOON),
        set_number_active(session, principal=someone, number_ref=number.id, active=False, now=NOON),
    ):
        if has_right(role, Right.EDIT_NUMBERS):
            await act
        else:
            with pytest.raises(NotAllowed):
                await act


async def test_a_number_of_another_organization_is_not_there(
    session: AsyncSession, acme: Organization
) -> None:
    number, stranger = await make_number(session, acme), principal(await make_organization(session))
    for act in (
        get_number(session, principal=stranger, number_ref=number.id),
        update_number(
            session, principal=stranger, number_ref=number.public_id, changes={}, said=None, now=NOON
        ),
        set_number_active(session, principal=stranger, number_ref=number.id, active=False, now=NOON),
        set_default_number(session, principal=stranger, number_ref=number.id, now=NOON),
    ):
        with pytest.raises(NotFound):
            await act
    assert await list_numbers(session, principal=stranger) == []
