"""What each kind of end does to the recipient, to our number, and to what is known of the contact."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import AnsweredBy, EventKind, FailureClass
from app.domain.number_health import NumberRest
from app.domain.recipient import RecipientStatus
from app.models import Attempt, Contact, PhoneNumber, Recipient, RecipientTransition
from app.providers.base import NotPlaced, Refused, Unclear
from app.runtime.database import Database
from app.services.campaigns.call_log import why_there
from app.services.campaigns.lifecycle import retry_failed
from app.services.dialing.audit.ledger import unaccounted
from app.services.dialing.reconcile.overdue_attempts import settle_review
from tests.support.builders import principal
from tests.support.stage import DialingStage, set_stage

_S = RecipientStatus
K, F = EventKind, FailureClass


async def contact(stage: DialingStage) -> Contact:
    async with stage.database.session() as session:
        return (await session.execute(select(Contact))).scalar_one()


async def numbers(stage: DialingStage) -> list[PhoneNumber]:
    async with stage.database.session() as session:
        return list((await session.execute(select(PhoneNumber).order_by(col(PhoneNumber.id)))).scalars())


async def told(stage: DialingStage) -> tuple[Disposition | None, datetime | None]:
    """What the contact's card says of the last attempt."""
    row = await contact(stage)
    return row.last_outcome, row.last_contacted_at


async def only(stage: DialingStage) -> Recipient:
    (recipient,) = await stage.recipients()
    return recipient


async def refuse(stage: DialingStage, failure: FailureClass, code: int = 0) -> None:
    """Let the carrier refuse what is dialed next."""
    stage.carrier.answers = lambda _: Refused(failure=failure, code=code, message="No.")
    await stage.dial()
    stage.carrier.answers = lambda _: None


async def last_reason(stage: DialingStage) -> str:
    """Why the last step of the only recipient's history was taken."""
    steps = select(col(RecipientTransition.reason)).order_by(col(RecipientTransition.id).desc()).limit(1)
    async with stage.database.session() as session:
        return (await session.execute(steps)).scalar_one()


# --- what the contact's card says ---


async def test_the_contact_is_told_how_the_last_attempt_ended(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    called_at = stage.clock.now()
    version = (await contact(stage)).updated_at
    (reservation,) = await stage.dial()
    assert await told(stage) == (None, None)
    stage.clock.advance(seconds=20)
    await stage.hear(reservation.attempt_id, K.RINGING, K.BUSY)
    assert await told(stage) == (Disposition.BUSY, called_at)
    assert (await contact(stage)).updated_at == version


async def test_a_late_word_of_an_older_attempt_never_overwrites_a_newer(database: Database) -> None:
    stage = await set_stage(database, contacts=1, retry_delay_minutes=1)
    (first,) = await stage.dial()
    await stage.hear(first.attempt_id, K.NO_ANSWER)
    stage.clock.advance(minutes=1)
    called_again_at = stage.clock.now()
    (second,) = await stage.dial()
    await stage.hear(second.attempt_id, K.ANSWERED, K.COMPLETED)
    await stage.hear(first.attempt_id, K.BUSY)
    assert await told(stage) == (Disposition.ANSWERED, called_again_at)


async def test_a_late_word_of_an_older_attempt_is_heard_while_the_newer_goes_on(database: Database) -> None:
    stage = await set_stage(database, contacts=1, retry_delay_minutes=1)
    called_at = stage.clock.now()
    (first,) = await stage.dial()
    await stage.hear(first.attempt_id, K.NO_ANSWER)
    stage.clock.advance(minutes=1)
    await stage.dial()
    await stage.hear(first.attempt_id, K.BUSY)
    assert await told(stage) == (Disposition.BUSY, called_at)


async def test_a_better_word_of_the_same_attempt_replaces_the_first(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.NO_ANSWER)
    await stage.hear(reservation.attempt_id, K.ANSWERED, K.COMPLETED)
    assert (await told(stage))[0] is Disposition.ANSWERED


async def test_a_sent_message_counts_as_contact_and_its_report_as_outcome(database: Database) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.SENT)
    assert await told(stage) == (None, stage.clock.now())
    await stage.hear(reservation.attempt_id, K.DELIVERED)
    assert await told(stage) == (Disposition.DELIVERED, stage.clock.now())


