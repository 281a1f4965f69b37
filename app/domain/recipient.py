"""The states of a recipient, which is a contact in a campaign, from pending to its final outcome."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.domain.attempt import Disposition
from app.domain.campaign import TransitionNotAllowed
from app.domain.events import FailureClass


class RecipientStatus(StrEnum):
    """The status of a recipient. The UI and the API say "contact", as the seeds do."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


_S = RecipientStatus

OPEN: Final = frozenset({_S.PENDING, _S.IN_PROGRESS})
"""Waiting for an attempt, or for the end of one."""

ENDED: Final = frozenset(_S) - OPEN
"""Final, unless a person retries it or the carrier reports something late."""

ADDED_AS: Final = frozenset({_S.PENDING, _S.SKIPPED})
"""The first status of a recipient: skipped if its number must not be contacted."""

ENDED_BY_ATTEMPT: Final = ENDED - {_S.SKIPPED, _S.CANCELLED}
"""Final statuses set by the last attempt; a rule or a person sets the others."""

TRANSITIONS: Final[Mapping[RecipientStatus, frozenset[RecipientStatus]]] = {
    # A late report about the last attempt may end a recipient that already waits for its next one.
    _S.PENDING: frozenset(_S) - {_S.PENDING},
    _S.IN_PROGRESS: frozenset(_S) - {_S.IN_PROGRESS},
    # A message is completed when sent; a later report may say that it was not delivered. The report that a machine
    # answered a call may come after its end.
    _S.COMPLETED: frozenset({_S.PENDING, _S.FAILED, _S.VOICEMAIL, _S.SKIPPED}),
    # If the carrier reports two ends, the one that proves more contact wins, even if it comes second.
    _S.FAILED: frozenset({_S.PENDING, _S.NO_ANSWER, _S.BUSY, _S.VOICEMAIL, _S.COMPLETED, _S.CANCELLED}),
    _S.NO_ANSWER: frozenset({_S.PENDING, _S.BUSY, _S.VOICEMAIL, _S.COMPLETED}),
    _S.BUSY: frozenset({_S.PENDING, _S.VOICEMAIL, _S.COMPLETED}),
    _S.VOICEMAIL: frozenset({_S.PENDING, _S.COMPLETED}),
    _S.SKIPPED: frozenset({_S.PENDING}),
    # Never back to pending. But a call that was already placed at the cancellation may have been answered.
    _S.CANCELLED: frozenset({_S.FAILED, _S.NO_ANSWER, _S.BUSY, _S.VOICEMAIL, _S.COMPLETED}),
}
"""Status -> which may follow it. Back to pending is a retry, by a rule or a person."""

UNREACHED: Final = frozenset({_S.FAILED, _S.NO_ANSWER, _S.BUSY})
"""Ended without a contact: these keep an error. The other statuses need no explanation."""

RETRYABLE_BY_HAND: Final = UNREACHED | {_S.VOICEMAIL, _S.SKIPPED}
"""A person can retry these."""

RETRY_FAILED_DEFAULT: Final = UNREACHED
"""What "retry failed" retries, unless the person deselects some."""

ENDS_AS: Final[Mapping[Disposition, RecipientStatus]] = {
    Disposition.ANSWERED: _S.COMPLETED,
    Disposition.VOICEMAIL: _S.VOICEMAIL,
    Disposition.NO_ANSWER: _S.NO_ANSWER,
    Disposition.BUSY: _S.BUSY,
    Disposition.REJECTED: _S.FAILED,
    Disposition.INVALID_NUMBER: _S.FAILED,
    Disposition.CARRIER_ERROR: _S.FAILED,
    Disposition.DELIVERED: _S.COMPLETED,
    Disposition.UNDELIVERED: _S.FAILED,
    Disposition.OPTED_OUT: _S.COMPLETED,
    Disposition.CANCELLED: _S.CANCELLED,
}
"""Disposition of the last attempt -> the recipient's final status."""


def ends_as(disposition: Disposition, failure: FailureClass | None) -> RecipientStatus:
    """Return the final status after such an attempt; skipped if the carrier blocked it because of an opt-out."""
    if disposition is Disposition.OPTED_OUT and failure is FailureClass.OPTED_OUT:
        return RecipientStatus.SKIPPED
    return ENDS_AS[disposition]


def before(new: RecipientStatus) -> frozenset[RecipientStatus]:
    """Return the statuses that `new` may follow."""
    return frozenset(old for old, following in TRANSITIONS.items() if new in following)


def check_transition(old: RecipientStatus, new: RecipientStatus) -> None:
    """Raise `TransitionNotAllowed` unless `new` may follow `old`."""
    if new not in TRANSITIONS[old]:
        raise TransitionNotAllowed(old, new)
