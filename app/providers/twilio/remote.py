"""Translates calls and messages of Twilio's REST API into the events that led to their state."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from app.domain.events import AttemptEvent, EventKind
from app.providers.base import RemoteAttempt
from app.providers.twilio.errors import failure_of, remedy_of
from app.providers.twilio.vocabulary import (
    CALL_STATUS,
    MESSAGE_STATUS,
    answered_by,
    parse_count,
    positive_price,
)

_UNDATED = datetime.fromtimestamp(0, UTC)
"""A record without a creation date is older than anything we look for."""


class _Call(Protocol):
    """What we read of the SDK's `CallInstance`."""

    sid: str | None
    status: str | None
    to: str | None
    _from: str | None
    direction: str | None
    date_created: datetime | None
    date_updated: datetime | None
    end_time: datetime | None
    duration: str | None
    answered_by: str | None
    price: str | None
    price_unit: str | None


class _Message(Protocol):
    """What we read of the SDK's `MessageInstance`."""

    sid: str | None
    status: str | None
    to: str | None
    from_: str | None
    body: str | None
    direction: str | None
    date_created: datetime | None
    date_updated: datetime | None
    date_sent: datetime | None
    error_code: int | None
    price: str | None
    price_unit: str | None


def remote_call(call: _Call) -> RemoteAttempt:
    """Translate a call. For a completed one, its end minus its duration is when it was answered."""
    created = call.date_created or _UNDATED
    kind = CALL_STATUS.get(call.status or "", EventKind.UNKNOWN)
    ended = call.end_time or call.date_updated or created
    duration = parse_count(call.duration)
    state = AttemptEvent(
        kind=kind,
        occurred_at=ended,
        provider_id=call.sid,
        answered_by=answered_by(call.answered_by),
        duration_seconds=duration if kind is EventKind.COMPLETED else None,
        price=positive_price(call.price),
        price_unit=call.price_unit if call.price else None,
    )
    events: tuple[AttemptEvent, ...] = (state,)
    if kind is EventKind.COMPLETED and duration:
        answered_at = ended - timedelta(seconds=duration)
        events = (AttemptEvent(kind=EventKind.ANSWERED, occurred_at=answered_at, provider_id=call.sid), state)
    return RemoteAttempt(
        provider_id=call.sid or "",
        to=call.to or "",
        from_=call._from,  # noqa: SLF001 - the SDK's only name for it
        created_at=created,
        outbound_api=call.direction == "outbound-api",
        body=None,
        events=events,
    )


def remote_message(message: _Message) -> RemoteAttempt:
    """Translate a message."""
    created = message.date_created or _UNDATED
    state = AttemptEvent(
        kind=MESSAGE_STATUS.get(message.status or "", EventKind.UNKNOWN),
        occurred_at=message.date_updated or message.date_sent or created,
        provider_id=message.sid,
        error_code=message.error_code,
        failure=failure_of(message.error_code),
        remedy=remedy_of(message.error_code),
        price=positive_price(message.price),
        price_unit=message.price_unit if message.price else None,
    )
    return RemoteAttempt(
        provider_id=message.sid or "",
        to=message.to or "",
        from_=message.from_,
        created_at=created,
        outbound_api=message.direction == "outbound-api",
        body=message.body,
        events=(state,),
    )
