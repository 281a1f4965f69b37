"""Numbers that rest, and how they come back to work."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import Disposition
from app.domain.campaign import CampaignStatus
from app.domain.events import FailureClass
from app.domain.number_health import NumberRest
from app.domain.rights import Right, Role, has_right
from app.models import Campaign, Organization, PhoneNumber
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from app.services.numbers.resting import (
    end_rests,
    rest_flagged,
    rest_number,
    rest_seldom_answered,
    resume_number,
)
from tests.support.builders import (
    NOON,
    make_attempt,
    make_campaign,
    make_number,
    make_organization,
    make_recipient,
    principal,
)

HOUR = timedelta(hours=1)


async def flag(session: AsyncSession, number: PhoneNumber, **when: float) -> bool:
    """Let a network flag the number so long after noon."""
    now = NOON + timedelta(**when)
    rested = await rest_flagged(
        session, phone_number_id=number.id, attempt_id=uuid4(), evidence="SIP 608.", now=now
    )
    await session.refresh(number)
    return rested


async def make_calls(
    session: AsyncSession, campaign: Campaign, number: PhoneNumber, *, answered: int, missed: int
) -> None:
    for place in range(answered + missed):
        await make_attempt(
            session,
            await make_recipient(session, campaign),
            number=number,
            disposition=Disposition.ANSWERED if place < answered else Disposition.NO_ANSWER,
        )


async def test_a_person_sets_a_number_aside_and_puts_it_back(
    session: AsyncSession, acme: Organization
) -> None:
    number = await make_number(session, acme)
    await rest_number(session, principal=principal(acme), number_ref=number.id, why="Being moved.", now=NOON)
    assert (number.rest, number.rest_why, number.rested_at, number.resting_until) == (
        NumberRest.MANUAL,
        "Being moved.",
        NOON,
        None,
    )
    await resume_number(session, principal=principal(acme), number_ref=number.public_id, now=NOON + HOUR)
    assert (number.rest, number.rest_why, number.resting_until) == (None, "", None)


async def test_a_rest_by_hand_says_who_asked_for_it(session: AsyncSession, acme: Organization) -> None:
    number = await make_number(session, acme)
    await rest_number(session, principal=principal(acme), number_ref=number.id, until=NOON + HOUR, now=NOON)
    assert number.rest_why == "owner@example.com set it aside."
    assert number.resting_until == NOON + HOUR


async def test_a_rest_cannot_end_in_the_past(session: AsyncSession, acme: Organization) -> None:
    number = await make_number(session, acme)
    with pytest.raises(FieldErrors) as refused:
        await rest_number(session, principal=principal(acme), number_ref=number.id, until=NOON, now=NOON)
    assert set(refused.value.errors) == {"until"}


async def test_what_does_not_rest_cannot_be_put_back(session: AsyncSession, acme: Organization) -> None:
    number = await make_number(session, acme)
    with pytest.raises(Conflict):
        await resume_number(session, principal=principal(acme), number_ref=number.id, now=NOON)


@pytest.mark.parametrize("role", [role for role in Role if not has_right(role, Right.EDIT_NUMBERS)])
async def test_only_who_may_edit_numbers_rests_them(
    session: AsyncSession, acme: Organization, role: Role
) -> None:
    number = await make_number(session, acme)
    for operation in (rest_number, resume_number):
        with pytest.raises(NotAllowed):
            await operation(session, principal=principal(acme, role), number_ref=number.id, now=NOON)


async def test_another_organizations_number_is_not_there(session: AsyncSession, acme: Organization) -> None:
    theirs = await make_number(session, await make_organization(session))
    for operation in (rest_number, resume_number):
        with pytest.raises(NotFound):
            await operation(session, principal=principal(acme), number_ref=theirs.id, now=NOON)


async def test_a_flagged_number_rests_a_day_with_the_evidence(
    session: AsyncSession, acme: Organization
) -> None:
    number = await make_number(session, acme)
    assert await flag(session, number)
    assert (number.rest, number.rest_why) == (NumberRest.FLAGGED, "SIP 608.")
    assert number.resting_until == NOON + timedelta(hours=24)


async def test_the_next_flags_of_calls_already_made_change_nothing(
    session: AsyncSession, acme: Organization
) -> None:
    number = await make_number(session, acme)
    await flag(session, number)
    assert not await flag(session, number, minutes=2)
    assert number.rested_at == NOON


async def test_a_number_flagged_again_within_a_week_rests_until_a_person_puts_it_back(
    session: AsyncSession, acme: Organization
) -> None:
    number = await make_number(session, acme)
    recipient = await make_recipient(session, await make_campaign(session, acme))
    await make_attempt(
        session, recipient, number=number, failure=FailureClass.SENDER_HEALTH, ended_at=NOON - 48 * HOUR
    )
    await session.flush()
    assert await flag(session, number, hours=-24)
    assert number.resting_until is None
    assert "before" in number.rest_why


async def test_a_rest_that_is_over_ends_by_itself(session: AsyncSession, acme: Organization) -> None:
    flagged = await make_number(session, acme)
    await flag(session, flagged)
    for_good = await make_number(session, acme, rest=NumberRest.MANUAL)
    assert await end_rests(session, now=NOON + timedelta(hours=23)) == 0
    assert await end_rests(session, now=NOON + timedelta(hours=24)) == 1
    await session.refresh(flagged)
    assert flagged.rest is None
    assert for_good.rest is NumberRest.MANUAL


async def test_a_number_answered_far_below_its_pool_rests_and_says_so(
    session: AsyncSession, acme: Organization
) -> None:
    good, poor = await make_number(session, acme), await make_number(session, acme)
    campaign = await make_campaign(session, acme, status=CampaignStatus.RUNNING, pool=(good, poor))
    await make_calls(session, campaign, good, answered=25, missed=15)
    await make_calls(session, campaign, poor, answered=2, missed=38)
    assert await rest_seldom_answered(session, now=NOON + HOUR) == 1
    await session.refresh(poor)
    assert poor.rest is NumberRest.LOW_ANSWER_RATE
    assert poor.rest_why == "2 of its last 40 calls were answered (5.0 %), and 62.5 % of the pool's others."
    assert poor.resting_until == NOON + 5 * HOUR


async def test_a_rest_wipes_the_slate(session: AsyncSession, acme: Organization) -> None:
    good, poor = await make_number(session, acme), await make_number(session, acme)
    campaign = await make_campaign(session, acme, status=CampaignStatus.RUNNING, pool=(good, poor))
    await make_calls(session, campaign, good, answered=25, missed=15)
    await make_calls(session, campaign, poor, answered=2, missed=38)
    await rest_seldom_answered(session, now=NOON + HOUR)
    await session.refresh(poor)
    await resume_number(session, principal=principal(acme), number_ref=poor.id, now=NOON + HOUR)
    assert await rest_seldom_answered(session, now=NOON + HOUR) == 0


async def test_the_last_number_that_works_is_never_rested(session: AsyncSession, acme: Organization) -> None:
    good = await make_number(session, acme, active=False)
    poor = await make_number(session, acme)
    campaign = await make_campaign(session, acme, status=CampaignStatus.RUNNING, pool=(good, poor))
    await make_calls(session, campaign, good, answered=25, missed=15)
    await make_calls(session, campaign, poor, answered=2, missed=38)
    assert await rest_seldom_answered(session, now=NOON + HOUR) == 0


async def test_yesterdays_calls_prove_nothing(session: AsyncSession, acme: Organization) -> None:
    good, poor = await make_number(session, acme), await make_number(session, acme)
    campaign = await make_campaign(session, acme, status=CampaignStatus.RUNNING, pool=(good, poor))
    await make_calls(session, campaign, good, answered=25, missed=15)
    await make_calls(session, campaign, poor, answered=2, missed=38)
    assert await rest_seldom_answered(session, now=NOON + timedelta(hours=25)) == 0
