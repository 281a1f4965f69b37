"""The answers of `/api/v1` for attempts."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from app.api.v1.fields import Moment
from app.services.campaigns.views import AttemptDetail, AttemptRow
from app.services.dialing.settle.second_calls import SecondCallRow


class AttemptAnswer(BaseModel):
    """One try to reach a contact: exactly one call or message."""

    id: UUID
    campaign_id: int
    campaign_contact_id: int
    attempt_number: int
    at: Moment
    contact_name: str
    to: str
    from_: str = Field(serialization_alias="from")
    channel: str
    status: str
    outcome: str | None
    answered_by: str | None
    reply: str | None
    duration_seconds: int | None
    cost: float | None
    cost_unit: str | None
    error_code: int | None
    error_message: str | None


class Line(BaseModel):
    """One line of a conversation."""

    speaker: str
    text: str
    at: Moment


class Event(BaseModel):
    """One report of the carrier, as received."""

    kind: str
    at: Moment
    payload: dict[str, Any]


class SecondCallAnswer(BaseModel):
    """A second call or message that the carrier made for one attempt."""

    attempt_id: UUID
    contact_name: str
    to: str
    provider_id: str
    at: Moment
    ended_at: Moment | None = Field(description="When the carrier reported its end.")


class AttemptDetailAnswer(AttemptAnswer):
    """One try with its transcript and events."""

    provider_id: str | None
    rendered: dict[str, str]
    transcript: list[Line]
    events: list[Event]


def attempt_answer(row: AttemptRow) -> AttemptAnswer:
    """Return the API's answer for an attempt."""
    return AttemptAnswer(**_fields(row))


def attempt_detail_answer(detail: AttemptDetail) -> AttemptDetailAnswer:
    """Return the API's answer for an attempt, with its transcript and events."""
    return AttemptDetailAnswer(
        **_fields(detail.row),
        provider_id=detail.provider_id,
        rendered=detail.rendered,
        transcript=[Line(speaker=turn.speaker, text=turn.text, at=turn.at) for turn in detail.turns],
        events=[Event(kind=event.kind, at=event.at, payload=event.payload) for event in detail.events],
    )


def _fields(row: AttemptRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "campaign_id": row.campaign_id,
        "campaign_contact_id": row.recipient_id,
        "attempt_number": row.ordinal,
        "at": row.at,
        "contact_name": row.contact_name,
        "to": row.number_to,
        "from_": row.number_from,
        "channel": row.channel,
        "status": row.status,
        "outcome": row.disposition,
        "answered_by": row.answered_by,
        "reply": row.reply,
        "duration_seconds": row.duration_seconds,
        "cost": row.cost,
        "cost_unit": row.cost_unit,
        "error_code": row.error_code,
        "error_message": row.error_message,
    }


def second_call_answer(row: SecondCallRow) -> SecondCallAnswer:
    """Return the API's answer for a second call."""
    return SecondCallAnswer(
        attempt_id=row.attempt_id,
        contact_name=row.contact_name,
        to=row.number_to,
        provider_id=row.provider_id,
        at=row.found_at,
        ended_at=row.ended_at,
    )
