"""From which of our numbers, how often to one phone number, and with whose consent: as the rows have it."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import Channel
from app.domain.consent import Consent
from app.domain.events import EventKind
from app.domain.number_health import NumberRest
from app.domain.pool import NumberStrategy
from app.domain.recipient import RecipientStatus
from app.models import CampaignNumber, Contact, Organization, PhoneNumber
from app.runtime.database import Database
from app.services.access.organizations import update_organization
from app.services.dialing.place.carrier_request import STOPPED, given_up
from app.services.dialing.reserve.fair_share import plan
from app.services.numbers.operations import update_number
from app.services.numbers.resting import resume_number
from tests.support.builders import make_campaign, make_recipient, principal
from tests.support.stage import DialingStage, set_stage

_S = RecipientStatus
_HOUR = timedelta(hours=1)


async def ours(stage: DialingStage) -> list[PhoneNumber]:
    """Our numbers in the pool's order."""
    async with stage.database.session() as session:
        rows = await session.execute(
            select(PhoneNumber)
            .outerjoin(CampaignNumber, col(CampaignNumber.phone_number_id) == col(PhoneNumber.id))
            .order_by(col(CampaignNumber.position), col(PhoneNumber.id))
        )
        return list(rows.scalars())


async def change_number(stage: DialingStage, place: int, **values: Any) -> None:
    number = (await ours(stage))[place]
    async with stage.database.transaction() as session:
        row = await session.get_one(PhoneNumber, number.id)
        for name, value in values.items():
            setattr(row, name, value)


async def change_contacts(stage: DialingStage, **values: Any) -> None:
    """Change everyone's contact, and let the clock go on: a changed person is rendered anew."""
    async with stage.database.transaction() as session:
        for contact in (await session.execute(select(Contact))).scalars():
            for name, value in values.items():
                setattr(contact, name, value)


async def shown(stage: DialingStage) -> list[int]:
    """Which of our numbers each attempt showed, as its place in the pool."""
    places = {number.number: place for place, number in enumerate(await ours(stage))}
    return [places[attempt.number_from] for attempt in await stage.attempts()]


async def test_a_pool_takes_turns_from_one_pass_to_the_next(database: Database) -> None:
    stage = await set_stage(database, contacts=7, numbers=3)
    await stage.dial(4)
    stage.clock.advance(seconds=1)
    await stage.dial(3)
    assert await shown(stage) == [0, 1, 2, 0, 1, 2, 0]


async def test_the_least_used_number_is_that_of_all_campaigns(database: Database) -> None:
    stage = await set_stage(database, contacts=2, numbers=2)
    await stage.dial(1)
    await stage.change(number_strategy=NumberStrategy.LEAST_USED, pool_cursor=0)
    stage.clock.advance(seconds=1)
    await stage.dial(1)
    assert await shown(stage) == [0, 1]


async def retried(stage: DialingStage) -> list[int]:
    """Which numbers a busy person's two calls showed."""
    (first,) = await stage.dial()
    await stage.hear(first.attempt_id, EventKind.BUSY)
    stage.clock.advance(hours=1)
    await stage.dial()
    return await shown(stage)


async def test_a_sticky_pool_shows_a_contact_the_same_number_again(database: Database) -> None:
    stage = await set_stage(database, contacts=1, numbers=3, number_strategy=NumberStrategy.STICKY)
    await stage.change(pool_cursor=1)
    assert await retried(stage) == [1, 1]


async def test_a_retry_comes_from_another_number_if_asked(database: Database) -> None:
    stage = await set_stage(
        database, contacts=1, numbers=2, number_strategy=NumberStrategy.STICKY, retry_other_number=True
    )
    assert await retried(stage) == [0, 1]


async def test_the_other_number_is_other_than_the_one_that_called_not_than_one_that_was_never_sent(
    database: Database,
) -> None:
    stage = await set_stage(
        database, contacts=1, numbers=2, number_strategy=NumberStrategy.STICKY, retry_other_number=True
    )
    assert await retried(stage) == [0, 1]
    for attempt in await stage.attempts():
        if attempt.ended_as is None:
            await stage.hear(attempt.id, EventKind.NO_ANSWER)
    stage.clock.advance(hours=2)
    (reservation,) = await stage.reserve()
    await stage.record(given_up(reservation, STOPPED))
    stage.clock.advance(minutes=1)
    await stage.dial()
    assert await shown(stage) == [0, 1, 0, 0]


