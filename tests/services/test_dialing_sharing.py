"""Whose turn it is: campaigns that compete for an organization's slots."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import EventKind
from app.domain.pacing import MINUTE, MOST_AT_ONCE, guarded
from app.models import Agent, Campaign, Contact, Organization, PhoneNumber
from app.runtime.database import Database
from app.services.dialing.completion import next_due_at
from app.services.dialing.reserve.fair_share import Plan, plan
from tests.support.builders import make_campaign, make_carrier_account, make_recipient
from tests.support.stage import DialingStage, set_stage
from tests.support.waiting import until


async def beside(stage: DialingStage, *, contacts: int = 20, **values: Any) -> DialingStage:
    """Another running campaign of the same organization, agent and number."""
    first = await stage.campaign()
    defaults: dict[str, Any] = {
        "status": CampaignStatus.RUNNING,
        "carrier_account_id": stage.account.id,
        "concurrent_limit": 1000,
        "rate_limit_per_minute": 0,
        "created_at": stage.clock.now(),
        "updated_at": stage.clock.now(),
    }
    async with stage.database.transaction() as session:
        made = await make_campaign(
            session,
            await session.get_one(Organization, stage.organization.id),
            agent=await session.get_one(Agent, first.agent_id),
            number=await session.get_one(PhoneNumber, first.phone_number_id),
            **defaults | values,
        )
        for _ in range(contacts):
            await make_recipient(session, made, not_before=stage.clock.now())
    return DialingStage(
        stage.database, stage.clock, stage.carrier, stage.organization, stage.account, made.id
    )


async def planned(stage: DialingStage) -> Plan:
    async with stage.database.session() as session:
        return await plan(session, carrier_account_id=stage.account.id, now=stage.clock.now())


async def rooms(*stages: DialingStage) -> list[int]:
    """How many each campaign may start now."""
    most = {turn.campaign_id: turn.most for turn in (await planned(stages[0])).turns}
    return [most.get(stage.campaign_id, 0) for stage in stages]


async def slots(database: Database, limit: int, **campaign: Any) -> DialingStage:
    return await set_stage(
        database, contacts=20, organization={"outbound_limit": limit}, rate_limit_per_minute=0, **campaign
    )


async def test_campaigns_share_the_slots_by_weight(database: Database) -> None:
    first = await slots(database, 12, weight=3)
    assert await rooms(first, await beside(first)) == [9, 3]


async def test_what_a_small_campaign_does_not_want_is_the_others(database: Database) -> None:
    first = await slots(database, 10)
    assert await rooms(first, await beside(first, contacts=2)) == [8, 2]


async def test_live_calls_count_and_whoever_came_late_gets_what_comes_free(database: Database) -> None:
    first = await slots(database, 4)
    await first.dial(4)
    second = await beside(first)
    assert await rooms(first, second) == [0, 0]
    attempt = (await first.attempts())[0]
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE attempt SET status = 'completed', ended_as = 'completed' WHERE id = :id"),
            {"id": attempt.id},
        )
    assert await rooms(first, second) == [0, 1]


async def test_a_single_slot_goes_round(database: Database) -> None:
    first = await slots(database, 1)
    second = await beside(first)
    turns = []
    for _ in range(6):
        (turn,) = (await planned(first)).turns
        turns.append(turn.campaign_id)
        stage = first if turn.campaign_id == first.campaign_id else second
        (made,) = await stage.dial(turn.most)
        async with database.transaction() as session:
            await session.execute(
                text("UPDATE attempt SET status = 'completed', ended_as = 'completed' WHERE id = :id"),
                {"id": made.attempt_id},
            )
        first.clock.advance(seconds=1)
    assert turns == [first.campaign_id, second.campaign_id] * 3


async def test_a_campaign_that_waits_for_its_minute_keeps_no_slot_from_others(database: Database) -> None:
    first = await slots(database, 4)
    await first.change(rate_limit_per_minute=1)
    began = first.clock.now()
    (made,) = await first.dial(1)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE attempt SET status = 'completed', ended_as = 'completed' WHERE id = :id"),
            {"id": made.attempt_id},
        )
    first.clock.advance(seconds=5)
    assert await rooms(first, await beside(first)) == [0, 4]
    assert (await planned(first)).next_at == began + guarded(MINUTE)


async def test_a_held_campaign_is_asked_again_and_keeps_one_slot_at_most(database: Database) -> None:
    first = await slots(database, 10)
    await first.change(gate_rule="pilot")
    assert await rooms(first, await beside(first)) == [1, 9]


async def test_an_agents_limit_bounds_what_its_campaign_wants(database: Database) -> None:
    first = await slots(database, 10, agent={"max_concurrent_calls": 2})
    other = await beside(first)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE campaign SET agent_id = NULL WHERE id = :id"), {"id": other.campaign_id}
        )
    assert await rooms(first, other) == [2, 8]


async def test_campaigns_of_one_agent_share_its_calls_and_keep_no_slot_from_others(
    database: Database,
) -> None:
    first = await slots(database, 10, agent={"max_concurrent_calls": 4})
    second, without = await beside(first), await beside(first)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE campaign SET agent_id = NULL WHERE id = :id"), {"id": without.campaign_id}
        )
    assert await rooms(first, second, without) == [2, 2, 6]


async def test_whoever_waits_for_a_number_in_use_keeps_the_place_in_line(database: Database) -> None:
    first = await slots(database, 100)
    person, following, *_ = await first.recipients()
    other = await beside(first, contacts=0)
    async with database.transaction() as session:
        contact = await session.get_one(Contact, person.contact_id)
        campaign = await session.get_one(Campaign, other.campaign_id)
        await make_recipient(session, campaign, contact, not_before=first.clock.now())
    (talking,) = await other.dial()
    await first.dial(1)
    await other.hear(talking.attempt_id, EventKind.COMPLETED)
    first.clock.advance(seconds=31)
    await first.dial(1)
    assert [each.recipient_id for each in await first.attempts()] == [following.id, person.id]


async def test_texts_take_no_slot(database: Database) -> None:
    first = await slots(database, 5)
    texts = await beside(first, channel=Channel.SMS)
    assert await rooms(first, texts) == [5, MOST_AT_ONCE]


async def test_whoever_may_not_dial_is_not_in_the_plan(database: Database) -> None:
    first = await slots(database, 5)
    await first.change(status=CampaignStatus.PAUSED)
    held = await beside(first, gate_until=first.clock.now() + timedelta(hours=1), gate_rule="caller_id")
    later = await beside(first, contacts=0)
    assert await rooms(first, held, later) == [0, 0, 0]


async def test_a_paused_campaigns_live_calls_still_take_their_slots(database: Database) -> None:
    first = await slots(database, 5)
    await first.dial(3)
    async with database.transaction() as session:
        (await session.get_one(Campaign, first.campaign_id)).status = CampaignStatus.PAUSED
    assert await rooms(first, await beside(first)) == [0, 2]


async def test_lines_kept_by_another_account_take_none_of_this_ones(database: Database) -> None:
    stage = await set_stage(database, contacts=2, concurrent_limit=1)
    await stage.dial()
    async with database.transaction() as session:
        before = await make_carrier_account(session)
        await session.execute(
            text("UPDATE attempt SET status = 'review', carrier_account_id = :id"), {"id": before.id}
        )
    assert len(await stage.dial()) == 1


async def test_a_campaign_with_people_due_does_not_hide_when_another_has_some(database: Database) -> None:
    stage = await set_stage(database, contacts=2)
    other = await beside(stage, contacts=1)
    later = stage.clock.now() + timedelta(seconds=20)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE recipient SET not_before = :later WHERE campaign_id = :id"),
            {"later": later, "id": other.campaign_id},
        )
    stage.clock.advance(seconds=1)
    async with database.session() as session:
        assert await next_due_at(session, now=stage.clock.now()) == later


async def test_a_start_is_dated_when_it_could_begin_not_when_it_began_to_wait(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    async with database.transaction() as session:
        await session.execute(text("SELECT id FROM carrier_account FOR NO KEY UPDATE"))
        waiting = asyncio.create_task(stage.reserve())
        await until(lambda: _somebody_waits(database))
        stage.clock.advance(seconds=2)
    await waiting
    (attempt,) = await stage.attempts()
    assert attempt.reserved_at == stage.clock.now()


async def _somebody_waits(database: Database) -> bool:
    waits = text("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
    async with database.session() as session:
        found: bool = (await session.execute(waits)).scalar_one()
    return found
