"""The campaign's states: every pair of statuses, every action in every status."""

from itertools import product

import pytest

from app.domain.campaign import (
    ACTIONS,
    DIALING,
    EDITABLE,
    TRANSITIONS,
    CampaignAction,
    CampaignStatus,
    TransitionNotAllowed,
    allowed_actions,
    before,
    check_transition,
    may,
)

S, A = CampaignStatus, CampaignAction

# One row for each old status, one letter for each new one, in the order of the enumeration.
#                 draft scheduled queued running paused completed cancelled failed
ALLOWED = {
    S.DRAFT: "        -     x        x      -       -      -         x         -",
    S.SCHEDULED: "    -     -        x      -       x      x         x         x",
    S.QUEUED: "       -     x        -      x       x      x         x         x",
    S.RUNNING: "      -     x        -      -       x      x         x         x",
    S.PAUSED: "       -     x        x      x       -      -         x         x",
    S.COMPLETED: "    -     -        -      x       -      -         -         -",
    S.CANCELLED: "    -     -        -      -       -      -         -         -",
    S.FAILED: "       -     x        x      x       -      -         x         -",
}


@pytest.mark.parametrize(("old", "new"), list(product(S, S)), ids=str)
def test_each_status_is_followed_by_what_the_table_says_and_nothing_else(
    old: CampaignStatus, new: CampaignStatus
) -> None:
    if ALLOWED[old].split()[list(S).index(new)] == "x":
        check_transition(old, new)
        return
    with pytest.raises(TransitionNotAllowed) as refused:
        check_transition(old, new)
    assert (refused.value.old, refused.value.new) == (old, new)
    assert str(refused.value) == f"{old} cannot become {new}"


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(S)


@pytest.mark.parametrize("status", S)
def test_every_status_can_be_reached_from_a_draft(status: CampaignStatus) -> None:
    reached = {S.DRAFT}
    for _ in S:
        reached |= {new for old in reached for new in TRANSITIONS[old]}
    assert status in reached


OFFERED = {
    S.DRAFT: {A.START, A.CANCEL, A.DUPLICATE, A.EDIT, A.DELETE},
    S.SCHEDULED: {A.PAUSE, A.CANCEL, A.DUPLICATE},
    S.QUEUED: {A.PAUSE, A.CANCEL, A.DUPLICATE},
    S.RUNNING: {A.PAUSE, A.CANCEL, A.DUPLICATE},
    S.PAUSED: {A.RESUME, A.CANCEL, A.DUPLICATE, A.EDIT},
    S.COMPLETED: {A.DUPLICATE, A.RETRY_FAILED},
    S.CANCELLED: {A.DUPLICATE},
    S.FAILED: {A.RESUME, A.CANCEL, A.DUPLICATE, A.EDIT},
}


@pytest.mark.parametrize("status", S)
def test_each_status_offers_the_actions_of_the_manual(status: CampaignStatus) -> None:
    assert allowed_actions(status) == OFFERED[status]


@pytest.mark.parametrize(("action", "status"), list(product(A, S)), ids=str)
def test_may_and_the_list_of_actions_agree(action: CampaignAction, status: CampaignStatus) -> None:
    assert may(action, status) is (action in allowed_actions(status)) is (status in ACTIONS[action])


LEADS_TO = {
    A.START: {S.QUEUED, S.SCHEDULED},
    A.PAUSE: {S.PAUSED},
    A.RESUME: {S.SCHEDULED, S.QUEUED, S.RUNNING},
    A.CANCEL: {S.CANCELLED},
    A.RETRY_FAILED: {S.RUNNING},
}


@pytest.mark.parametrize("action", list(LEADS_TO))
def test_an_offered_action_is_never_refused_by_the_table(action: CampaignAction) -> None:
    for status in ACTIONS[action]:
        assert LEADS_TO[action] & TRANSITIONS[status]


def test_settings_are_edited_in_draft_paused_and_failed_only_and_never_while_dialing() -> None:
    assert {S.DRAFT, S.PAUSED, S.FAILED} == EDITABLE
    assert {S.QUEUED, S.RUNNING} == DIALING


@pytest.mark.parametrize("new", S)
def test_what_a_status_may_follow_is_the_table_read_backwards(new: CampaignStatus) -> None:
    assert before(new) == {old for old in S if new in TRANSITIONS[old]}
