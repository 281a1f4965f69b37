"""The first run: the set-up link, the owner, people made on the command line."""

import asyncio
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.domain.legal_policy import LegalPolicy
from app.domain.rights import Role
from app.models import (
    Campaign,
    Contact,
    LegalPolicyChange,
    Member,
    Organization,
    PhoneNumber,
    Recipient,
    User,
)
from app.runtime.database import Database
from app.services.access.legal_policies import DEMO_REASON
from app.services.access.members import create_user
from app.services.access.organizations import get_or_create_organization
from app.services.access.set_up_links import SetupLinkInvalid, issue_setup_link, setup_link_is_valid
from app.services.access.sign_in import check_password_and_issue_ticket
from app.services.access.tickets import redeem_ticket
from app.services.errors import FieldErrors
from app.services.first_run import complete_setup
from app.services.sample_data import SIMULATED_NUMBERS
from app.simulator.settings import DEFAULT_NUMBERS
from tests.support.builders import NOON, make_contact, make_member, make_number, make_organization

DAY = timedelta(days=1)
FORM: dict[str, Any] = {
    "email": "Owner@Example.com",
    "password": "correct horse battery",
    "name": "Olive Owner",
    "organization_name": "Acme Corp",
    "load_sample_data": False,
}


async def issue(database: Database, at: timedelta = timedelta()) -> str | None:
    async with database.transaction() as session:
        return await issue_setup_link(session, now=NOON + at)


async def is_valid(database: Database, token: str, at: timedelta = timedelta()) -> bool:
    async with database.session() as session:
        return await setup_link_is_valid(session, token=token, now=NOON + at)


async def complete(database: Database, token: str, *, at: timedelta = timedelta(), **changes: Any) -> str:
    async with database.transaction() as session:
        return await complete_setup(session, token=token, now=NOON + at, **FORM | changes)


async def link(database: Database) -> str:
    token = await issue(database)
    assert token is not None
    return token


async def test_the_link_makes_an_owner_who_is_signed_in(database: Database) -> None:
    ticket = await complete(database, await link(database))
    async with database.transaction() as session:
        assert await redeem_ticket(session, ticket=ticket, user_agent="", now=NOON) is not None
        made = (
            await session.execute(
                select(col(User.email), col(User.name), col(Member.role), col(Organization.slug))
                .join(Member, col(Member.user_id) == col(User.id))
                .join(Organization, col(Organization.id) == col(Member.organization_id))
            )
        ).one()
        assert tuple(made) == ("owner@example.com", "Olive Owner", Role.OWNER, "acme-corp")


async def test_the_owner_can_sign_in_with_the_password_they_set(database: Database) -> None:
    await complete(database, await link(database))
    async with database.transaction() as session:
        assert await check_password_and_issue_ticket(
            session, email="owner@example.com", password=FORM["password"], address="", next_path="/", now=NOON
        )


async def test_a_new_link_replaces_the_old_one(database: Database) -> None:
    old, new = await link(database), await link(database)
    assert not await is_valid(database, old)
    assert await is_valid(database, new)
    with pytest.raises(SetupLinkInvalid):
        await complete(database, old)


async def test_a_link_is_good_for_a_day(database: Database) -> None:
    token = await link(database)
    assert await is_valid(database, token, at=DAY - timedelta(seconds=1))
    assert not await is_valid(database, token, at=DAY)
    with pytest.raises(SetupLinkInvalid):
        await complete(database, token, at=DAY)


async def test_there_is_no_link_once_there_is_an_owner(database: Database) -> None:
    unused = await link(database)
    async with database.transaction() as session:
        await make_member(session, await make_organization(session))
    assert await issue(database) is None
    assert not await is_valid(database, unused)
    with pytest.raises(SetupLinkInvalid):
        await complete(database, unused)


async def test_a_member_who_is_no_owner_does_not_end_the_set_up(database: Database) -> None:
    async with database.transaction() as session:
        await make_member(session, await make_organization(session), role=Role.MANAGER)
    assert await issue(database) is not None


async def test_two_submissions_at_the_same_moment_make_one_owner(database: Database) -> None:
    token = await link(database)
    submissions = (complete(database, token, email=f"owner{number}@example.com") for number in range(4))
    outcomes = await asyncio.gather(*submissions, return_exceptions=True)
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, SetupLinkInvalid) for outcome in outcomes) == 3
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1


@pytest.mark.parametrize(
    ("field", "value", "advice"),
    [
        ("email", "owner", "e-mail"),
        ("email", "a b@example.com", "e-mail"),
        ("email", "a" * 320 + "@example.com", "e-mail"),
        ("password", "too short", "at least 10 characters"),
        ("password", "x" * 2000, "at most"),
        ("name", "x" * 201, "at most"),
        ("organization_name", "  ", "required"),
        ("organization_name", "x" * 201, "at most"),
    ],
)
async def test_a_field_that_will_not_do_is_named_and_the_link_stays_good(
    database: Database, field: str, value: str, advice: str
) -> None:
    token = await link(database)
    with pytest.raises(FieldErrors) as problem:
        await complete(database, token, **dict[str, Any]({field: value}))
    assert list(problem.value.errors) == [field]
    assert advice in problem.value.errors[field]
    assert await is_valid(database, token)