async def test_local_presence_shows_the_contacts_area(database: Database) -> None:
    stage = await set_stage(database, contacts=1, numbers=3, number_strategy=NumberStrategy.LOCAL_PRESENCE)
    await change_number(stage, 2, number="+12025550199")
    await stage.dial()
    assert await shown(stage) == [2], "the person's number is +1 202"


async def test_a_daily_cap_waits_for_the_oldest_call_to_be_a_day_old(database: Database) -> None:
    stage = await set_stage(database, contacts=5)
    await change_number(stage, 0, daily_cap=2)
    start = stage.clock.now()
    assert len(await stage.dial()) == 2
    stage.clock.advance(hours=1)
    assert len(await stage.dial()) == 0
    campaign = await stage.campaign()
    assert (campaign.gate_rule, campaign.gate_until) == ("caller_id", start + timedelta(hours=24))
    assert "reached its cap" in (campaign.gate_why or "")
    stage.clock.advance(hours=23)
    assert len(await stage.dial()) == 2


async def test_the_other_numbers_go_on_while_one_is_full(database: Database) -> None:
    stage = await set_stage(database, contacts=6, numbers=2)
    await change_number(stage, 0, daily_cap=1)
    await stage.dial()
    assert Counter(await shown(stage)) == {0: 1, 1: 5}


async def test_a_burst_is_followed_by_its_cool_down(database: Database) -> None:
    stage = await set_stage(database, contacts=5)
    await change_number(stage, 0, burst_cap=2, burst_minutes=10, cool_down_minutes=45)
    assert len(await stage.dial()) == 2
    stage.clock.advance(minutes=44)
    assert len(await stage.dial()) == 0
    stage.clock.advance(minutes=1)
    assert len(await stage.dial()) == 2


async def test_what_was_not_placed_uses_up_no_number(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await change_number(stage, 0, daily_cap=1)
    await stage.dial()
    async with database.transaction() as session:
        await session.execute(text("UPDATE attempt SET status = 'not_placed', provider_id = NULL"))
        await session.execute(text("UPDATE recipient SET status = 'pending', attempts_made = 0"))
    stage.clock.advance(seconds=1)
    assert len(await stage.dial()) == 1


@pytest.mark.parametrize("until", [None, _HOUR])
async def test_a_resting_number_is_passed_by_until_its_rest_is_over(
    database: Database, until: timedelta | None
) -> None:
    stage = await set_stage(database, contacts=3, numbers=2)
    end = stage.clock.now() + until if until is not None else None
    await change_number(stage, 0, rest=NumberRest.FLAGGED, resting_until=end)
    await stage.dial(2)
    assert await shown(stage) == [1, 1]
    stage.clock.advance(hours=2)
    await stage.dial()
    assert (await shown(stage))[2] == (1 if until is None else 0)


async def test_a_campaign_whose_numbers_all_rest_waits_and_says_so(database: Database) -> None:
    stage = await set_stage(database, contacts=1, numbers=2)
    for place in (0, 1):
        await change_number(stage, place, rest=NumberRest.MANUAL)
    assert len(await stage.dial()) == 0
    campaign = await stage.campaign()
    assert (campaign.gate_rule, campaign.gate_until) == ("caller_id", None)
    assert campaign.gate_why == "All 2 numbers of the pool rest or have reached their caps."
    assert await stage.statuses() == {_S.PENDING: 1}


@pytest.mark.parametrize(
    ("rest", "sent"),
    [(None, 3), (NumberRest.LOW_ANSWER_RATE, 3), (NumberRest.FLAGGED, 0), (NumberRest.MANUAL, 0)],
)
async def test_texts_have_no_caps_and_wait_for_a_flagged_number(
    database: Database, rest: NumberRest | None, sent: int
) -> None:
    stage = await set_stage(database, contacts=3, channel=Channel.SMS, messages_per_second=100)
    await change_number(stage, 0, daily_cap=1, rest=rest)
    assert len(await stage.dial()) == sent


async def test_a_number_is_contacted_three_times_a_day_whatever_the_campaigns(database: Database) -> None:
    stage = await set_stage(database, contacts=1, retry_delays=[0], max_attempts=9)
    for _ in range(3):
        (made,) = await stage.dial()
        await stage.hear(made.attempt_id, EventKind.BUSY)
        stage.clock.advance(hours=1)
    other = await _another_campaign(stage)
    assert await other.dial() == ()
    (person,) = await other.recipients()
    assert (person.status, person.blocked_by) == (_S.PENDING, "frequency")
    assert person.not_before == (await stage.attempts())[0].reserved_at + timedelta(hours=24)
    assert "3 times within 24 hours" in (person.blocked_why or "")
    stage.clock.advance(hours=22)
    assert len(await other.dial()) == 1


async def test_a_raised_cap_lets_those_who_wait_by_the_old_one_be_called(database: Database) -> None:
    stage = await set_stage(database, contacts=1, retry_delays=[0], organization={"frequency_cap": 1})
    (made,) = await stage.dial()
    await stage.hear(made.attempt_id, EventKind.BUSY)
    stage.clock.advance(minutes=1)
    assert await stage.dial() == ()
    async with database.transaction() as session:
        await update_organization(
            session,
            principal=principal(stage.organization),
            changes={"frequency_cap": 2},
            now=stage.clock.now(),
        )
    assert len(await stage.dial()) == 1


async def test_an_attempt_the_carrier_never_took_counts_against_no_frequency_cap(database: Database) -> None:
    stage = await set_stage(database, contacts=1, organization={"frequency_cap": 1})
    await stage.dial()
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE attempt SET status = 'failed', ended_as = 'failed', provider_id = NULL")
        )
        await session.execute(text("UPDATE recipient SET status = 'pending', attempts_made = 1"))
    stage.clock.advance(seconds=1)
    assert len(await stage.dial()) == 1


