"""Numbers never to contact."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right, Role, has_right
from app.live import LiveNote
from app.models import Organization, Suppression, SuppressionScope, SuppressionSource
from app.services.access.principal import Principal
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from app.services.suppression.operations import lift, suppress, suppress_contact
from app.services.suppression.queries import list_suppressions, suppressed_scopes
from tests.support.builders import (
    NOON,
    make_campaign,
    make_contact,
    make_organization,
    make_recipient,
    principal,
)

NUMBER = "+12025550143"
ALL, VOICE, SMS = SuppressionScope.ALL, SuppressionScope.VOICE, SuppressionScope.SMS


@pytest.fixture
async def acme(session: AsyncSession) -> Organization:
    return await make_organization(session)


async def close(
    session: AsyncSession, organization_id: int, scope: SuppressionScope = ALL, number: str = NUMBER
) -> bool:
    return await suppress(
        session,
        organization_id=organization_id,
        number=number,
        scope=scope,
        reason="pressed 9",
        source=SuppressionSource.KEYPRESS,
        actor="the contact",
        now=NOON,
    )


async def close_by_hand(
    session: AsyncSession, someone: Principal, number: str = NUMBER, reason: str = ""
) -> bool:
    return await suppress_contact(
        session, principal=someone, number=number, scope=ALL, reason=reason, now=NOON
    )


async def scopes(session: AsyncSession, acme: Organization) -> frozenset[SuppressionScope]:
    closed = await suppressed_scopes(session, organization_id=acme.id, numbers=[NUMBER, "+12025550100"])
    assert set(closed) <= {NUMBER}
    return closed.get(NUMBER, frozenset())


@pytest.mark.parametrize(
    ("given", "closed"),
    [
        ([], set()),
        ([VOICE], {VOICE}),
        ([SMS], {SMS}),
        ([VOICE, SMS], {VOICE, SMS}),
        ([ALL], {ALL, VOICE, SMS}),
        ([VOICE, ALL], {ALL, VOICE, SMS}),
    ],
)
async def test_all_closes_every_channel_and_the_others_their_own(
    session: AsyncSession, acme: Organization, given: list[SuppressionScope], closed: set[SuppressionScope]
) -> None:
    for scope in given:
        assert await close(session, acme.id, scope)
    assert await scopes(session, acme) == closed


async def test_what_is_closed_is_not_closed_again(session: AsyncSession, acme: Organization) -> None:
    assert await close(session, acme.id, ALL)
    for scope in SuppressionScope:
        assert not await close(session, acme.id, scope)
    assert await session.scalar(select(func.count()).select_from(Suppression)) == 1


async def test_a_number_closed_twice_at_the_same_moment_is_closed_once(database: Database) -> None:
    async with database.transaction() as session:
        organization = await make_organization(session)

    async def act() -> bool:
        async with database.transaction() as session:
            return await close(session, organization.id)

    assert sorted(await asyncio.gather(*(act() for _ in range(4)))) == [False, False, False, True]


async def test_suppressing_by_hand_reads_the_number_and_keeps_who_and_why(
    session: AsyncSession, acme: Organization
) -> None:
    manager = principal(acme, Role.MANAGER, actor="mia@example.com")
    assert await close_by_hand(session, manager, "(202) 555-0143", "asked by mail")
    [view] = (await list_suppressions(session, principal=manager)).items
    assert (view.number, view.reason, view.source, view.actor, view.created_at) == (
        NUMBER,
        "asked by mail",
        SuppressionSource.MANUAL,
        "mia@example.com",
        NOON,
    )


async def test_a_key_suppresses_as_the_api(session: AsyncSession, acme: Organization) -> None:
    await close_by_hand(session, principal(acme, Role.MANAGER, key_id=7))
    [view] = (await list_suppressions(session, principal=principal(acme))).items
    assert view.source is SuppressionSource.API


@pytest.mark.parametrize(("number", "reason", "field"), [("12", "", "number"), (NUMBER, "x" * 501, "reason")])
async def test_a_field_that_will_not_do_is_named(
    session: AsyncSession, acme: Organization, number: str, reason: str, field: str
) -> None:
    with pytest.raises(FieldErrors) as problem:
        await close_by_hand(session, principal(acme), number, reason)
    assert list(problem.value.errors) == [field]


async def test_a_lifted_number_may_be_contacted_and_the_row_stays(
    session: AsyncSession, acme: Organization
) -> None:
    manager = principal(acme, Role.MANAGER)
    await close(session, acme.id)
    [view] = (await list_suppressions(session, principal=manager)).items
    await lift(session, principal=manager, suppression_id=view.id, reason="opted in again", now=NOON)
    assert await scopes(session, acme) == frozenset()
    assert (await list_suppressions(session, principal=manager)).items == []
    [lifted] = (await list_suppressions(session, principal=manager, lifted=True)).items
    assert (lifted.lifted_at, lifted.lifted_by, lifted.lift_reason) == (NOON, manager.actor, "opted in again")
    assert await close(session, acme.id)


async def test_lifting_needs_a_reason_and_happens_once(session: AsyncSession, acme: Organization) -> None:
    await close(session, acme.id)
    [view] = (await list_suppressions(session, principal=principal(acme))).items
    with pytest.raises(FieldErrors):
        await lift(session, principal=principal(acme), suppression_id=view.id, reason=" ", now=NOON)
    await lift(session, principal=principal(acme), suppression_id=view.id, reason="why", now=NOON)
    with pytest.raises(Conflict):
        await lift(session, principal=principal(acme), suppression_id=view.id, reason="why", now=NOON)


async def test_pages_of_campaigns_that_wait_for_the_number_are_told(
    session: AsyncSession, acme: Organization
) -> None:
    contact = await make_contact(session, acme, number=NUMBER)
    waiting, done = await make_campaign(session, acme), await make_campaign(session, acme)
    recipient = await make_recipient(session, waiting, contact)
    await make_recipient(session, done, contact, status=RecipientStatus.COMPLETED)
    await close(session, acme.id)
    assert session.info["notes"] == [LiveNote(acme.id), LiveNote(acme.id, waiting.id)]
    assert recipient.status is RecipientStatus.PENDING


async def test_the_list_is_searched_by_the_start_of_a_number(
    session: AsyncSession, acme: Organization
) -> None:
    for number in (NUMBER, "+442071838750"):
        await close(session, acme.id, number=number)
    for search, expected in (("202555", [NUMBER]), ("+44", ["+442071838750"]), ("nobody", [])):
        page = await list_suppressions(session, principal=principal(acme), search=search)
        assert [view.number for view in page.items] == expected


@pytest.mark.parametrize("role", list(Role))
async def test_numbers_are_closed_and_opened_by_those_with_the_right(
    session: AsyncSession, acme: Organization, role: Role
) -> None:
    await close(session, acme.id, number="+12025550100")
    someone = principal(acme, role)
    [view] = (await list_suppressions(session, principal=someone)).items
    for act in (
        close_by_hand(session, someone),
        lift(session, principal=someone, suppression_id=view.id, reason="why", now=NOON),
    ):
        if has_right(role, Right.EDIT_CONTACTS):
            await act
        else:
            with pytest.raises(NotAllowed):
                await act


async def test_a_suppression_holds_in_its_organization_alone(
    session: AsyncSession, acme: Organization
) -> None:
    other = await make_organization(session)
    await close(session, acme.id)
    assert await scopes(session, other) == frozenset()
    assert (await list_suppressions(session, principal=principal(other))).items == []
    [view] = (await list_suppressions(session, principal=principal(acme))).items
    with pytest.raises(NotFound):
        await lift(session, principal=principal(other), suppression_id=view.id, reason="why", now=NOON)
