"""One try to reach a recipient: its status, its disposition, and the monotonic `apply_event`.

`apply_event` is a join: every field only moves one way, so any order, repetition or delay of the same events
ends in the same state (invariant I10).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from app.domain.events import AnsweredBy, AttemptEvent, EventKind, FailureClass


class AttemptStatus(StrEnum):
    """Where the try is."""

    PLACING = "placing"
    UNKNOWN = "unknown"
    NOT_PLACED = "not_placed"
    REVIEW = "review"
    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    SENT = "sent"
    COMPLETED = "completed"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


class Disposition(StrEnum):
    """The business outcome of an ended attempt."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    CARRIER_ERROR = "carrier_error"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    OPTED_OUT = "opted_out"
    CANCELLED = "cancelled"


_A = AttemptStatus

LIVE: Final = frozenset({_A.PLACING, _A.UNKNOWN, _A.REVIEW, _A.QUEUED, _A.RINGING, _A.IN_PROGRESS})
"""Holds a slot and blocks its phone number: it is, or may be, going on at the carrier."""

ENDED: Final = frozenset({_A.NOT_PLACED, _A.COMPLETED, _A.DELIVERED, _A.UNDELIVERED, _A.FAILED})

UNPROVEN: Final = frozenset({_A.PLACING, _A.UNKNOWN})
"""We do not know whether the carrier has it: the reconciler's work."""

OURS: Final = frozenset({_A.PLACING, _A.UNKNOWN, _A.NOT_PLACED, _A.REVIEW})
"""What we say of it ourselves: any word from the carrier outranks these."""

THE_CARRIERS: Final = frozenset(_A) - OURS - {_A.QUEUED, _A.FAILED}
"""Only the carrier's word makes these: an attempt in one of them has the carrier's id."""

NOT_RINGING: Final = OURS | {_A.QUEUED}
"""Nobody's phone rings yet, as far as we know."""

PLACED: Final = LIVE - OURS
"""Live, and the carrier has it: proven."""

CHARGED: Final = frozenset({_A.SENT, _A.COMPLETED, _A.DELIVERED, _A.UNDELIVERED})
"""What carriers charge for: nobody pays for calls that were not answered."""

DROPPED: Final = frozenset({Disposition.UNDELIVERED, Disposition.CARRIER_ERROR})
"""How a text ends that the carrier held too long and never sent."""

_RANK: Final[Mapping[AttemptStatus, int]] = {
    **dict.fromkeys(OURS, 0),
    _A.QUEUED: 1,
    _A.RINGING: 2,
    _A.IN_PROGRESS: 3,
    _A.SENT: 3,
    _A.FAILED: 7,
    _A.UNDELIVERED: 8,
    _A.COMPLETED: 9,
    _A.DELIVERED: 9,
}

_MOVES_TO: Final[Mapping[EventKind, AttemptStatus]] = {
    EventKind.QUEUED: _A.QUEUED,
    EventKind.INITIATED: _A.QUEUED,
    EventKind.RINGING: _A.RINGING,
    EventKind.ANSWERED: _A.IN_PROGRESS,
    EventKind.COMPLETED: _A.COMPLETED,
    EventKind.BUSY: _A.FAILED,
    EventKind.NO_ANSWER: _A.FAILED,
    EventKind.FAILED: _A.FAILED,
    EventKind.CANCELLED: _A.FAILED,
    EventKind.SENDING: _A.QUEUED,
    EventKind.SENT: _A.SENT,
    EventKind.DELIVERED: _A.DELIVERED,
    EventKind.UNDELIVERED: _A.UNDELIVERED,
}

_END_PRIORITY: Final[Mapping[EventKind, int]] = {
    EventKind.COMPLETED: 9,
    EventKind.DELIVERED: 9,
    EventKind.UNDELIVERED: 8,
    EventKind.BUSY: 7,
    EventKind.NO_ANSWER: 6,
    EventKind.CANCELLED: 5,
    EventKind.FAILED: 4,
}
"""Which of two reported ends wins: the one that proves most contact, so nobody is redialed by mistake."""

_DISPOSITION_OF: Final[Mapping[EventKind, Disposition]] = {
    EventKind.COMPLETED: Disposition.ANSWERED,
    EventKind.DELIVERED: Disposition.DELIVERED,
    EventKind.UNDELIVERED: Disposition.UNDELIVERED,
    EventKind.BUSY: Disposition.BUSY,
    EventKind.NO_ANSWER: Disposition.NO_ANSWER,
    EventKind.CANCELLED: Disposition.CANCELLED,
    EventKind.FAILED: Disposition.CARRIER_ERROR,
}
"""What each end means, unless the answering machine or the cause of a failure says more."""

