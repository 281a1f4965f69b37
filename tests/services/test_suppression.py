"""Numbers never to contact."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus, Channel
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right, Role, has_right
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Organization, RecipientTransition, Suppression
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from app.services.suppression import queries
from app.services.suppression.operations import lift, suppress, suppress_contact
from app.services.suppression.queries import SuppressionFilter, list_suppressions, suppressed_scopes
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
    [lifted] = (
        await list_suppressions(session, principal=manager, wanted=SuppressionFilter(lifted=True))
    ).items
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


async def test_whoever_waits_for_a_closed_channel_is_skipped_at_once_with_the_reason(
    session: AsyncSession, acme: Organization
) -> None:
    contact = await make_contact(session, acme, number=NUMBER)
    waiting = [
        await make_recipient(session, await make_campaign(session, acme, status=status), contact)
        for status in (CampaignStatus.DRAFT, CampaignStatus.RUNNING, CampaignStatus.PAUSED)
    ]
    texting = await make_campaign(session, acme, channel=Channel.SMS)
    others = [
        await make_recipient(session, texting, contact),
        await make_recipient(
            session, await make_campaign(session, acme, status=CampaignStatus.CANCELLED), contact
        ),
        await make_recipient(session, await make_campaign(session, acme)),
    ]
    called = await make_campaign(session, acme)
    done = await make_recipient(session, called, contact, status=RecipientStatus.COMPLETED)
    await close(session, acme.id, VOICE)
    for recipient in [*waiting, *others, done]:
        await session.refresh(recipient)
    assert {(each.status, each.blocked_by, each.blocked_why) for each in waiting} == {
        (RecipientStatus.SKIPPED, "suppression", "This number must not be contacted: pressed 9.")
    }
    assert {each.status for each in others} == {RecipientStatus.PENDING}
    assert done.status is RecipientStatus.COMPLETED
    history = await session.scalars(select(col(RecipientTransition.recipient_id)))
    assert set(history) == {each.id for each in waiting}
    told = {note.campaign_id for note in session.info["notes"]}
    assert told == {None, *(each.campaign_id for each in waiting)}


async def test_lifting_dials_nobody_whom_the_suppression_skipped(
    session: AsyncSession, acme: Organization
) -> None:
    contact = await make_contact(session, acme, number=NUMBER)
    recipient = await make_recipient(session, await make_campaign(session, acme), contact)
    await close(session, acme.id)
    [view] = (await list_suppressions(session, principal=principal(acme))).items
    await lift(session, principal=principal(acme), suppression_id=view.id, reason="why", now=NOON)
    await session.refresh(recipient)
    assert recipient.status is RecipientStatus.SKIPPED


async def test_the_list_names_whom_the_address_book_knows_and_counts_no_further_than_it_must(
    session: AsyncSession, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST_COUNTED", 2)
    await make_contact(session, acme, number=NUMBER, name="Ada Abbott")
    for number in (NUMBER, "+442071838750", "+442071838751"):
        await close(session, acme.id, number=number)
    everyone = await list_suppressions(session, principal=principal(acme))
    assert (everyone.total, everyone.total_is_more) == (2, True)
    wanted = SuppressionFilter(search="ada")
    [found] = (await list_suppressions(session, principal=principal(acme), wanted=wanted)).items
    assert (found.number, found.name) == (NUMBER, "Ada Abbott")


async def test_pages_go_on_where_the_last_one_ended(session: AsyncSession, acme: Organization) -> None:
    numbers = [f"+120255501{n:02}" for n in range(5)]
    for number in numbers:
        await close(session, acme.id, number=number)
    seen: list[str] = []
    after = None
    while True:
        page = await list_suppressions(session, principal=principal(acme), after=after, limit=2)
        seen += [view.number for view in page.items]
        after = page.next_after
        if after is None:
            break
    assert seen == numbers[::-1]


async def test_the_list_is_searched_by_the_start_of_a_number(
    session: AsyncSession, acme: Organization
) -> None:
    for number in (NUMBER, "+442071838750"):
        await close(session, acme.id, number=number)
    for search, expected in (("202555", [NUMBER]), ("+44", ["+442071838750"]), ("nobody", [])):
        page = await list_suppressions(
            session, principal=principal(acme), wanted=SuppressionFilter(search=search)
        )
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
