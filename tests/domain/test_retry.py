"""What follows an ended attempt."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.attempt import Disposition
from app.domain.events import FailureClass
from app.domain.retry import (
    DISPOSITIONS_OF,
    NOT_THE_RECIPIENTS,
    RETRIABLE,
    RETRIED_BY_DEFAULT,
    NoRetry,
    RetryAt,
    RetryOutcome,
    RetryPolicy,
    attempts_left,
    decide,
    delay_after,
    retry_on,
)

NOW = datetime(2026, 3, 8, 6, 45, tzinfo=UTC)
D, F = Disposition, FailureClass


def after(
    disposition: Disposition,
    failure: FailureClass | None = None,
    *,
    policy: RetryPolicy | None = None,
    attempts_made: int = 1,
) -> RetryAt | NoRetry:
    return decide(
        policy or RetryPolicy(),
        disposition=disposition,
        failure=failure,
        attempts_made=attempts_made,
        now=NOW,
    )


RETRIED = {
    D.ANSWERED: False,
    D.VOICEMAIL: False,
    D.NO_ANSWER: True,
    D.BUSY: True,
    D.REJECTED: False,
    D.INVALID_NUMBER: False,
    D.CARRIER_ERROR: True,
    D.DELIVERED: False,
    D.UNDELIVERED: False,
    D.OPTED_OUT: False,
    D.CANCELLED: False,
}


@pytest.mark.parametrize("disposition", Disposition)
def test_by_default_only_what_may_pass_is_retried(disposition: Disposition) -> None:
    assert isinstance(after(disposition), RetryAt) is RETRIED[disposition]


@pytest.mark.parametrize("disposition", Disposition)
def test_a_campaign_that_retries_everything_still_spares_who_was_reached_or_said_no(
    disposition: Disposition,
) -> None:
    everything = RetryPolicy(retry_on=frozenset(Disposition))
    assert isinstance(after(disposition, policy=everything), RetryAt) is (disposition in RETRIABLE)


@pytest.mark.parametrize(
    ("failure", "retried"),
    [
        (None, True),
        (F.TRANSIENT, True),
        (F.THROTTLED, True),
        (F.MISCONFIGURED, True),
        (F.SENDER_HEALTH, True),
        (F.REJECTED, True),
        (F.BAD_NUMBER, False),
        (F.OPTED_OUT, False),
        (F.CONTENT, False),
    ],
)
def test_a_lasting_failure_is_never_retried(failure: FailureClass | None, retried: bool) -> None:  # noqa: FBT001
    assert isinstance(after(D.CARRIER_ERROR, failure), RetryAt) is retried


@pytest.mark.parametrize("made", range(1, 7))
@pytest.mark.parametrize("most", range(1, 6))
def test_attempts_never_exceed_the_most(most: int, made: int) -> None:
    policy = RetryPolicy(max_attempts=most)
    assert isinstance(after(D.NO_ANSWER, policy=policy, attempts_made=made), RetryAt) is (made < most)
    assert attempts_left(policy, attempts_made=made) == max(0, most - made)


@pytest.mark.parametrize("minutes", [0, 1, 30, 45, 60, 1440])
def test_the_delay_is_elapsed_time_also_across_a_clock_change(minutes: int) -> None:
    policy = RetryPolicy(retry_delay_minutes=minutes)
    assert after(D.BUSY, policy=policy) == RetryAt(NOW + timedelta(minutes=minutes))


def test_the_defaults_are_the_seeds() -> None:
    assert RetryPolicy() == RetryPolicy(max_attempts=3, retry_delay_minutes=30, retry_on=RETRIED_BY_DEFAULT)


def test_reasons_are_sentences_for_people() -> None:
    assert after(D.NO_ANSWER, attempts_made=3) == NoRetry("All 3 attempts are used.")
    assert after(D.BUSY, policy=RetryPolicy(max_attempts=1)) == NoRetry("The only attempt is used.")
    assert after(D.VOICEMAIL) == NoRetry("The campaign does not retry after voicemail.")
    assert after(D.OPTED_OUT) == NoRetry("The person asked not to be contacted again.")


def test_voicemail_is_retried_when_asked() -> None:
    policy = RetryPolicy(retry_on=retry_on(frozenset({RetryOutcome.VOICEMAIL})))
    assert isinstance(after(D.VOICEMAIL, policy=policy), RetryAt)
    assert isinstance(after(D.NO_ANSWER, policy=policy), NoRetry)


@pytest.mark.parametrize("outcome", RetryOutcome)
def test_every_outcome_a_person_ticks_covers_retriable_dispositions(outcome: RetryOutcome) -> None:
    assert DISPOSITIONS_OF[outcome]
    assert DISPOSITIONS_OF[outcome] <= RETRIABLE


def test_a_refusal_that_says_nothing_of_the_person_is_a_snooze() -> None:
    assert {F.THROTTLED, F.MISCONFIGURED} == NOT_THE_RECIPIENTS


@pytest.mark.parametrize(
    ("delays", "back_off", "waits"),
    [
        ((), False, [30, 30, 30, 30]),
        ((30, 60, 120), False, [30, 60, 120, 120]),
        ((30, 60, 120), True, [30, 60, 120, 240, 480]),
        ((), True, [30, 60, 120]),
        ((0,), True, [0, 0]),
    ],
)
def test_delays_are_a_list_whose_last_stays_or_doubles(
    *, delays: tuple[int, ...], back_off: bool, waits: list[int]
) -> None:
    policy = RetryPolicy(delays=delays, back_off=back_off)
    given = [delay_after(policy, disposition=D.BUSY, attempts_made=made) for made in range(1, len(waits) + 1)]
    assert given == [timedelta(minutes=wait) for wait in waits]


def test_an_outcome_may_have_delays_of_its_own() -> None:
    policy = RetryPolicy(delays=(30, 60), delays_by_outcome={RetryOutcome.BUSY: (5,)})
    assert after(D.BUSY, policy=policy, attempts_made=2) == RetryAt(NOW + timedelta(minutes=5))
    assert after(D.NO_ANSWER, policy=policy, attempts_made=2) == RetryAt(NOW + timedelta(minutes=60))


def test_a_back_off_ends_at_thirty_days() -> None:
    policy = RetryPolicy(max_attempts=20, delays=(600,), back_off=True)
    assert delay_after(policy, disposition=D.BUSY, attempts_made=19) == timedelta(days=30)