_ANSWERED_BY_PRIORITY: Final[Mapping[AnsweredBy, int]] = {
    AnsweredBy.UNKNOWN: 0,
    AnsweredBy.FAX: 1,
    AnsweredBy.MACHINE: 2,
    AnsweredBy.HUMAN: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptProgress:
    """What the carrier has told us of an attempt so far."""

    status: AttemptStatus = AttemptStatus.PLACING
    ended_as: EventKind | None = None
    answered_by: AnsweredBy | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    last_event_at: datetime | None = None
    duration_seconds: int | None = None
    sip_code: int | None = None
    error_code: int | None = None
    failure: FailureClass | None = None
    reply: str | None = None
    replied_at: datetime | None = None
    opted_out: bool = False
    conflict: bool = False
    """The carrier reported two different ends; a look-up decides."""
    price: str | None = None
    price_unit: str | None = None


def apply_event(progress: AttemptProgress, event: AttemptEvent) -> AttemptProgress:
    """Return the progress after the event: events in any order, any number of times, end the same."""
    match event.kind:
        case EventKind.UNKNOWN:
            return progress
        case EventKind.REPLIED:
            changes = _reply(progress, event)
        case EventKind.OPTED_OUT:
            changes = {"opted_out": True}
        case _:
            changes = _status(progress, event) | _end(progress, event)
    return replace(progress, **_details(progress, event), **changes)


def disposition_of(progress: AttemptProgress) -> Disposition | None:
    """Return the business outcome of an ended attempt; None while it goes on or if it was not placed."""
    if progress.ended_as is None:
        return None
    if progress.opted_out:
        return Disposition.OPTED_OUT
    if progress.ended_as is EventKind.COMPLETED or progress.answered_at is not None:
        # However an answered call ended, somebody or something picked up: it is not dialed again.
        by_machine = progress.answered_by in {AnsweredBy.MACHINE, AnsweredBy.FAX}
        return Disposition.VOICEMAIL if by_machine else Disposition.ANSWERED
    if progress.ended_as in {EventKind.FAILED, EventKind.UNDELIVERED}:
        return _failure_disposition(progress.failure, _DISPOSITION_OF[progress.ended_as])
    return _DISPOSITION_OF[progress.ended_as]


def _failure_disposition(failure: FailureClass | None, otherwise: Disposition) -> Disposition:
    if failure is FailureClass.BAD_NUMBER:
        return Disposition.INVALID_NUMBER
    if failure is FailureClass.OPTED_OUT:
        return Disposition.OPTED_OUT
    if failure in {FailureClass.REJECTED, FailureClass.SENDER_HEALTH}:
        return Disposition.REJECTED
    return otherwise


_Changes = dict[str, Any]
"""Fields of the progress, merged with an event's."""


def _details(progress: AttemptProgress, event: AttemptEvent) -> _Changes:
    return {
        "last_event_at": _latest(progress.last_event_at, event.occurred_at),
        "answered_by": _surer(progress.answered_by, event.answered_by),
        "duration_seconds": _larger(progress.duration_seconds, event.duration_seconds),
        "sip_code": _larger(progress.sip_code, event.sip_code),
        "error_code": _larger(progress.error_code, event.error_code),
        "price": _dearer(progress.price, event.price),
        "price_unit": progress.price_unit
        if event.price_unit is None
        else max(progress.price_unit or "", event.price_unit),
    }


def _reply(progress: AttemptProgress, event: AttemptEvent) -> _Changes:
    known = (progress.replied_at, progress.reply)
    if progress.replied_at is not None and known >= (
        event.occurred_at,
        event.reply or "",
    ):
        return {}
    return {"reply": event.reply or "", "replied_at": event.occurred_at}


def _status(progress: AttemptProgress, event: AttemptEvent) -> _Changes:
    target = _MOVES_TO[event.kind]
    changes: _Changes = {"status": target} if _RANK[target] > _RANK[progress.status] else {}
    if event.kind is EventKind.RINGING:
        changes["ringing_at"] = _earliest(progress.ringing_at, event.occurred_at)
    if event.kind is EventKind.ANSWERED:
        changes["answered_at"] = _earliest(progress.answered_at, event.occurred_at)
    return changes


def _end(progress: AttemptProgress, event: AttemptEvent) -> _Changes:
    if event.kind not in _END_PRIORITY:
        return {}
    wins = progress.ended_as is None or _END_PRIORITY[event.kind] > _END_PRIORITY[progress.ended_as]
    return {
        "ended_as": event.kind if wins else progress.ended_as,
        "ended_at": _earliest(progress.ended_at, event.occurred_at),
        "failure": _worse(progress.failure, event.failure),
        "conflict": progress.conflict or (progress.ended_as not in {None, event.kind}),
    }


def _earliest(known: datetime | None, new: datetime) -> datetime:
    return new if known is None else min(known, new)


def _latest(known: datetime | None, new: datetime) -> datetime:
    return new if known is None else max(known, new)


def _larger(known: int | None, new: int | None) -> int | None:
    return new if known is None else known if new is None else max(known, new)


def _dearer(known: str | None, new: str | None) -> str | None:
    return new if known is None else known if new is None else max(known, new, key=Decimal)


def _surer(known: AnsweredBy | None, new: AnsweredBy | None) -> AnsweredBy | None:
    if known is None or new is None:
        return new if known is None else known
    return max(known, new, key=_ANSWERED_BY_PRIORITY.__getitem__)


def _worse(known: FailureClass | None, new: FailureClass | None) -> FailureClass | None:
    if known is None or new is None:
        return new if known is None else known
    return min(known, new, key=list(FailureClass).index)