async def test_no_cap_is_no_cap(database: Database) -> None:
    stage = await set_stage(
        database, contacts=1, retry_delays=[0], max_attempts=9, organization={"frequency_cap": 0}
    )
    for _ in range(5):
        (made,) = await stage.dial()
        await stage.hear(made.attempt_id, EventKind.BUSY)
        stage.clock.advance(minutes=1)


@pytest.mark.parametrize("consent", [Consent.DENIED, Consent.WITHDRAWN])
async def test_whoever_said_no_is_skipped_with_the_reason(database: Database, consent: Consent) -> None:
    stage = await set_stage(database, contacts=1)
    await change_contacts(stage, consent=consent)
    assert await stage.dial() == ()
    (person,) = await stage.recipients()
    assert (person.status, person.blocked_by) == (_S.SKIPPED, "consent")
    assert "consent" in (person.blocked_why or "")


async def test_an_attempt_knows_when_its_hours_end(database: Database) -> None:
    stage = await set_stage(database, contacts=1, time_zone="UTC")
    now = stage.clock.now()
    ends = now + 2 * _HOUR
    await stage.change(allowed_start=(now - _HOUR).time(), allowed_end=ends.time())
    (reservation,) = await stage.dial()
    (attempt,) = await stage.attempts()
    assert attempt.closes_at == reservation.closes_at == ends


async def _another_campaign(stage: DialingStage) -> DialingStage:
    """A second campaign of the same organization, to the same people."""
    first = await stage.campaign()
    async with stage.database.transaction() as session:
        organization = await session.get_one(Organization, stage.organization.id)
        (number,) = (await session.execute(select(PhoneNumber))).scalars()
        made = await make_campaign(
            session,
            organization,
            status=first.status,
            number=number,
            carrier_account_id=stage.account.id,
            concurrent_limit=100,
            rate_limit_per_minute=100,
        )
        for contact in list((await session.execute(select(Contact))).scalars()):
            await make_recipient(session, made, contact, not_before=stage.clock.now())
    return DialingStage(
        stage.database, stage.clock, stage.carrier, stage.organization, stage.account, made.id
    )


async def frees(session: AsyncSession, by: str, stage: DialingStage, number: PhoneNumber) -> None:
    """Let a person free the number before its time."""
    who, now = principal(stage.organization), stage.clock.now()
    if by == "cap":
        await update_number(
            session, principal=who, number_ref=number.id, changes={"daily_cap": 0}, said=None, now=now
        )
    else:
        await resume_number(session, principal=who, number_ref=number.id, now=now)


@pytest.mark.parametrize("by", ["cap", "rest"])
async def test_a_number_freed_by_a_person_is_used_at_once(database: Database, by: str) -> None:
    stage = await set_stage(database, contacts=5)
    (number,) = await ours(stage)
    await change_number(stage, 0, daily_cap=2)
    await stage.dial()
    if by == "rest":
        end = stage.clock.now() + 12 * _HOUR
        await change_number(stage, 0, daily_cap=0, rest=NumberRest.FLAGGED, resting_until=end)
    await stage.dial()
    assert (await stage.campaign()).gate_until is not None
    async with database.transaction() as session:
        await frees(session, by, stage, number)
    async with database.session() as session:
        planned = await plan(session, carrier_account_id=stage.account.id, now=stage.clock.now())
    assert [turn.campaign_id for turn in planned.turns] == [stage.campaign_id]
    assert len(await stage.dial()) == 3
    assert (await stage.campaign()).gate_rule is None
