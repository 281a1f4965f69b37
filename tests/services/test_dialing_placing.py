"""Reserve, place, record: the limits, the gate, and what every answer of the carrier does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import AnsweredBy, AttemptEvent, EventKind, FailureClass
from app.domain.pacing import SECOND, guarded
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Organization, Suppression
from app.providers.base import NotPlaced, PlaceAnswer, ReceivedEvent, Refused, Unclear
from app.runtime.database import Database
from app.services.dialing.place.carrier_request import CarrierAnswer
from app.services.dialing.receive.webhooks import receive
from app.services.dialing.reconcile.overdue_attempts import reconcile_overdue
from app.services.dialing.reserve.reservation import reserve
from tests.support.stage import WORKER, DialingStage, set_stage

_S = RecipientStatus


async def test_everyone_is_called_once_and_the_campaign_completes(database: Database) -> None:
    stage = await set_stage(database, contacts=3)
    for reservation in await stage.dial():
        await stage.hear(
            reservation.attempt_id,
            EventKind.RINGING,
            EventKind.ANSWERED,
            EventKind.COMPLETED,
            duration_seconds=20,
        )
    assert await stage.complete()
    assert await stage.statuses() == {_S.COMPLETED: 3}
    assert (await stage.campaign()).status is CampaignStatus.COMPLETED
    assert len(stage.carrier.made) == 3


async def test_the_first_reservation_sets_a_queued_campaign_running(database: Database) -> None:
    stage = await set_stage(database)
    await stage.reserve(1)
    assert (await stage.campaign()).status is CampaignStatus.RUNNING


async def test_recipients_are_dialed_in_the_files_order(database: Database) -> None:
    stage = await set_stage(database, contacts=3)
    first = await stage.reserve(2)
    people = await stage.recipients()
    assert [each.status for each in people] == [_S.IN_PROGRESS, _S.IN_PROGRESS, _S.PENDING]
    assert len(first) == 2


async def test_the_attempt_keeps_the_text_as_it_was_rendered(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await stage.reserve()
    (attempt,) = await stage.attempts()
    assert attempt.rendered["welcome"].startswith("Hi Contact")


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        ({"concurrent_limit": 2}, 2),
        ({"organization": {"outbound_limit": 3}}, 3),
        ({"agent": {"max_concurrent_calls": 1}}, 1),
        ({"rate_limit_per_minute": 4}, 4),
        ({"throttle_delay_ms": 500}, 1),
    ],
)
async def test_no_limit_is_exceeded(database: Database, limits: dict[str, object], allowed: int) -> None:
    stage = await set_stage(database, contacts=6, **limits)  # type: ignore[arg-type]  # a table of keywords
    assert len(await stage.dial()) == allowed
    assert len(await stage.dial()) == 0


async def test_a_freed_slot_is_filled_again(database: Database) -> None:
    stage = await set_stage(database, contacts=3, concurrent_limit=1)
    (first,) = await stage.dial()
    await stage.hear(first.attempt_id, EventKind.ANSWERED, EventKind.COMPLETED)
    assert len(await stage.dial()) == 1


async def test_calls_per_minute_is_a_sliding_window(database: Database) -> None:
    stage = await set_stage(database, contacts=5, rate_limit_per_minute=2)
    await stage.dial(1)
    stage.clock.advance(seconds=30)
    await stage.dial()
    stage.clock.advance(seconds=29)
    assert await stage.dial() == ()
    stage.clock.advance(seconds=2)
    assert len(await stage.dial()) == 1


async def test_outside_calling_hours_nothing_is_placed_and_the_page_can_say_why(database: Database) -> None:
    stage = await set_stage(database)
    start, end = (stage.clock.at + timedelta(hours=1)).time(), (stage.clock.at + timedelta(hours=2)).time()
    await stage.change(allowed_start=start, allowed_end=end, time_zone="UTC")
    assert await stage.dial() == ()
    held = await stage.campaign()
    assert held.gate_rule == "calling_hours"
    assert held.gate_until == stage.clock.at + timedelta(hours=1)
    stage.clock.advance(hours=1)
    assert len(await stage.dial()) == 3
    assert (await stage.campaign()).gate_rule is None


async def test_a_suppressed_number_is_skipped_with_the_reason(database: Database) -> None:
    stage = await set_stage(database, contacts=2)
    await _suppress(stage, (await _numbers(stage))[0])
    assert len(await stage.dial()) == 1
    skipped = (await stage.recipients())[0]
    assert (skipped.status, skipped.blocked_by) == (_S.SKIPPED, "suppression")
    assert "asked" in (skipped.blocked_why or "")


async def test_a_stop_between_reservation_and_request_holds(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    await _suppress(stage, reservation.to)
    assert await stage.place(reservation) == []
    assert stage.carrier.orders == []


async def test_a_pause_between_reservation_and_request_holds(database: Database) -> None:
    stage = await set_stage(database)
    reservations = await stage.reserve()
    await stage.change(status=CampaignStatus.PAUSED)
    assert await stage.place(*reservations) == []


async def test_a_pause_while_the_request_gets_ready_holds(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()

    async def connect_slowly() -> None:
        stage.clock.advance(seconds=0.5)
        await stage.change(status=CampaignStatus.PAUSED)

    stage.carrier.connects = connect_slowly
    answers = await stage.place(reservation)
    assert stage.carrier.orders == []
    await stage.record(*answers)
    (recipient,) = await stage.recipients()
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 0)


async def test_a_slow_request_that_is_still_wanted_leaves(database: Database) -> None:
    stage = await set_stage(database, contacts=1)

    async def connect_slowly() -> None:
        stage.clock.advance(seconds=2)

    stage.carrier.connects = connect_slowly
    await stage.dial()
    assert len(stage.carrier.orders) == 1


@pytest.mark.parametrize(
    ("slept", "rate", "leaves"),
    [(300, 0, False), (300, 1, False), (5, 0, True), (5, 1, False), (3, 1, True)],
)
async def test_a_worker_that_slept_while_connecting_sends_nothing(
    database: Database, slept: int, rate: int, *, leaves: bool
) -> None:
    """Under a rate it gives up sooner: the carrier would take it when the rate has long forgotten it."""
    stage = await set_stage(database, contacts=1, account={"calls_per_second": rate}, rate_limit_per_minute=0)

    async def sleep_on_it() -> None:
        stage.clock.advance(seconds=slept)

    stage.carrier.connects = sleep_on_it
    await stage.dial()
    (recipient,) = await stage.recipients()
    assert len(stage.carrier.orders) == int(leaves)
    assert (recipient.status, recipient.attempts_made) == ((_S.IN_PROGRESS, 1) if leaves else (_S.PENDING, 0))


async def test_what_a_stall_kept_back_under_a_rate_is_given_back_and_leaves_with_the_next(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=4, account={"calls_per_second": 4})
    reservations = await stage.reserve()
    stage.clock.advance(seconds=1.2)
    answers = await stage.place(*reservations)
    await stage.record(*answers)
    assert stage.carrier.orders == []
    assert [each.attempts_made for each in await stage.recipients()] == [0, 0, 0, 0]
    assert len(await stage.dial()) == len(stage.carrier.orders) == 4


async def test_the_next_start_keeps_its_distance_from_one_that_left_late(database: Database) -> None:
    stage = await set_stage(database, contacts=2, account={"calls_per_second": 1}, rate_limit_per_minute=0)
    reservations = await stage.reserve()
    stage.clock.advance(seconds=0.4)
    await stage.record(*await stage.place(*reservations))
    stage.clock.advance(seconds=0.8)
    assert await stage.reserve() == ()
    stage.clock.advance(seconds=0.3)
    assert len(await stage.reserve()) == 1


async def test_while_the_carrier_has_not_answered_a_second_holds_its_rate_and_a_boundary(
    database: Database,
) -> None:
    """What has left may be taken at any moment: the next second of ours must not be added to it."""
    stage = await set_stage(database, contacts=20, channel=Channel.SMS, messages_per_second=3)
    answers = await stage.place(*await stage.reserve())
    assert len(answers) == 3
    stage.clock.advance(seconds=1.1)
    assert len(await stage.reserve()) == 2, "the rate would allow three"
    stage.clock.advance(seconds=1.1)
    assert not await stage.reserve()
    await stage.record(*(replace(answer, came_at=stage.clock.now()) for answer in answers))
    assert not await stage.reserve(), "they were taken within this second, for all we know"
    stage.clock.advance(seconds=1.1)
    assert len(await stage.reserve()) == 3


async def test_what_a_dead_worker_sent_holds_its_place_for_as_long_as_a_request_may_take(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=20, account={"calls_per_second": 1})
    for _ in range(3):
        assert len(await stage.reserve(worker="dead")) == 1
        stage.clock.advance(seconds=1.1)
    assert not await stage.reserve()
    stage.clock.advance(seconds=6)
    assert len(await stage.reserve()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Refused(failure=FailureClass.TRANSIENT, code=30001, message="not now"),
        Unclear(reason="no answer in time"),
        NotPlaced(reason="429", retry_after_seconds=None),
    ],
    ids=["refused", "unclear", "not placed"],
)
async def test_every_kind_of_answer_ends_the_wait_for_it(database: Database, answer: PlaceAnswer) -> None:
    stage = await set_stage(database, contacts=20, account={"calls_per_second": 1})
    stage.carrier.answers = lambda _: answer
    for _ in range(3):
        await stage.record(*await stage.place(*await stage.reserve()))
        stage.clock.advance(seconds=2.1)
    assert len(await stage.reserve()) == 1


async def test_without_a_rate_a_second_of_delay_gives_nothing_back(database: Database) -> None:
    stage = await set_stage(
        database, contacts=1, account={"calls_per_second": 20_000}, rate_limit_per_minute=0
    )
    reservations = await stage.reserve()
    stage.clock.advance(seconds=1.2)
    await stage.place(*reservations)
    assert len(stage.carrier.orders) == 1


async def test_ahead_each_is_dated_when_its_rate_lets_it_leave(database: Database) -> None:
    stage = await set_stage(database, contacts=3, account={"calls_per_second": 1}, rate_limit_per_minute=0)
    outcome = await reserve(
        database,
        campaign_id=stage.campaign_id,
        worker=WORKER,
        carrier_account_id=stage.account.id,
        clock=stage.clock,
        ahead=timedelta(seconds=2),
    )
    apart = guarded(SECOND).total_seconds()
    leaves = [each.reserved_boottime - stage.clock.boottime() for each in outcome.reservations]
    assert leaves == pytest.approx([0, apart])
    dated = sorted(each.reserved_at for each in await stage.attempts())
    assert dated == [stage.clock.now(), stage.clock.now() + guarded(SECOND)]
    assert outcome.next_at == stage.clock.now() + 2 * guarded(SECOND) - timedelta(seconds=1)


async def test_the_stop_switch_stops_everything_at_once(database: Database) -> None:
    stage = await set_stage(database)
    reservations = await stage.reserve(1)
    async with database.transaction() as session:
        organization = await session.get_one(Organization, stage.organization.id)
        organization.dialing_stopped_at = stage.clock.now()
    assert await stage.place(*reservations) == []
    assert await stage.reserve() == ()


async def test_an_old_reservation_is_given_up_and_spends_nothing(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    stage.clock.advance(seconds=11)
    await stage.record(*await stage.place(reservation))
    (recipient,) = await stage.recipients()
    assert stage.carrier.orders == []
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 0)


async def test_being_turned_away_spends_no_attempt(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: NotPlaced(reason="429", retry_after_seconds=2)
    await stage.dial()
    (recipient,) = await stage.recipients()
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 0)
    stage.carrier.answers = lambda _: None
    assert await stage.dial() == ()
    stage.clock.advance(seconds=2)
    assert len(await stage.dial()) == 1


async def test_a_bad_number_fails_for_good(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: Refused(failure=FailureClass.BAD_NUMBER, code=21211, message="Invalid")
    await stage.dial()
    (attempt,) = await stage.attempts()
    assert (attempt.status, attempt.disposition) == (AttemptStatus.FAILED, Disposition.INVALID_NUMBER)
    assert await stage.statuses() == {_S.FAILED: 1}


async def test_a_misconfigured_account_fails_the_campaign_and_spends_nothing(database: Database) -> None:
    stage = await set_stage(database, contacts=2)
    stage.carrier.answers = lambda _: Refused(
        failure=FailureClass.MISCONFIGURED, code=20003, message="Authenticate"
    )
    await stage.dial(1)
    campaign = await stage.campaign()
    assert campaign.status is CampaignStatus.FAILED
    assert "Authenticate" in campaign.status_reason
    assert await stage.statuses() == {_S.PENDING: 2}
    assert (await stage.recipients())[0].attempts_made == 0


async def test_a_carriers_block_suppresses_the_number(database: Database) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    stage.carrier.answers = lambda _: Refused(failure=FailureClass.OPTED_OUT, code=21610, message="STOP")
    await stage.dial()
    (suppression,) = await _suppressions(stage)
    assert (suppression.scope, suppression.source) == (SuppressionScope.SMS, SuppressionSource.CARRIER)


async def test_pressing_nine_suppresses_for_every_channel(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, EventKind.ANSWERED)
    await stage.hear(reservation.attempt_id, EventKind.OPTED_OUT, reply="opt_out", by_key=True)
    await stage.hear(reservation.attempt_id, EventKind.COMPLETED)
    (suppression,) = await _suppressions(stage)
    assert (suppression.scope, suppression.source) == (SuppressionScope.ALL, SuppressionSource.KEYPRESS)
    (attempt,) = await stage.attempts()
    assert attempt.disposition is Disposition.OPTED_OUT


@pytest.mark.parametrize("end", [EventKind.NO_ANSWER, EventKind.BUSY])
async def test_an_unanswered_call_is_retried_after_the_delay(database: Database, end: EventKind) -> None:
    stage = await set_stage(database, contacts=1, retry_delay_minutes=30)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, EventKind.RINGING, end)
    (recipient,) = await stage.recipients()
    assert recipient.status is _S.PENDING
    assert recipient.not_before == stage.clock.now() + timedelta(minutes=30)
    assert recipient.last_disposition == end.value
    assert await stage.dial() == ()
    stage.clock.advance(minutes=30)
    assert len(await stage.dial()) == 1


async def test_the_budget_ends_the_retries(database: Database) -> None:
    stage = await set_stage(database, contacts=1, max_attempts=2, retry_delay_minutes=1)
    for _ in range(2):
        (reservation,) = await stage.dial()
        await stage.hear(reservation.attempt_id, EventKind.NO_ANSWER)
        stage.clock.advance(minutes=1)
    assert await stage.statuses() == {_S.NO_ANSWER: 1}
    assert await stage.complete()


async def test_voicemail_is_recorded_and_not_retried(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    await stage.hear(
        reservation.attempt_id, EventKind.ANSWERED, EventKind.COMPLETED, answered_by=AnsweredBy.MACHINE
    )
    assert await stage.statuses() == {_S.VOICEMAIL: 1}


async def test_the_same_event_again_changes_nothing(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    for _ in range(3):
        await stage.hear(reservation.attempt_id, EventKind.NO_ANSWER, key="the-same")
        stage.clock.advance(seconds=5)
    (recipient,) = await stage.recipients()
    assert recipient.attempts_made == 1
    assert recipient.not_before == stage.clock.now() - timedelta(seconds=15) + timedelta(minutes=30)


async def test_a_webhook_before_our_own_answer_binds_the_call(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    (answer,) = await stage.place(reservation)
    (provider_id,) = stage.carrier.made
    await stage.hear(reservation.attempt_id, EventKind.RINGING, provider_id=provider_id)
    await stage.record(answer)
    assert await stage.end_calls() == 0
    (attempt,) = await stage.attempts()
    assert (attempt.status, attempt.provider_id) == (AttemptStatus.RINGING, provider_id)


async def test_a_second_call_for_one_attempt_is_hung_up(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    (answer,) = await stage.place(reservation)
    await stage.hear(reservation.attempt_id, EventKind.RINGING, provider_id="CAother")
    (provider_id,) = stage.carrier.made
    await stage.record(answer)
    await stage.end_calls()
    assert stage.carrier.hung_up == [provider_id]
    (attempt,) = await stage.attempts()
    assert (attempt.provider_id, attempt.conflict) == ("CAother", True)


async def test_a_call_given_up_that_turns_up_beside_a_newer_one_is_hung_up(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: NotPlaced(reason="429", retry_after_seconds=0.01)
    (first,) = await stage.dial()
    stage.carrier.answers = lambda _: None
    stage.clock.advance(seconds=2)
    await stage.dial()
    late = ReceivedEvent(
        dedupe_key="late",
        event=AttemptEvent(kind=EventKind.RINGING, occurred_at=stage.clock.now(), provider_id="CAlate"),
    )
    second = await receive(
        database, attempt_id=first.attempt_id, events=[late], raw={}, now=stage.clock.now()
    )
    assert second == "CAlate"
    await stage.end_calls()
    assert stage.carrier.hung_up == ["CAlate"]
    assert [each.status for each in await stage.attempts()] == [
        AttemptStatus.NOT_PLACED,
        AttemptStatus.QUEUED,
    ]


async def test_suppressed_people_take_nobodys_turn(database: Database) -> None:
    stage = await set_stage(database, contacts=5, concurrent_limit=1)
    for number in (await _numbers(stage))[:4]:
        await _suppress(stage, number)
    assert len(await stage.dial()) == 1
    assert await stage.statuses() == {_S.SKIPPED: 4, _S.IN_PROGRESS: 1}


async def test_an_unclear_answer_is_never_dialed_again_before_it_is_settled(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: Unclear(reason="timeout")
    await stage.dial()
    stage.clock.advance(hours=2)
    assert await stage.reserve() == ()
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.UNKNOWN


async def test_an_unclear_answer_that_was_a_call_is_found_and_bound(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers, stage.carrier.makes_it_anyway = lambda _: Unclear(reason="500"), True
    await stage.dial()
    stage.clock.advance(seconds=30)
    await _reconcile(stage)
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.QUEUED
    assert attempt.provider_id in stage.carrier.made


async def test_two_empty_looks_a_minute_apart_prove_it_was_not_placed(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: Unclear(reason="timeout")
    await stage.dial()
    for _ in range(2):
        assert await stage.statuses() == {_S.IN_PROGRESS: 1}
        stage.clock.advance(seconds=61)
        await _reconcile(stage)
    (recipient,) = await stage.recipients()
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 0)
    stage.carrier.answers = lambda _: None
    assert len(await stage.dial()) == 1


async def test_looks_close_together_prove_nothing(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: Unclear(reason="timeout")
    await stage.dial()
    for _ in range(4):
        stage.clock.advance(seconds=6)
        await _reconcile(stage)
    assert await stage.statuses() == {_S.IN_PROGRESS: 1}


async def test_a_reservation_left_by_a_dead_worker_is_reconciled(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    await stage.place(reservation)  # and the worker dies before it records
    stage.clock.advance(seconds=21)
    await _reconcile(stage)
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.QUEUED
    assert stage.carrier.calls_to(reservation.to) == 1


async def test_what_the_carrier_cannot_tell_goes_to_a_person(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers, stage.carrier.makes_it_anyway = lambda _: Unclear(reason="500"), True
    stage.carrier.tells_owner = False
    await stage.dial()
    stage.clock.advance(seconds=30)
    await _reconcile(stage)
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.REVIEW
    assert await stage.reserve() == ()


async def test_a_quiet_call_that_still_goes_on_is_never_redialed(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, EventKind.ANSWERED)
    stage.clock.advance(minutes=6)
    await _reconcile(stage)
    (attempt,) = await stage.attempts()
    assert attempt.status is AttemptStatus.IN_PROGRESS
    assert await stage.reserve() == ()


async def test_a_lost_last_webhook_is_made_up_for_by_looking(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    (provider_id,) = stage.carrier.made
    stage.carrier.knows(provider_id, _event(stage, EventKind.ANSWERED), _event(stage, EventKind.COMPLETED))
    stage.clock.advance(minutes=6)
    await _reconcile(stage)
    assert await stage.statuses() == {_S.COMPLETED: 1}
    assert reservation.to in {each.to for each in stage.carrier.made.values()}


async def test_a_late_completion_takes_back_a_waiting_retry(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, EventKind.NO_ANSWER)
    assert await stage.statuses() == {_S.PENDING: 1}
    await stage.hear(reservation.attempt_id, EventKind.COMPLETED)
    assert await stage.statuses() == {_S.COMPLETED: 1}
    (attempt,) = await stage.attempts()
    assert attempt.conflict


async def test_a_sent_message_completes_its_recipient_and_a_failed_delivery_takes_it_back(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=2, channel=Channel.SMS, messages_per_second=10)
    delivered, lost = await stage.dial()
    await stage.hear(delivered.attempt_id, EventKind.SENT, EventKind.DELIVERED)
    await stage.hear(lost.attempt_id, EventKind.SENT)
    assert await stage.statuses() == {_S.COMPLETED: 2}
    assert not await stage.complete()
    await stage.hear(lost.attempt_id, EventKind.UNDELIVERED)
    assert await stage.statuses() == {_S.COMPLETED: 1, _S.FAILED: 1}
    assert await stage.complete()


async def test_a_run_waits_ten_minutes_for_delivery_reports(database: Database) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, EventKind.SENT)
    assert not await stage.complete()
    stage.clock.advance(minutes=11)
    assert await stage.complete()


async def test_one_phone_number_is_never_called_twice_at_once_whatever_the_campaign(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE recipient SET status = 'pending', not_before = :now"), {"now": stage.clock.at}
        )
    assert await stage.dial() == ()
    assert stage.carrier.calls_to(reservation.to) == 1


async def test_a_pool_is_used_in_turn(database: Database) -> None:
    stage = await set_stage(database, contacts=5, numbers=3)
    used = [each.from_ for each in (*await stage.dial(2), *await stage.dial(3))]
    assert used[:3] == sorted(set(used))
    assert used[3:] == used[:2]


async def test_cancelled_people_in_progress_finish_as_they_end(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    await stage.change(status=CampaignStatus.CANCELLED)
    await stage.hear(reservation.attempt_id, EventKind.NO_ANSWER)
    assert await stage.statuses() == {_S.NO_ANSWER: 1}


async def test_answers_of_one_moment_share_a_commit(database: Database) -> None:
    stage = await set_stage(database, contacts=20)
    reservations = await stage.reserve()
    answers: list[CarrierAnswer] = await stage.place(*reservations)
    await stage.record(*answers)
    assert {each.status for each in await stage.attempts()} == {AttemptStatus.QUEUED}


def _event(stage: DialingStage, kind: EventKind) -> AttemptEvent:
    return AttemptEvent(kind=kind, occurred_at=stage.clock.now())


async def _reconcile(stage: DialingStage) -> None:
    await reconcile_overdue(
        stage.database, stage.carrier, carrier_account_id=stage.account.id, clock=stage.clock
    )


async def _numbers(stage: DialingStage) -> list[str]:
    async with stage.database.session() as session:
        rows = await session.execute(
            text(
                "SELECT c.number FROM recipient r JOIN contact c ON c.id = r.contact_id"
                " WHERE r.campaign_id = :id ORDER BY r.position"
            ),
            {"id": stage.campaign_id},
        )
        return list(rows.scalars())


async def _suppress(stage: DialingStage, number: str) -> None:
    async with stage.database.transaction() as session:
        session.add(
            Suppression(
                organization_id=stage.organization.id,
                number=number,
                scope=SuppressionScope.ALL,
                reason="asked not to be called",
                source=SuppressionSource.MANUAL,
                created_at=stage.clock.now(),
            )
        )


async def _suppressions(stage: DialingStage) -> list[Suppression]:
    async with stage.database.session() as session:
        return list((await session.execute(select(Suppression))).scalars())
