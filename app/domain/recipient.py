"""The recipient's states: a contact in a run, from pending to its last outcome."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.domain.attempt import Disposition
from app.domain.campaign import TransitionNotAllowed
from app.domain.events import FailureClass


class RecipientStatus(StrEnum):
    """Where a recipient is. The UI and the API say "contact" here, as the seeds do."""

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
"""Waits for an attempt, or for the end of one."""

ENDED: Final = frozenset(_S) - OPEN
"""Nothing more happens to these by itself."""

ADDED_AS: Final = frozenset({_S.PENDING, _S.SKIPPED})
"""How a recipient begins: skipped, if its number must not be contacted."""

ENDED_BY_ATTEMPT: Final = ENDED - {_S.SKIPPED, _S.CANCELLED}
"""How the last attempt ended says these; the others, a rule or a person."""

TRANSITIONS: Final[Mapping[RecipientStatus, frozenset[RecipientStatus]]] = {
    # A carrier's late word about the last attempt may end a recipient that already waited for its next one.
    _S.PENDING: frozenset(_S) - {_S.PENDING},
    _S.IN_PROGRESS: frozenset(_S) - {_S.IN_PROGRESS},
    # A message is completed on `sent`; a later report may still say it was not delivered. That a machine
    # answered a call may be heard after its end.
    _S.COMPLETED: frozenset({_S.PENDING, _S.FAILED, _S.VOICEMAIL, _S.SKIPPED}),
    # Of two ends the carrier reports, the one that proves more contact wins, also when it comes second.
    _S.FAILED: frozenset({_S.PENDING, _S.NO_ANSWER, _S.BUSY, _S.VOICEMAIL, _S.COMPLETED, _S.CANCELLED}),
    _S.NO_ANSWER: frozenset({_S.PENDING, _S.BUSY, _S.VOICEMAIL, _S.COMPLETED}),
    _S.BUSY: frozenset({_S.PENDING, _S.VOICEMAIL, _S.COMPLETED}),
    _S.VOICEMAIL: frozenset({_S.PENDING, _S.COMPLETED}),
    _S.SKIPPED: frozenset({_S.PENDING}),
    # Never back to pending, but a call that was on its way when it was cancelled may have got through.
    _S.CANCELLED: frozenset({_S.FAILED, _S.NO_ANSWER, _S.BUSY, _S.VOICEMAIL, _S.COMPLETED}),
}
"""Which status may follow which; back to pending is a retry, by rule or by hand."""

UNREACHED: Final = frozenset({_S.FAILED, _S.NO_ANSWER, _S.BUSY})
"""Ended without a contact. These end with an error; of the others, how they ended says all."""

RETRYABLE_BY_HAND: Final = UNREACHED | {_S.VOICEMAIL, _S.SKIPPED}
"""A person may ask for one more try of these."""

RETRY_FAILED_DEFAULT: Final = UNREACHED
"""What "retry failed" takes back unless the person unticks some."""

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
"""The recipient's last status for an attempt's disposition, when no attempt follows."""


def ends_as(disposition: Disposition, failure: FailureClass | None) -> RecipientStatus:
    """Return the last status after an attempt that ended so: whom the carrier shields from us was never reached."""
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