async def test_what_was_not_placed_is_no_contact(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: NotPlaced(reason="429", retry_after_seconds=1)
    await stage.dial()
    await refuse(stage, F.MISCONFIGURED, 20003)
    assert await told(stage) == (None, None)


async def test_a_skip_by_a_person_does_not_hide_how_the_call_ended(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    async with database.transaction() as session:
        recipient = (await session.execute(select(Recipient))).scalar_one()
        recipient.status = _S.SKIPPED
    await stage.hear(reservation.attempt_id, K.ANSWERED, K.COMPLETED)
    assert (await only(stage)).status is _S.SKIPPED
    assert (await told(stage))[0] is Disposition.ANSWERED


# --- classes of failure ---


async def test_a_daily_cap_is_tried_again_after_a_night(database: Database) -> None:
    stage = await set_stage(database, contacts=1, retry_delay_minutes=30)
    await refuse(stage, F.TOMORROW, 30027)
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 1)
    assert recipient.not_before == stage.clock.now() + timedelta(hours=12)


async def test_a_delay_longer_than_a_night_stands(database: Database) -> None:
    stage = await set_stage(database, contacts=1, retry_delay_minutes=24 * 60)
    await refuse(stage, F.TOMORROW, 30027)
    assert (await only(stage)).not_before == stage.clock.now() + timedelta(hours=24)


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (F.TRANSIENT, 30003, _S.PENDING),
        (F.TRANSIENT, 30008, _S.PENDING),
        (F.TOMORROW, 30036, _S.PENDING),
        (F.BAD_NUMBER, 30005, _S.FAILED),
        (F.CONTENT, 30007, _S.FAILED),
        (None, 0, _S.FAILED),
    ],
)
async def test_an_undelivered_text_is_tried_again_if_its_cause_may_pass(
    database: Database, failure: FailureClass | None, code: int, status: RecipientStatus
) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.SENT)
    await stage.hear(reservation.attempt_id, K.UNDELIVERED, failure=failure, error_code=code)
    assert (await only(stage)).status is status


async def expire(stage: DialingStage, *, hours: float) -> None:
    """Let a text wait at the carrier for so long, until the hours of its person end, and be dropped then."""
    (reservation,) = await stage.reserve()
    async with stage.database.transaction() as session:
        attempt = await session.get_one(Attempt, reservation.attempt_id)
        attempt.closes_at = stage.clock.now() + timedelta(hours=2)
    await stage.record(*await stage.place(reservation))
    stage.clock.advance(hours=hours)
    await stage.hear(reservation.attempt_id, K.FAILED, failure=F.TOMORROW, error_code=30036)


async def test_a_text_that_expires_with_our_hours_spends_nothing_and_waits_for_the_next(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    await expire(stage, hours=2)
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made, recipient.blocked_by) == (
        _S.PENDING,
        0,
        "calling_hours",
    )
    assert recipient.not_before == stage.clock.now()
    async with database.session() as session:
        assert await unaccounted(session) == []


async def test_a_text_refused_for_the_day_while_hours_go_on_spends_an_attempt(database: Database) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    await expire(stage, hours=1)
    assert (await only(stage)).attempts_made == 1
    async with database.session() as session:
        assert await unaccounted(session) == []


async def test_a_text_that_arrives_after_it_was_called_expired_counts(database: Database) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    await expire(stage, hours=2)
    (attempt,) = await stage.attempts()
    await stage.hear(attempt.id, K.DELIVERED)
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made) == (_S.COMPLETED, 1)
    async with database.session() as session:
        assert await unaccounted(session) == []


async def test_an_unknown_refusal_fails_for_good_and_keeps_its_class(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await refuse(stage, F.UNRECOGNIZED, 99_999)
    (attempt,) = await stage.attempts()
    assert (attempt.failure, attempt.error_code) == (F.UNRECOGNIZED, 99_999)
    assert (await only(stage)).status is _S.FAILED


async def test_a_suspended_account_found_out_by_a_report_fails_the_campaign_and_spends_nothing(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.SENT)
    await stage.hear(reservation.attempt_id, K.UNDELIVERED, failure=F.MISCONFIGURED, error_code=30002)
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 0)
    assert (await stage.campaign()).status is CampaignStatus.FAILED


# --- numbers that networks flag ---


