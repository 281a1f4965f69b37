"""The recipient's states: every pair of statuses, and how each outcome ends one."""

from itertools import product

import pytest

from app.domain.attempt import Disposition
from app.domain.campaign import TransitionNotAllowed
from app.domain.recipient import (
    ENDED,
    ENDS_AS,
    RETRY_FAILED_DEFAULT,
    RETRYABLE_BY_HAND,
    TRANSITIONS,
    RecipientStatus,
    before,
    check_transition,
)

S, D = RecipientStatus, Disposition

# One row for each old status, one letter for each new one, in the order of the enumeration.
#                   pending in_progress completed failed no_answer busy voicemail skipped cancelled
ALLOWED = {
    S.PENDING: "        -       x           x         x      x         x    x         x       x",
    S.IN_PROGRESS: "    x       -           x         x      x         x    x         x       x",
    S.COMPLETED: "      x       -           -         x      -         -    x         x       -",
    S.FAILED: "         x       -           x         -      x         x    x         -       x",
    S.NO_ANSWER: "      x       -           x         -      -         x    x         -       -",
    S.BUSY: "           x       -           x         -      -         -    x         -       -",
    S.VOICEMAIL: "      x       -           x         -      -         -    -         -       -",
    S.SKIPPED: "        x       -           -         -      -         -    -         -       -",
    S.CANCELLED: "      -       -           x         x      x         x    x         -       -",
}


@pytest.mark.parametrize(("old", "new"), list(product(S, S)), ids=str)
def test_each_status_is_followed_by_what_the_table_says_and_nothing_else(
    old: RecipientStatus, new: RecipientStatus
) -> None:
    if ALLOWED[old].split()[list(S).index(new)] == "x":
        check_transition(old, new)
        return
    with pytest.raises(TransitionNotAllowed, match=f"^{old} cannot become {new}$"):
        check_transition(old, new)


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(S)


def test_pending_and_in_progress_are_all_that_is_not_ended() -> None:
    assert set(S) - ENDED == {S.PENDING, S.IN_PROGRESS}


ENDS = {
    D.ANSWERED: S.COMPLETED,
    D.VOICEMAIL: S.VOICEMAIL,
    D.NO_ANSWER: S.NO_ANSWER,
    D.BUSY: S.BUSY,
    D.REJECTED: S.FAILED,
    D.INVALID_NUMBER: S.FAILED,
    D.CARRIER_ERROR: S.FAILED,
    D.DELIVERED: S.COMPLETED,
    D.UNDELIVERED: S.FAILED,
    D.OPTED_OUT: S.COMPLETED,
    D.CANCELLED: S.CANCELLED,
}


@pytest.mark.parametrize("disposition", D)
def test_each_outcome_ends_a_recipient_in_its_status(disposition: Disposition) -> None:
    assert ENDS_AS[disposition] is ENDS[disposition]
    assert ENDS_AS[disposition] in TRANSITIONS[S.IN_PROGRESS]


@pytest.mark.parametrize("status", S)
def test_what_a_person_may_retry_goes_back_to_pending(status: RecipientStatus) -> None:
    if status in RETRYABLE_BY_HAND:
        check_transition(status, S.PENDING)


def test_retry_failed_takes_back_failed_no_answer_and_busy() -> None:
    assert {S.FAILED, S.NO_ANSWER, S.BUSY} == RETRY_FAILED_DEFAULT
    assert RETRY_FAILED_DEFAULT < RETRYABLE_BY_HAND


def test_a_dial_begins_from_pending_alone() -> None:
    assert {old for old in S if S.IN_PROGRESS in TRANSITIONS[old]} == {S.PENDING}


def test_nobody_is_dialed_again_after_a_cancel() -> None:
    assert not {S.PENDING, S.IN_PROGRESS} & TRANSITIONS[S.CANCELLED]


@pytest.mark.parametrize("new", S)
def test_what_a_status_may_follow_is_the_table_read_backwards(new: RecipientStatus) -> None:
    assert before(new) == {old for old in S if new in TRANSITIONS[old]}
