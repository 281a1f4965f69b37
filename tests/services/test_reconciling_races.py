"""Reconcilers that are suspended, or overtaken, between asking the carrier and writing down what it said."""

from datetime import datetime, timedelta

from app.db import Database
from app.domain.attempt import AttemptStatus
from app.domain.campaign import Channel
from app.domain.events import EventKind
from app.providers.base import LookupFailed, RemoteAttempt, Unclear
from app.services.dialing.reconciling import reconcile_overdue
from tests.support.carrier import ScriptedCarrier
from tests.support.stage import Stage, set_stage


class SuspendedCarrier(ScriptedCarrier):
    """A carrier whose answers reach us late: our process was suspended meanwhile."""

    late: timedelta = timedelta()
    stage: Stage

    async def find(self, channel: Channel, *, to: str, from_: str, since: datetime) -> list[RemoteAttempt]:
        found = await super().find(channel, to=to, from_=from_, since=since)
        self.stage.clock.advance(seconds=self.late.total_seconds())
        return found


class DeafCarrier(ScriptedCarrier):
    """A carrier that cannot be asked; news arrives meanwhile."""

    stage: Stage

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


async def _reconcile(stage: Stage, *, speed: float = 1) -> None:
    account = stage.account.id
    await reconcile_overdue(
        stage.database, stage.carrier, carrier_account_id=account, clock=stage.clock, speed=speed
    )


async def _pull_forward(stage: Stage) -> None:
    """Let the second look begin too soon, as a second reconciler with an older list of what is due does."""
    (attempt,) = await stage.attempts()
    async with stage.database.transaction() as session:
        row = await session.get_one(type(attempt), attempt.id)
        row.deadline_at = stage.clock.now()
