"""Calls that should not go on: taken back when hours end in the carrier's queue, hung up, or made twice."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import EventKind
from app.domain.legal_policy import LegalPolicy
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Attempt, SecondCall
from app.providers.base import MessageOrder, Placed
from app.runtime import fault_points
from app.runtime.database import Database
from app.services.campaigns.lifecycle import cancel_campaign
from app.services.dialing.place.carrier_request import CarrierAnswer
from app.services.dialing.reconcile.overdue_attempts import reconcile_overdue
from app.services.suppression.operations import suppress
from tests.support.builders import principal
from tests.support.stage import DialingStage, set_stage

_S = RecipientStatus
K = EventKind


class Killed(BaseException):
    """What `kill -9` is to a process."""


async def closes(stage: DialingStage, **after: float) -> None:
    """Let the hours of everyone reserved so far end so long after now."""
    async with stage.database.transaction() as session:
        await session.execute(
            text("UPDATE attempt SET closes_at = :at"), {"at": stage.clock.now() + timedelta(**after)}
        )


async def only(stage: DialingStage) -> Attempt:
    (attempt,) = await stage.attempts()
    return attempt


async def cancel(stage: DialingStage, *, hang_up: bool) -> None:
    async with stage.database.transaction() as session:
        await cancel_campaign(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            hang_up=hang_up,
            now=stage.clock.now(),
        )


async def seconds(stage: DialingStage) -> list[SecondCall]:
    async with stage.database.session() as session:
        return list((await session.execute(select(SecondCall))).scalars())


async def placed_in_queue(stage: DialingStage, *, queue_seconds: float, closes_in_seconds: float) -> str:
    """Place one call that the carrier holds for so long; return its id."""
    (reservation,) = await stage.reserve()
    await closes(stage, seconds=closes_in_seconds)
    (answer,) = await stage.place(reservation)
    assert isinstance(answer.answer, Placed)
    provider_id = answer.answer.provider_id
    await stage.record(
        CarrierAnswer(
            reservation.attempt_id, Placed(provider_id=provider_id, queue_ms=round(queue_seconds * 1_000))
        )
    )
    return provider_id


async def test_the_carriers_queue_time_is_kept(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await placed_in_queue(stage, queue_seconds=2.5, closes_in_seconds=60)
    attempt = await only(stage)
    assert (attempt.queued_for_ms, attempt.hang_up_at) == (2_500, None)


async def test_a_call_that_would_leave_the_queue_after_hours_is_taken_back_at_once(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.takes_back = True
    provider_id = await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)
    assert (await only(stage)).hang_up_why == "calling_hours"
    assert await stage.end_calls() == 1
    assert stage.carrier.taken_back == [provider_id]
    assert (await only(stage)).hang_up_at is None


async def test_a_call_still_queued_when_the_hours_end_is_taken_back(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.takes_back = True
    provider_id = await placed_in_queue(stage, queue_seconds=0, closes_in_seconds=60)
    stage.clock.advance(seconds=59)
    assert await stage.end_calls() == 0
    stage.clock.advance(seconds=1)
    assert await stage.end_calls() == 1
    assert stage.carrier.taken_back == [provider_id]


async def test_who_says_stop_while_the_call_waits_at_the_carrier_is_not_rung(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.takes_back = True
    await placed_in_queue(stage, queue_seconds=30, closes_in_seconds=3_600)
    attempt = await only(stage)
    async with database.transaction() as session:
        await suppress(
            session,
            organization_id=stage.organization.id,
            number=attempt.number_to,
            scope=SuppressionScope.ALL,
            reason="asked by text",
            source=SuppressionSource.STOP_MESSAGE,
            actor="test",
            now=stage.clock.now(),
        )
    await stage.end_calls()
    assert stage.carrier.taken_back == [attempt.provider_id]
    await stage.hear(attempt.id, K.CANCELLED)
    assert await stage.reserve() == ()
    (person,) = await stage.recipients()
    assert (person.status, person.blocked_by, person.attempts_made) == (_S.SKIPPED, "suppression", 0)


async def test_what_was_taken_back_before_it_rang_spends_nothing_and_waits_for_the_hours(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.takes_back = True
    await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)
    await stage.end_calls()
    await stage.hear((await only(stage)).id, K.CANCELLED)
    (recipient,) = await stage.recipients()
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 0)
    assert recipient.not_before == stage.clock.now() + timedelta(seconds=60)
    assert recipient.blocked_by == "calling_hours"
    assert "taken back" in (recipient.blocked_why or "")
    assert (await only(stage)).disposition is Disposition.CANCELLED


@pytest.mark.parametrize("order", [(K.RINGING, K.CANCELLED), (K.CANCELLED, K.RINGING)])
async def test_what_rang_before_it_was_taken_back_spends_an_attempt_in_any_order_of_news(
    database: Database, order: tuple[EventKind, ...]
) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.takes_back = True
    await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)
    await stage.end_calls()
    await stage.hear((await only(stage)).id, *order)
    (recipient,) = await stage.recipients()
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 1)
    assert recipient.not_before == stage.clock.now() + timedelta(minutes=30)


async def test_the_last_attempt_that_rang_before_it_was_taken_back_ends_as_not_answered(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1, max_attempts=1)
    stage.carrier.takes_back = True
    await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)
    await stage.hear((await only(stage)).id, K.RINGING, K.CANCELLED)
    assert await stage.statuses() == {_S.NO_ANSWER: 1}


async def test_a_call_answered_meanwhile_goes_on(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)
    await stage.end_calls()
    assert stage.carrier.hung_up == []
    await stage.hear((await only(stage)).id, K.ANSWERED, K.COMPLETED)
    assert await stage.statuses() == {_S.COMPLETED: 1}


async def test_a_carrier_that_cannot_be_asked_is_asked_again(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.is_away = True
    await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)
    assert await stage.end_calls() == 1
    assert await stage.end_calls() == 0
    stage.carrier.is_away, stage.carrier.takes_back = False, True
    stage.clock.advance(seconds=5)
    assert await stage.end_calls() == 1
    assert len(stage.carrier.taken_back) == 1


@pytest.mark.parametrize("point", ["before_hang_up", "after_hang_up"])
async def test_a_kill_around_the_request_forgets_nothing(database: Database, point: str) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.takes_back = True
    provider_id = await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)

    def kill(passed: str) -> None:
        if passed == point:
            raise Killed

    fault_points.install(kill)
    try:
        with pytest.raises(Killed):
            await stage.end_calls()
    finally:
        fault_points.install(None)
    await stage.end_calls()
    assert set(stage.carrier.taken_back) == {provider_id}
    assert (await only(stage)).hang_up_at is None


async def test_the_lost_word_of_a_cancelled_calls_end_is_asked_for_soon(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.takes_back = True
    await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)
    await stage.end_calls()
    assert (await only(stage)).deadline_at == stage.clock.now() + timedelta(seconds=10)


async def test_what_ended_by_itself_is_not_asked_about(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await placed_in_queue(stage, queue_seconds=120, closes_in_seconds=60)
    await stage.hear((await only(stage)).id, K.BUSY)
    assert await stage.end_calls() == 0
    assert (await only(stage)).hang_up_at is None


async def test_nothing_is_placed_once_the_hours_have_ended(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    await closes(stage, seconds=3)
    stage.clock.advance(seconds=3)
    assert await stage.place(reservation) == []


@pytest.mark.parametrize(
    ("closes_in_hours", "validity"), [(1, 3_600), (11, 36_000), (1 / 7_200, 1), (None, None)]
)
async def test_a_text_is_valid_no_longer_than_the_hours(
    database: Database, closes_in_hours: float | None, validity: int | None
) -> None:
    no_legal_hours = {"legal_policy": LegalPolicy.OFF}
    stage = await set_stage(database, contacts=1, channel=Channel.SMS, organization=no_legal_hours)
    (reservation,) = await stage.reserve()
    if closes_in_hours is not None:
        await closes(stage, hours=closes_in_hours)
    await stage.place(reservation)
    (order,) = stage.carrier.orders
    assert isinstance(order, MessageOrder)
    assert order.validity_seconds == validity


async def test_cancelling_a_campaign_hangs_up_nothing_by_itself(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await stage.dial()
    await cancel(stage, hang_up=False)
    assert await stage.end_calls() == 0


async def test_cancelling_with_a_hang_up_ends_every_call(database: Database) -> None:
    stage = await set_stage(database, contacts=3)
    ringing, answered = await stage.dial(2)
    await stage.hear(answered.attempt_id, K.ANSWERED)
    await cancel(stage, hang_up=True)
    assert await stage.end_calls() == 2
    assert set(stage.carrier.hung_up) == set(stage.carrier.made)
    await stage.hear(ringing.attempt_id, K.CANCELLED)
    await stage.hear(answered.attempt_id, K.COMPLETED)
    assert await stage.statuses() == {_S.CANCELLED: 2, _S.COMPLETED: 1}
    assert [each.attempts_made for each in await stage.recipients()] == [0, 1, 0]


async def test_a_call_of_a_cancelled_campaign_that_turns_up_later_is_hung_up_too(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    answers = await stage.place(reservation)
    await cancel(stage, hang_up=True)
    assert await stage.end_calls() == 0
    await stage.record(*answers)
    assert await stage.end_calls() == 1
    assert stage.carrier.hung_up == list(stage.carrier.made)


async def test_a_reservation_of_a_cancelled_campaign_is_never_placed(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    await cancel(stage, hang_up=True)
    assert await stage.place(reservation) == []
    assert (await stage.campaign()).status is CampaignStatus.CANCELLED


async def test_a_second_call_is_written_down_before_it_is_hung_up(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.is_away = True
    (reservation,) = await stage.dial()
    await stage.record(CarrierAnswer(reservation.attempt_id, Placed(provider_id="CAsecond", queue_ms=0)))
    await stage.end_calls()
    (second,) = await seconds(stage)
    assert (second.provider_id, second.ended_at) == ("CAsecond", None)
    stage.carrier.is_away = False
    stage.clock.advance(seconds=5)
    await stage.end_calls()
    (second,) = await seconds(stage)
    assert (second.hang_up_at, second.ended_at) == (None, stage.clock.now())
    assert stage.carrier.hung_up == ["CAsecond"]
    assert (await only(stage)).conflict


async def test_a_second_call_told_of_twice_is_one(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    for _ in range(2):
        await stage.hear(reservation.attempt_id, K.RINGING, provider_id="CAsecond")
        await stage.end_calls()
    assert len(await seconds(stage)) == 1
    assert stage.carrier.hung_up == ["CAsecond"]


async def test_a_second_call_that_only_a_look_up_shows_is_hung_up(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    await stage.place(reservation)
    await stage.place(reservation)
    first, second = stage.carrier.made
    stage.clock.advance(seconds=21)
    await reconcile_overdue(database, stage.carrier, carrier_account_id=stage.account.id, clock=stage.clock)
    await stage.end_calls()
    attempt = await only(stage)
    assert (attempt.provider_id, attempt.status) == (first, AttemptStatus.QUEUED)
    assert stage.carrier.hung_up == [second]


async def test_a_call_up_for_review_is_hung_up_too_if_it_turns_out_to_go_on(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await stage.reserve()
    async with database.transaction() as session:
        await session.execute(text("UPDATE attempt SET status = 'review', deadline_at = NULL"))
    await cancel(stage, hang_up=True)
    assert await stage.end_calls() == 0
    await stage.hear((await only(stage)).id, K.RINGING, provider_id="CA" + "7" * 32)
    assert await stage.end_calls() == 1
    assert stage.carrier.hung_up == ["CA" + "7" * 32]


async def test_a_call_of_which_there_is_news_just_now_holds_nothing_up(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await stage.dial()
    await closes(stage, seconds=-1)
    async with database.transaction() as session:
        await session.execute(text("SELECT id FROM attempt FOR NO KEY UPDATE"))
        assert await asyncio.wait_for(stage.end_calls(), timeout=5) == 0
    assert await stage.end_calls() == 1
