"""One try to reach a recipient: any order, repetition or delay of a carrier's events ends the same (I10)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations, product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.attempt import (
    ENDED,
    LIVE,
    UNPROVEN,
    AttemptProgress,
    AttemptStatus,
    Disposition,
    apply_event,
    disposition_of,
)
from app.domain.events import AnsweredBy, AttemptEvent, EventKind, FailureClass
from app.domain.recipient import ENDS_AS, TRANSITIONS, RecipientStatus

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
K, A, D, F = EventKind, AttemptStatus, Disposition, FailureClass

CALL_ENDS = (K.COMPLETED, K.BUSY, K.NO_ANSWER, K.FAILED, K.CANCELLED)
MESSAGE_ENDS = (K.DELIVERED, K.UNDELIVERED, K.FAILED, K.CANCELLED)
CALL_KINDS = (K.QUEUED, K.INITIATED, K.RINGING, K.ANSWERED, *CALL_ENDS, K.REPLIED, K.OPTED_OUT, K.UNKNOWN)
MESSAGE_KINDS = (K.QUEUED, K.SENDING, K.SENT, *MESSAGE_ENDS, K.REPLIED, K.OPTED_OUT, K.UNKNOWN)


def event(kind: EventKind, second: int = 0, **details: Any) -> AttemptEvent:
    return AttemptEvent(kind=kind, occurred_at=NOW + timedelta(seconds=second), **details)


def after(events: Sequence[AttemptEvent], start: AttemptStatus = A.PLACING) -> AttemptProgress:
    return reduce(apply_event, events, AttemptProgress(status=start))


def events_of(kinds: Sequence[EventKind]) -> st.SearchStrategy[AttemptEvent]:
    return st.builds(
        AttemptEvent,
        kind=st.sampled_from(kinds),
        occurred_at=st.integers(0, 5).map(lambda second: NOW + timedelta(seconds=second)),
        answered_by=st.none() | st.sampled_from(AnsweredBy),
        duration_seconds=st.none() | st.integers(0, 3),
        sip_code=st.none() | st.sampled_from([200, 404, 486]),
        error_code=st.none() | st.sampled_from([21610, 30003]),
        failure=st.none() | st.sampled_from(FailureClass),
        reply=st.none() | st.sampled_from(["1", "9", "yes"]),
        price=st.none() | st.sampled_from(["0.0075", "0.03", "10.00", "9.00"]),
        price_unit=st.none() | st.just("USD"),
    )


HISTORIES = st.one_of(
    *(st.lists(events_of(kinds), min_size=1, max_size=5) for kinds in (CALL_KINDS, MESSAGE_KINDS))
)


@settings(max_examples=120)
@given(
    HISTORIES,
    st.randoms(use_true_random=False),
    st.sampled_from([A.PLACING, A.UNKNOWN, A.REVIEW, A.NOT_PLACED]),
)
def test_any_order_and_repetition_of_events_ends_the_same(
    history: list[AttemptEvent], chance: Random, start: AttemptStatus
) -> None:
    expected = after(history, start)
    shuffled = [*history, *history[::2]]
    chance.shuffle(shuffled)
    assert after(shuffled, start) == expected


@pytest.mark.parametrize("ends", [*permutations(CALL_ENDS, 2), *permutations(MESSAGE_ENDS, 2)], ids="-".join)
def test_of_two_ends_the_same_wins_in_either_order_and_is_marked(ends: tuple[EventKind, EventKind]) -> None:
    forth, back = (after([event(first), event(second)]) for first, second in (ends, ends[::-1]))
    assert forth == back
    assert forth.conflict


@given(HISTORIES)
def test_an_ended_attempt_never_reopens(history: list[AttemptEvent]) -> None:
    progress = AttemptProgress()
    for each in history:
        following = apply_event(progress, each)
        if progress.status in ENDED:
            assert following.status in ENDED
            assert disposition_of(following) is not None
        progress = following


@given(HISTORIES)
def test_status_and_disposition_agree_on_whether_it_is_over(history: list[AttemptEvent]) -> None:
    progress = after(history)
    assert (progress.status in ENDED) == (disposition_of(progress) is not None)


def test_a_call_is_followed_from_queue_to_end() -> None:
    steps = [
        (event(K.QUEUED, 0), A.QUEUED),
        (event(K.INITIATED, 1), A.QUEUED),
        (event(K.RINGING, 2), A.RINGING),
        (event(K.ANSWERED, 6), A.IN_PROGRESS),
        (event(K.COMPLETED, 48, duration_seconds=42, price="0.03", price_unit="USD"), A.COMPLETED),
    ]
    progress = AttemptProgress()
    for each, status in steps:
        progress = apply_event(progress, each)
        assert progress.status is status
    assert progress == AttemptProgress(
        status=A.COMPLETED,
        ended_as=K.COMPLETED,
        ringing_at=NOW + timedelta(seconds=2),
        answered_at=NOW + timedelta(seconds=6),
        ended_at=NOW + timedelta(seconds=48),
        last_event_at=NOW + timedelta(seconds=48),
        duration_seconds=42,
        price="0.03",
        price_unit="USD",
    )


def test_a_late_ringing_never_reopens_a_completed_call() -> None:
    progress = after([event(K.COMPLETED, 9), event(K.RINGING, 2)])
    assert progress.status is A.COMPLETED
    assert progress.ringing_at == NOW + timedelta(seconds=2)


def test_a_late_sent_never_reopens_a_delivered_message() -> None:
    assert after([event(K.DELIVERED, 3), event(K.SENT, 1)]).status is A.DELIVERED


@pytest.mark.parametrize("start", [A.PLACING, A.UNKNOWN, A.REVIEW, A.NOT_PLACED])
@pytest.mark.parametrize("kind", sorted({*CALL_KINDS, *MESSAGE_KINDS} - {K.REPLIED, K.OPTED_OUT, K.UNKNOWN}))
def test_any_word_of_the_carrier_outranks_what_we_only_suppose(start: AttemptStatus, kind: EventKind) -> None:
    assert after([event(kind)], start).status not in {A.PLACING, A.UNKNOWN, A.REVIEW, A.NOT_PLACED}


def test_an_unknown_word_changes_nothing() -> None:
    progress = after([event(K.RINGING, 1)])
    assert apply_event(progress, event(K.UNKNOWN, 9, sip_code=200)) == progress


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_of_event_can_be_applied(kind: EventKind) -> None:
    assert apply_event(AttemptProgress(), event(kind)).status in AttemptStatus


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        (K.COMPLETED, {}, D.ANSWERED),
        (K.COMPLETED, {"answered_by": AnsweredBy.HUMAN}, D.ANSWERED),
        (K.COMPLETED, {"answered_by": AnsweredBy.UNKNOWN}, D.ANSWERED),
        (K.COMPLETED, {"answered_by": AnsweredBy.MACHINE}, D.VOICEMAIL),
        (K.COMPLETED, {"answered_by": AnsweredBy.FAX}, D.VOICEMAIL),
        (K.BUSY, {}, D.BUSY),
        (K.NO_ANSWER, {}, D.NO_ANSWER),
        (K.CANCELLED, {}, D.CANCELLED),
        (K.DELIVERED, {}, D.DELIVERED),
        (K.FAILED, {}, D.CARRIER_ERROR),
        (K.FAILED, {"failure": F.BAD_NUMBER}, D.INVALID_NUMBER),
        (K.FAILED, {"failure": F.OPTED_OUT}, D.OPTED_OUT),
        (K.FAILED, {"failure": F.REJECTED}, D.REJECTED),
        (K.FAILED, {"failure": F.SENDER_HEALTH}, D.REJECTED),
        (K.FAILED, {"failure": F.TRANSIENT}, D.CARRIER_ERROR),
        (K.FAILED, {"failure": F.CONTENT}, D.CARRIER_ERROR),
        (K.FAILED, {"failure": F.MISCONFIGURED}, D.CARRIER_ERROR),
        (K.FAILED, {"failure": F.THROTTLED}, D.CARRIER_ERROR),
        (K.UNDELIVERED, {}, D.UNDELIVERED),
        (K.UNDELIVERED, {"failure": F.BAD_NUMBER}, D.INVALID_NUMBER),
        (K.UNDELIVERED, {"failure": F.TRANSIENT}, D.UNDELIVERED),
    ],
)
def test_each_end_has_its_business_outcome(
    kind: EventKind, details: dict[str, Any], expected: Disposition
) -> None:
    assert disposition_of(after([event(kind, **details)])) is expected


@pytest.mark.parametrize("kind", [K.QUEUED, K.RINGING, K.ANSWERED, K.SENDING, K.SENT, K.REPLIED, K.OPTED_OUT])
def test_what_goes_on_has_no_outcome_yet(kind: EventKind) -> None:
    assert disposition_of(after([event(kind)])) is None


@pytest.mark.parametrize("end", [K.COMPLETED, K.DELIVERED])
def test_who_asks_not_to_be_contacted_again_is_opted_out_whenever_it_is_heard(end: EventKind) -> None:
    for order in permutations([event(K.OPTED_OUT, 3), event(end, 5)]):
        assert disposition_of(after(order)) is D.OPTED_OUT


def test_the_last_reply_is_kept_whatever_the_order() -> None:
    first, second = event(K.REPLIED, 1, reply="2"), event(K.REPLIED, 4, reply="1")
    assert {after(order).reply for order in permutations([first, second, event(K.COMPLETED, 9)])} == {"1"}


def test_a_human_outweighs_a_machine_and_a_machine_a_doubt() -> None:
    verdicts = [event(K.COMPLETED, 5, answered_by=who) for who in (AnsweredBy.UNKNOWN, AnsweredBy.MACHINE)]
    assert disposition_of(after(verdicts)) is D.VOICEMAIL
    assert (
        disposition_of(after([*verdicts, event(K.ANSWERED, 1, answered_by=AnsweredBy.HUMAN)])) is D.ANSWERED
    )


def test_live_ended_and_sent_are_all_there_is() -> None:
    assert LIVE | ENDED | {A.SENT} == set(AttemptStatus)
    assert not LIVE & ENDED
    assert UNPROVEN < LIVE


@pytest.mark.parametrize("disposition", Disposition)
def test_every_outcome_ends_a_recipient_somehow(disposition: Disposition) -> None:
    assert ENDS_AS[disposition] in set(RecipientStatus) - {
        RecipientStatus.PENDING,
        RecipientStatus.IN_PROGRESS,
    }


def test_every_later_word_of_the_carrier_may_move_the_recipient_it_ended() -> None:
    """Events come one by one, each settling the recipient anew: none of those moves may be refused."""
    # What the carrier refused because the person opted out never went out, so no second end can follow.
    failures = (None, F.BAD_NUMBER, F.REJECTED, F.TRANSIENT)
    moves = set[tuple[RecipientStatus, RecipientStatus]]()
    for kinds in (CALL_ENDS, MESSAGE_ENDS):
        words = [
            event(kind, failure=failure, answered_by=who)
            for kind, failure, who in product(
                (*kinds, K.OPTED_OUT), failures, (None, AnsweredBy.HUMAN, AnsweredBy.MACHINE)
            )
        ]
        for first, second in product(words, repeat=2):
            old, new = disposition_of(after([first])), disposition_of(after([first, second]))
            if old is not None and new is not None and ENDS_AS[old] is not ENDS_AS[new]:
                moves.add((ENDS_AS[old], ENDS_AS[new]))
    assert {(old, new) for old, new in moves if new not in TRANSITIONS[old]} == set()