async def test_a_flagged_number_rests_and_the_recipient_is_due_at_once_unspent(database: Database) -> None:
    stage = await set_stage(database, contacts=1, numbers=2)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.FAILED, failure=F.SENDER_HEALTH, sip_code=608)
    resting = [each for each in await numbers(stage) if each.rest is not None]
    assert [(each.number, each.rest) for each in resting] == [(reservation.from_, NumberRest.FLAGGED)]
    assert resting[0].rest_why == "A network turned it away as likely spam (SIP 608)."
    assert resting[0].resting_until == stage.clock.now() + timedelta(hours=24)
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made) == (_S.PENDING, 0)
    assert recipient.not_before == stage.clock.now()


async def test_a_refused_caller_id_rests_too(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await refuse(stage, F.SENDER_HEALTH, 32017)
    (number,) = await numbers(stage)
    assert number.rest_why == "A network turned it away as likely spam (error 32017)."
    assert (await only(stage)).attempts_made == 0


async def test_whoever_turns_two_of_our_numbers_away_is_not_given_a_third(database: Database) -> None:
    stage = await set_stage(database, contacts=1, numbers=3)
    for _ in range(2):
        (reservation,) = await stage.dial()
        await stage.hear(reservation.attempt_id, K.FAILED, failure=F.SENDER_HEALTH, sip_code=608)
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made) == (_S.FAILED, 1)


async def test_a_person_who_marks_us_as_unwanted_is_not_called_from_another_number(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=1, numbers=2)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.RINGING)
    await stage.hear(reservation.attempt_id, K.FAILED, failure=F.SENDER_HEALTH, sip_code=607)
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made) == (_S.FAILED, 1)
    (resting,) = [each for each in await numbers(stage) if each.rest is not None]
    assert resting.rest_why == "The person called marked it as unwanted (SIP 607)."


async def test_a_flag_told_twice_rests_once(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.FAILED, failure=F.SENDER_HEALTH, sip_code=608)
    rested_at = stage.clock.now()
    stage.clock.advance(seconds=30)
    await stage.hear(reservation.attempt_id, K.FAILED, failure=F.SENDER_HEALTH, sip_code=608)
    assert (await numbers(stage))[0].rested_at == rested_at
    assert (await only(stage)).attempts_made == 0


async def test_a_flag_undone_by_an_answer_spends_the_attempt_after_all(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.FAILED, failure=F.SENDER_HEALTH, sip_code=608)
    await stage.hear(reservation.attempt_id, K.ANSWERED, K.COMPLETED)
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made) == (_S.COMPLETED, 1)


# --- news in any order, early, late, twice ---

STORY = (K.INITIATED, K.RINGING, K.ANSWERED, K.COMPLETED)


async def test_news_in_any_order_and_twice_end_in_the_same_rows(database: Database) -> None:
    stage = await set_stage(database, contacts=24)
    reservations = await stage.dial()
    began = stage.clock.now()
    for reservation, order in zip(reservations, permutations(STORY), strict=True):
        for kind in (*order, *order):
            stage.clock.at = began + timedelta(seconds=STORY.index(kind))
            await stage.hear(reservation.attempt_id, kind, key=f"{reservation.attempt_id}:{kind}")
    rows = {_shown(attempt) for attempt in await stage.attempts()}
    assert len(rows) == 1
    assert await stage.statuses() == {_S.COMPLETED: 24}
    assert {each.attempts_made for each in await stage.recipients()} == {1}


def _shown(attempt: Attempt) -> tuple[object, ...]:
    return (
        attempt.status,
        attempt.disposition,
        attempt.ringing_at,
        attempt.answered_at,
        attempt.ended_at,
        attempt.conflict,
    )