async def test_every_field_that_will_not_do_is_named_at_once(database: Database) -> None:
    token = await link(database)
    with pytest.raises(FieldErrors) as problem:
        await complete(database, token, email="", password="", organization_name="")
    assert set(problem.value.errors) == {"email", "password", "organization_name"}


async def test_the_owner_takes_over_the_organization_made_on_the_command_line(database: Database) -> None:
    async with database.transaction() as session:
        await get_or_create_organization(session, name="acme corp", now=NOON)
    await complete(database, await link(database))
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Organization)) == 1


async def test_organizations_of_the_same_name_at_the_same_moment_are_one(database: Database) -> None:
    async def get() -> int:
        async with database.transaction() as session:
            return (await get_or_create_organization(session, name="Acme", now=NOON)).id

    assert len(set(await asyncio.gather(*(get() for _ in range(4))))) == 1


async def test_a_user_of_the_command_line_becomes_a_member(database: Database) -> None:
    async with database.transaction() as session:
        user = await create_user(
            session,
            email="op@example.com",
            password="correct horse battery",
            name="",
            organization_name="Acme",
            role=Role.OPERATOR,
            now=NOON,
        )
        role = (
            await session.execute(select(col(Member.role)).where(col(Member.user_id) == user.id))
        ).scalar_one()
    assert role is Role.OPERATOR


async def test_an_email_has_one_account(database: Database) -> None:
    async with database.transaction() as session:
        await make_member(
            session, await make_organization(session), role=Role.VIEWER, email="owner@example.com"
        )
    token = await link(database)
    with pytest.raises(FieldErrors) as problem:
        await complete(database, token)
    assert "already" in problem.value.errors["email"]
    assert await is_valid(database, token)


async def test_the_owner_may_begin_with_a_sample_campaign(database: Database) -> None:
    await complete(database, await link(database), load_sample_data=True)
    async with database.session() as session:
        campaign = (await session.execute(select(Campaign))).scalar_one()
        names = (await session.execute(select(col(Contact.name)).order_by(col(Contact.id)))).scalars().all()
        stages = (
            (await session.execute(select(col(Recipient.variables)["deal_stage"].astext))).scalars().all()
        )
        numbers = (await session.execute(select(col(PhoneNumber.number)))).scalars().all()
    assert campaign.status is CampaignStatus.DRAFT
    assert campaign.agent_id is not None
    assert campaign.phone_number_id is not None
    assert names == ["John Doe", "Jane Smith", "Bob Wilson"]
    assert sorted(stages) == ["discovery", "lead", "proposal"]
    assert set(numbers) <= set(DEFAULT_NUMBERS)
    assert (campaign.allowed_start, campaign.allowed_end) == (None, None), "played through at any hour"


async def test_sample_data_comes_without_numbers_when_the_carrier_has_none(database: Database) -> None:
    await complete(database, await link(database), load_sample_data=True, carrier_numbers=())
    async with database.session() as session:
        assert (await session.execute(select(PhoneNumber))).first() is None
        assert (await session.execute(select(col(Campaign.phone_number_id)))).scalar_one() is None


@pytest.mark.parametrize(("numbers", "policy"), [(SIMULATED_NUMBERS, LegalPolicy.OFF), ((), LegalPolicy.LAW)])
async def test_legal_hours_are_off_for_sample_data_on_the_simulated_carrier_alone(
    database: Database, numbers: tuple[str, ...], policy: LegalPolicy
) -> None:
    await complete(database, await link(database), load_sample_data=True, carrier_numbers=numbers)
    async with database.session() as session:
        organization = (await session.execute(select(Organization))).scalar_one()
        reasons = (await session.execute(select(col(LegalPolicyChange.reason)))).scalars().all()
    assert organization.legal_policy is policy
    assert reasons == ([DEMO_REASON] if numbers else [])


async def test_sample_data_on_a_real_carrier_has_working_hours(database: Database) -> None:
    await complete(database, await link(database), load_sample_data=True, carrier_numbers=())
    async with database.session() as session:
        campaign = (await session.execute(select(Campaign))).scalar_one()
    assert (campaign.allowed_start, campaign.allowed_end) == (time(9), time(18))
    assert campaign.allowed_days == ["1", "2", "3", "4", "5"]


async def test_sample_data_is_added_to_what_the_api_has_made_before(database: Database) -> None:
    async with database.transaction() as session:
        organization = await get_or_create_organization(session, name="Acme Corp", now=NOON)
        await make_contact(session, organization, number="+15551234567", name="Johnny")
        await make_number(session, organization, number="+12015550123")
    await complete(database, await link(database), load_sample_data=True)
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Contact)) == 3
        assert await session.scalar(select(func.count()).select_from(Recipient)) == 3


async def test_sample_data_calls_from_the_first_number_that_no_other_organization_has(
    database: Database,
) -> None:
    async with database.transaction() as session:
        other = await make_organization(session, name="Globex")
        await make_number(session, other, number=SIMULATED_NUMBERS[0])
    await complete(database, await link(database), load_sample_data=True)
    async with database.session() as session:
        number = await session.scalar(
            select(col(PhoneNumber.number)).join(
                Campaign, col(Campaign.phone_number_id) == col(PhoneNumber.id)
            )
        )
    assert number == SIMULATED_NUMBERS[1]
