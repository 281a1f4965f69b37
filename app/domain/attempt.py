"""One try to reach a recipient: its status, its disposition, and the monotonic `apply_event`.

`apply_event` is a join: every field moves in one direction only. Whatever the order, repetition or delay of the
events, the final state is the same (invariant I10).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from app.domain.events import AnsweredBy, AttemptEvent, EventKind, FailureClass


class AttemptStatus(StrEnum):
    """The state of the try."""

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
"""These hold a slot and block their phone number: the carrier is working on them, or may be."""

ENDED: Final = frozenset({_A.NOT_PLACED, _A.COMPLETED, _A.DELIVERED, _A.UNDELIVERED, _A.FAILED})

UNPROVEN: Final = frozenset({_A.PLACING, _A.UNKNOWN})
"""We do not know whether the carrier accepted it; the reconciler finds out."""

OURS: Final = frozenset({_A.PLACING, _A.UNKNOWN, _A.NOT_PLACED, _A.REVIEW})
"""Statuses that we set ourselves: any report from the carrier outranks them."""

THE_CARRIERS: Final = frozenset(_A) - OURS - {_A.QUEUED, _A.FAILED}
"""Statuses that only the carrier's reports set: an attempt in one of them has the carrier's id."""

NOT_RINGING: Final = OURS | {_A.QUEUED}
"""As far as we know, the phone does not ring yet."""

PLACED: Final = LIVE - OURS
"""Live, and certainly accepted by the carrier."""

CHARGED: Final = frozenset({_A.SENT, _A.COMPLETED, _A.DELIVERED, _A.UNDELIVERED})
"""What carriers charge for. A call that was not answered is free."""

DROPPED: Final = frozenset({Disposition.UNDELIVERED, Disposition.CARRIER_ERROR})
"""How a message ends that the carrier held too long and never sent."""

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
"""Of two reported ends the higher wins: the one that proves more contact, so that no one is redialed by mistake."""

_DISPOSITION_OF: Final[Mapping[EventKind, Disposition]] = {
    EventKind.COMPLETED: Disposition.ANSWERED,
    EventKind.DELIVERED: Disposition.DELIVERED,
    EventKind.UNDELIVERED: Disposition.UNDELIVERED,
    EventKind.BUSY: Disposition.BUSY,
    EventKind.NO_ANSWER: Disposition.NO_ANSWER,
    EventKind.CANCELLED: Disposition.CANCELLED,
    EventKind.FAILED: Disposition.CARRIER_ERROR,
}
"""What each end means, unless machine detection or the cause of a failure says more."""

_ANSWERED_BY_PRIORITY: Final[Mapping[AnsweredBy, int]] = {
    AnsweredBy.UNKNOWN: 0,
    AnsweredBy.FAX: 1,
    AnsweredBy.MACHINE: 2,
    AnsweredBy.HUMAN: 3,
}

_FAILURE_PRIORITY: Final[Mapping[FailureClass, int]] = {
    failure: -position for position, failure in enumerate(FailureClass)
}
"""Of two reported causes the one listed first in `FailureClass` wins."""


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
    """The carrier reported two different ends; a look-up at the carrier decides."""
    price: str | None = None
    price_unit: str | None = None


def apply_event(progress: AttemptProgress, event: AttemptEvent) -> AttemptProgress:
    """Return the progress after the event. The order and repetition of events do not change the final result."""
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
        # Someone or something picked up, however the call ended: it is not dialed again.
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


_Number = TypeVar("_Number", int, datetime)
_Value = TypeVar("_Value", str, AnsweredBy, FailureClass)
_Changes = dict[str, Any]
"""Fields of the progress, merged with an event's."""


def _details(progress: AttemptProgress, event: AttemptEvent) -> _Changes:
    return {
        "last_event_at": _larger(progress.last_event_at, event.occurred_at),
        "answered_by": _highest(
            progress.answered_by, event.answered_by, rank=_ANSWERED_BY_PRIORITY.__getitem__
        ),
        "duration_seconds": _larger(progress.duration_seconds, event.duration_seconds),
        "sip_code": _larger(progress.sip_code, event.sip_code),
        "error_code": _larger(progress.error_code, event.error_code),
        "price": _highest(progress.price, event.price, rank=Decimal),
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
        "failure": _highest(progress.failure, event.failure, rank=_FAILURE_PRIORITY.__getitem__),
        "conflict": progress.conflict or (progress.ended_as not in {None, event.kind}),
    }


def _earliest(known: datetime | None, new: datetime) -> datetime:
    return new if known is None else min(known, new)


def _larger(known: _Number | None, new: _Number | None) -> _Number | None:
    return new if known is None else known if new is None else max(known, new)


def _highest(known: _Value | None, new: _Value | None, *, rank: Callable[[_Value], Any]) -> _Value | None:
    return new if known is None else known if new is None else max(known, new, key=rank)
