"""The standing dialer with real PostgreSQL, and a carrier in the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.domain.attempt import AttemptStatus
from app.domain.campaign import CampaignStatus
from app.domain.events import EventKind, FailureClass
from app.domain.recipient import RecipientStatus
from app.models import Campaign, CampaignTransition, PhoneNumber
from app.providers.base import CallOrder, NotPlaced, PlaceAnswer, Placed, Refused
from app.runtime.database import Database
from app.services.dialing.reconcile.overdue_attempts import reconcile_overdue
from app.services.dialing.reserve.reservation import Pass, reserve
from tests.support.builders import make_agent, make_campaign, make_recipient
from tests.support.carrier import ScriptedCarrier
from tests.support.stage import DialingStage, set_stage
from tests.support.waiting import until
from worker.dialer import Dialer


@asynccontextmanager
async def dialing(stage: DialingStage, *, dialers: int = 1) -> AsyncIterator[list[Dialer]]:
    """Dialers that work until the block ends."""
    crew = [
        Dialer(
            database=stage.database,
            feed=None,
            carrier=stage.carrier,
            clock=stage.clock,
            worker=f"dialer-{number}",
            carrier_account_id=stage.account.id,
        )
        for number in range(dialers)
    ]
    tasks = [asyncio.create_task(each.run()) for each in crew]
    try:
        yield crew
    finally:
        for each in crew:
            each.stop()
        await asyncio.gather(*tasks)


async def everyone_answers(stage: DialingStage) -> None:
    """End every call that is up."""
    for attempt in await stage.attempts():
        if attempt.provider_id is not None and attempt.ended_as is None:
            await stage.hear(attempt.id, EventKind.ANSWERED, EventKind.COMPLETED)


async def test_a_campaign_runs_from_queued_to_completed_by_itself(database: Database) -> None:
    stage = await set_stage(database, contacts=12, concurrent_limit=4)
    async with dialing(stage) as (dialer,):

        async def done() -> bool:
            await everyone_answers(stage)
            dialer.wake()
            return (await stage.campaign()).status is CampaignStatus.COMPLETED

        await until(done)
    assert await stage.statuses() == {RecipientStatus.COMPLETED: 12}
    assert len(stage.carrier.made) == 12


async def test_four_dialers_on_one_campaign_call_everyone_once_and_keep_its_limit(database: Database) -> None:
    stage = await set_stage(database, contacts=30, concurrent_limit=3)
    async with dialing(stage, dialers=4) as crew:

        async def done() -> bool:
            live = [each for each in await stage.attempts() if each.ended_as is None]
            assert len(live) <= 3
            await everyone_answers(stage)
            for dialer in crew:
                dialer.wake()
            return (await stage.campaign()).status is CampaignStatus.COMPLETED

        await until(done)
    assert len(stage.carrier.made) == 30
    assert len({each.to for each in stage.carrier.made.values()}) == 30


async def test_a_stopped_dialer_leaves_nothing_unproven(database: Database) -> None:
    stage = await set_stage(database, contacts=5)
    async with dialing(stage) as (dialer,):

        async def something_is_placed() -> bool:
            return bool(stage.carrier.made)

        await until(something_is_placed)
        dialer.stop()
    assert {each.status for each in await stage.attempts()} <= {"queued", "not_placed"}


async def test_turned_away_people_are_tried_again_and_none_is_lost(database: Database) -> None:
    stage = await set_stage(database, contacts=6)
    turned_away: set[str] = set()

    def busy_at_first(order: object) -> Placed | NotPlaced | None:
        assert isinstance(order, CallOrder)
        if order.to in turned_away:
            return None
        turned_away.add(order.to)
        return NotPlaced(reason="429", retry_after_seconds=0.01)

    stage.carrier.answers = busy_at_first
    async with dialing(stage) as (dialer,):

        async def all_made() -> bool:
            stage.clock.advance(seconds=1)
            dialer.wake()
            return len(stage.carrier.made) == 6

        await until(all_made)
    assert {each.attempts_made for each in await stage.recipients()} == {1}


@dataclass
class LateCarrier(ScriptedCarrier):
    """Makes its first call only when it is let, long after the request."""

    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    holds: bool = True

    async def place_call(self, order: CallOrder) -> PlaceAnswer:
        if not self.holds:
            return await super().place_call(order)
        self.holds = False
        await self.let_go.wait()
        return Placed(provider_id="CAlate", queue_ms=0)


async def test_a_call_that_turns_up_after_its_attempt_was_given_up_is_ended(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier = carrier = LateCarrier(now=stage.clock.now)
    async with dialing(stage) as (dialer,):
        await until(lambda: _done(not carrier.holds))

        for seconds in (21, 61):
            stage.clock.advance(seconds=seconds)
            await reconcile_overdue(database, carrier, carrier_account_id=stage.account.id, clock=stage.clock)

        async def dialed_again() -> bool:
            dialer.wake()
            return len(carrier.made) == 1

        await until(dialed_again)
        carrier.let_go.set()

        async def hung_up() -> bool:
            await stage.end_calls()
            return carrier.hung_up == ["CAlate"]

        await until(hung_up)
    given_up, newer = await stage.attempts()
    assert (given_up.status, newer.status) == (AttemptStatus.NOT_PLACED, AttemptStatus.QUEUED)


async def _done(value: bool) -> bool:  # noqa: FBT001 - a condition to wait for
    return value


async def test_a_campaign_of_another_carrier_account_is_left_alone(database: Database) -> None:
    stage = await set_stage(database)
    stage.account.id += 1
    async with dialing(stage) as (dialer,):
        dialer.wake()
        await asyncio.sleep(0)
    assert stage.carrier.orders == []


async def beside(stage: DialingStage, people: int = 3) -> int:
    """Return another running campaign of the same account, later in line."""
    async with stage.database.transaction() as session:
        first = await session.get_one(Campaign, stage.campaign_id)
        other = await make_campaign(
            session,
            stage.organization,
            status=CampaignStatus.RUNNING,
            agent=await make_agent(session, stage.organization),
            number=await session.get_one(PhoneNumber, first.phone_number_id),
            carrier_account_id=stage.account.id,
            rate_limit_per_minute=1000,
        )
        for _ in range(people):
            await make_recipient(session, other, not_before=stage.clock.now())
        return other.id


async def until_completed(stage: DialingStage, crew: list[Dialer], campaign_id: int) -> None:
    async def done() -> bool:
        await everyone_answers(stage)
        for dialer in crew:
            dialer.wake()
        stage.clock.advance(seconds=1)
        return (await stage.campaign()).status is CampaignStatus.COMPLETED

    first, stage.campaign_id = stage.campaign_id, campaign_id
    await until(done)
    stage.campaign_id = first


async def test_a_campaign_whose_settings_cannot_be_read_fails_and_holds_up_no_other(
    database: Database,
) -> None:
    stage = await set_stage(database, breaker={"window": "many"})
    other = await beside(stage)
    async with dialing(stage, dialers=2) as crew:
        await until_completed(stage, crew, other)
    campaign = await stage.campaign()
    assert campaign.status is CampaignStatus.FAILED
    assert campaign.status_reason == "The list of signs that pause the campaign cannot be read. Set it anew."
    assert await failures(stage) == 1
    assert await stage.statuses() == {RecipientStatus.PENDING: 3}


async def test_a_campaign_that_goes_wrong_again_and_again_fails_and_holds_up_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await set_stage(database)
    other = await beside(stage)

    async def reserve_another(database: Database, *, campaign_id: int, **given: Any) -> Pass:
        if campaign_id != other:
            raise RuntimeError("nobody foresaw this")
        return await reserve(database, campaign_id=campaign_id, **given)

    monkeypatch.setattr("worker.dialer.reserve", reserve_another)
    async with dialing(stage) as crew:
        await until_completed(stage, crew, other)

        async def failed() -> bool:
            crew[0].wake()
            return (await stage.campaign()).status is CampaignStatus.FAILED

        await until(failed)
    assert "RuntimeError: nobody foresaw this" in (await stage.campaign()).status_reason
    assert await failures(stage) == 1


async def test_two_dialers_of_a_refused_account_fail_a_campaign_once(database: Database) -> None:
    stage = await set_stage(database, contacts=40)
    refused = Refused(failure=FailureClass.MISCONFIGURED, code=20005, message="Account not active")
    stage.carrier.answers = lambda _: refused
    async with dialing(stage, dialers=2) as crew:

        async def failed() -> bool:
            for dialer in crew:
                dialer.wake()
            return (await stage.campaign()).status is CampaignStatus.FAILED

        await until(failed)
    assert await failures(stage) == 1
    assert await stage.statuses() == {RecipientStatus.PENDING: 40}
    assert {each.attempts_made for each in await stage.recipients()} == {0}


async def failures(stage: DialingStage) -> int:
    """How often the campaign became failed."""
    async with stage.database.session() as session:
        transitions = await session.scalars(
            select(col(CampaignTransition.new)).where(
                col(CampaignTransition.campaign_id) == stage.campaign_id
            )
        )
        return list(transitions).count(CampaignStatus.FAILED)
