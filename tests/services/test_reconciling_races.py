"""Reconcilers that are suspended, or overtaken, between asking the carrier and writing down what it said."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import text

from app.domain.attempt import AttemptStatus
from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import AttemptEvent, EventKind, FailureClass
from app.domain.recipient import RecipientStatus
from app.providers.base import LookupFailed, RemoteAttempt, Unclear
from app.runtime.database import Database
from app.services.campaigns.lifecycle import cancel_campaign
from app.services.dialing.reconcile.overdue_attempts import reconcile_overdue, set_aside_other_accounts
from app.services.dialing.settle.locked_attempts import load_attempts
from app.services.dialing.settle.outcomes import apply_events
from tests.support.builders import make_carrier_account, principal
from tests.support.carrier import ScriptedCarrier
from tests.support.stage import DialingStage, set_stage
from tests.support.waiting import until


class SuspendedCarrier(ScriptedCarrier):
    """A carrier whose answers reach us late: our process was suspended meanwhile."""

    late: timedelta = timedelta()
    stage: DialingStage

    async def find(self, channel: Channel, *, to: str, from_: str, since: datetime) -> list[RemoteAttempt]:
        found = await super().find(channel, to=to, from_=from_, since=since)
        self.stage.clock.advance(seconds=self.late.total_seconds())
        return found


class DeafCarrier(ScriptedCarrier):
    """A carrier that cannot be asked; news arrives meanwhile."""

    stage: DialingStage

    async def fetch(self, channel: Channel, provider_id: str) -> RemoteAttempt | None:
        await self.stage.hear(self.owners[provider_id], EventKind.COMPLETED)
        raise LookupFailed("away")


async def test_a_look_that_was_answered_late_proves_nothing_of_the_time_since(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    carrier = stage.carrier = SuspendedCarrier(
        now=stage.clock.now, answers=lambda _: Unclear(reason="timeout")
    )
    carrier.stage = stage
    await stage.dial()
    stage.clock.advance(seconds=6)
    await _reconcile(stage)
    stage.clock.advance(seconds=59)
    await _pull_forward(stage)
    carrier.late = timedelta(seconds=30)
    await _reconcile(stage)
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.UNKNOWN


async def test_a_failed_look_up_never_reopens_what_was_settled_meanwhile(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    carrier = stage.carrier = DeafCarrier(now=stage.clock.now)
    carrier.stage = stage
    await stage.dial()
    stage.clock.advance(minutes=6)
    await _reconcile(stage)
    (attempt,) = await stage.attempts()
    assert (attempt.status, attempt.deadline_at) == (AttemptStatus.COMPLETED, None)


async def test_a_faster_carrier_is_asked_and_believed_sooner(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: Unclear(reason="timeout")
    await stage.dial()
    for _ in range(2):
        stage.clock.advance(seconds=6)
        await _reconcile(stage, speed=60)
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.NOT_PLACED


async def test_a_row_about_which_nothing_can_be_asked_keeps_no_other_waiting(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await stage.dial()
    async with database.transaction() as session:
        await session.execute(text("UPDATE attempt SET provider_id = NULL"))
    stage.clock.advance(minutes=6)
    await _reconcile(stage)
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.QUEUED
    assert attempt.deadline_at is not None
    assert attempt.deadline_at > stage.clock.now()


async def test_what_is_set_aside_with_its_account_is_shown_at_once(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await stage.dial()
    stage.clock.advance(minutes=20)
    async with database.transaction() as session:
        other = await make_carrier_account(session)
        await set_aside_other_accounts(session, carrier_account_id=other.id, now=stage.clock.now())
        assert {note.campaign_id for note in session.info["notes"]} == {stage.campaign_id}
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.REVIEW


async def test_a_late_report_and_a_cancel_leave_nobody_in_line(database: Database) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS, retry_on=["carrier_error"])
    (made,) = await stage.dial()
    await stage.hear(made.attempt_id, EventKind.SENT)
    undelivered = AttemptEvent(
        kind=EventKind.UNDELIVERED, occurred_at=stage.clock.now(), failure=FailureClass.TRANSIENT
    )
    async with database.transaction() as session:
        attempt = (await load_attempts(session, [made.attempt_id]))[made.attempt_id]
        await apply_events(session, attempt, [undelivered], now=stage.clock.now())
        assert attempt.recipient_status is RecipientStatus.PENDING
        cancelling = asyncio.create_task(_cancel(stage))
        await until_waiting_for_a_lock(database)
    await cancelling
    assert await stage.statuses() == {RecipientStatus.CANCELLED: 1}


async def test_a_late_report_after_a_cancel_takes_nobody_back(database: Database) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS, retry_on=["carrier_error"])
    (made,) = await stage.dial()
    await stage.hear(made.attempt_id, EventKind.SENT)
    await _cancel(stage)
    await stage.hear(made.attempt_id, EventKind.UNDELIVERED, failure=FailureClass.TRANSIENT)
    assert (await stage.statuses()).keys() <= {RecipientStatus.COMPLETED, RecipientStatus.FAILED}


async def test_a_person_who_cancels_is_not_held_up_by_a_refusal_that_pauses(database: Database) -> None:
    stage = await set_stage(database, contacts=2)
    first, _ = await stage.dial()
    refused = AttemptEvent(
        kind=EventKind.FAILED, occurred_at=stage.clock.now(), failure=FailureClass.MISCONFIGURED
    )
    async with database.transaction() as session:
        attempt = (await load_attempts(session, [first.attempt_id]))[first.attempt_id]
        cancelling = asyncio.create_task(_cancel(stage))
        await until_waiting_for_a_lock(database)
        await apply_events(session, attempt, [refused], now=stage.clock.now())
    await cancelling
    assert (await stage.campaign()).status is CampaignStatus.CANCELLED
    assert RecipientStatus.PENDING not in await stage.statuses()


async def _cancel(stage: DialingStage) -> None:
    async with stage.database.transaction() as session:
        await cancel_campaign(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            now=stage.clock.now(),
        )


async def until_waiting_for_a_lock(database: Database) -> None:
    """Return once another transaction waits for a lock of ours."""

    async def waits() -> bool:
        async with database.session() as session:
            count = await session.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            return bool(count.scalar_one())

    await until(waits)


async def _reconcile(stage: DialingStage, *, speed: float = 1) -> None:
    account = stage.account.id
    await reconcile_overdue(
        stage.database, stage.carrier, carrier_account_id=account, clock=stage.clock, speed=speed
    )


async def _pull_forward(stage: DialingStage) -> None:
    """Let the second look begin too soon, as a second reconciler with an older list of what is due does."""
    (attempt,) = await stage.attempts()
    async with stage.database.transaction() as session:
        row = await session.get_one(type(attempt), attempt.id)
        row.deadline_at = stage.clock.now()