async def test_a_whole_call_told_before_our_own_answer_is_one_right_row(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    answers = await stage.place(reservation)
    (provider_id,) = stage.carrier.made
    await stage.hear(reservation.attempt_id, *STORY, provider_id=provider_id)
    await stage.record(*answers)
    (attempt,) = await stage.attempts()
    assert (attempt.status, attempt.provider_id, attempt.conflict) == (
        AttemptStatus.COMPLETED,
        provider_id,
        False,
    )
    assert await stage.end_calls() == 0


# --- turned away ---


@pytest.mark.parametrize(("retry_after", "waits"), [(None, 1.0), (7.0, 7.0), (0.2, 1.0)])
async def test_the_carrier_is_left_alone_for_as_long_as_it_asks(
    database: Database, retry_after: float | None, waits: float
) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: NotPlaced(reason="429", retry_after_seconds=retry_after)
    await stage.dial()
    stage.carrier.answers = lambda _: None
    assert ((await only(stage)).attempts_made, (await only(stage)).status) == (0, _S.PENDING)
    stage.clock.advance(seconds=waits - 0.1)
    assert await stage.dial() == ()
    stage.clock.advance(seconds=0.2)
    assert len(await stage.dial()) == 1


# --- a person decides ---


@pytest.mark.parametrize(
    ("placed", "cancelled", "status", "spent"),
    [
        (True, False, _S.PENDING, 1),
        (False, False, _S.PENDING, 0),
        (True, True, _S.NO_ANSWER, 1),
        (False, True, _S.CANCELLED, 0),
    ],
)
async def test_a_review_ends_as_a_person_says(
    database: Database, *, placed: bool, cancelled: bool, status: RecipientStatus, spent: int
) -> None:
    stage = await set_stage(database, contacts=1)
    (reservation,) = await stage.reserve()
    async with database.transaction() as session:
        (await session.get_one(Attempt, reservation.attempt_id)).status = AttemptStatus.REVIEW
    if cancelled:
        await stage.change(status=CampaignStatus.CANCELLED)
    async with database.transaction() as session:
        await settle_review(
            session,
            principal=principal(stage.organization),
            attempt_id=reservation.attempt_id,
            placed=placed,
            now=stage.clock.now(),
        )
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made) == (status, spent)
    assert (await last_reason(stage)).startswith(principal(stage.organization).actor)


# --- what the recipient's last error says ---

ENDS: dict[str, tuple[list[EventKind], dict[str, Any], RecipientStatus, str | None, str]] = {
    "answered": ([K.ANSWERED, K.COMPLETED], {}, _S.COMPLETED, None, "The person was reached."),
    "voicemail": (
        [K.ANSWERED, K.COMPLETED],
        {"answered_by": AnsweredBy.MACHINE},
        _S.VOICEMAIL,
        None,
        "A machine answered.",
    ),
    "opted out": (
        [K.ANSWERED, K.OPTED_OUT, K.COMPLETED],
        {},
        _S.COMPLETED,
        None,
        "The person asked not to be contacted again.",
    ),
    "carrier's block": (
        [K.FAILED],
        {"failure": F.OPTED_OUT},
        _S.SKIPPED,
        None,
        "The person asked not to be contacted again.",
    ),
    "cancelled": ([K.CANCELLED], {}, _S.CANCELLED, None, "The attempt was cancelled."),
    "no answer": ([K.NO_ANSWER], {}, _S.NO_ANSWER, "The only attempt is used.", "The only attempt is used."),
    "busy": ([K.BUSY], {}, _S.BUSY, "The only attempt is used.", "The only attempt is used."),
    "bad number": (
        [K.FAILED],
        {"failure": F.BAD_NUMBER},
        _S.FAILED,
        "The number cannot be reached.",
        "The number cannot be reached.",
    ),
}


@pytest.mark.parametrize(("kinds", "details", "status", "error", "why"), list(ENDS.values()), ids=list(ENDS))
async def test_only_who_was_not_reached_has_an_error(
    database: Database,
    kinds: list[EventKind],
    details: dict[str, Any],
    status: RecipientStatus,
    error: str | None,
    why: str,
) -> None:
    stage = await set_stage(database, contacts=1, max_attempts=1)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, *kinds, **details)
    recipient = await only(stage)
    assert (recipient.status, recipient.last_error) == (status, error)
    assert why_there(recipient) == why


async def test_an_error_on_the_way_is_none_once_the_person_is_reached(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: Unclear(reason="the carrier did not answer in time")
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.ANSWERED, K.COMPLETED)
    recipient = await only(stage)
    assert (recipient.status, recipient.last_error) == (_S.COMPLETED, None)


async def test_who_was_given_back_untried_has_no_error(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: NotPlaced(reason="Too Many Requests", retry_after_seconds=None)
    await stage.dial()
    recipient = await only(stage)
    assert (recipient.status, recipient.attempts_made, recipient.last_error) == (_S.PENDING, 0, None)


async def test_who_is_tried_again_has_no_error_from_before(database: Database) -> None:
    stage = await set_stage(database, contacts=1, max_attempts=1)
    (reservation,) = await stage.dial()
    await stage.hear(reservation.attempt_id, K.NO_ANSWER)
    assert await stage.complete()
    async with database.transaction() as session:
        await retry_failed(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            now=stage.clock.now(),
        )
    recipient = await only(stage)
    assert (recipient.status, recipient.last_error) == (_S.PENDING, None)
