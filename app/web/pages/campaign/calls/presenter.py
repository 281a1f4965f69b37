"""The rows and the sheet of the Call log, in words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.domain.attempt import Disposition
from app.domain.campaign import Channel
from app.domain.events import AnsweredBy, EventKind
from app.domain.phone import pretty
from app.services.campaigns.views import AttemptDetail, AttemptRow, EventRow, TranscriptLine
from app.web.listing import ListQuery, id_filter, word_filter
from app.web.recipient_words import REPLY_WORDS
from app.web.words import Moment, clock_time, duration, moment, money, there_it_is

_ANSWERED_BY: Final[Mapping[AnsweredBy, str]] = {
    AnsweredBy.HUMAN: "A person",
    AnsweredBy.MACHINE: "An answering machine",
    AnsweredBy.FAX: "A fax machine",
    AnsweredBy.UNKNOWN: "Not known",
}
_PARTS: Final[Mapping[str, str]] = {
    "welcome": "Greeting",
    "agenda": "Reason for the call",
    "question": "Question",
    "closing": "Closing",
    "body": "Text",
}
_EVENTS: Final[Mapping[str, str]] = {
    EventKind.QUEUED: "Accepted by the carrier",
    EventKind.INITIATED: "Dialed",
    EventKind.RINGING: "Ringing",
    EventKind.ANSWERED: "Answered",
    EventKind.COMPLETED: "Ended",
    EventKind.BUSY: "Busy",
    EventKind.NO_ANSWER: "No answer",
    EventKind.FAILED: "Failed",
    EventKind.CANCELLED: "Cancelled",
    EventKind.SENDING: "Being sent",
    EventKind.SENT: "Sent",
    EventKind.DELIVERED: "Delivered",
    EventKind.UNDELIVERED: "Not delivered",
    EventKind.REPLIED: "Replied",
    EventKind.OPTED_OUT: "Opted out",
    EventKind.UNKNOWN: "Something else",
}
_ABOUT_US: Final = frozenset({"AccountSid", "ApiVersion"})
"""Fields that are the same in every event of a carrier account."""
_NOT_SAID: Final = frozenset({"language", "voice"})


@dataclass(frozen=True, slots=True)
class CallLogQuery(ListQuery):
    """The filters, sort and page of the log."""

    disposition: str = word_filter(Disposition)
    run: str = id_filter(narrows=False)
    """The number of the run; without one, the usual."""


@dataclass(frozen=True, slots=True)
class CallItem:
    """A row of the log."""

    id: str = ""
    at: Moment = field(default_factory=Moment)
    name: str = ""
    number: str = ""
    there: str = ""
    """What time it is where the contact is."""
    number_from: str = ""
    is_text: bool = False
    status: str = ""
    disposition: str = ""
    duration: str = ""
    cost: str = ""
    ordinal: str = ""
    answered_by: str = ""
    reply: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the text given to the agent."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptEntry:
    """One line of the transcript."""

    speaker: str
    text: str
    at: str
    is_agent: bool


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One event the carrier reported."""

    kind: str
    at: str
    payload: str


@dataclass(frozen=True, slots=True)
class CallDetail:
    """One attempt with its words and events."""

    item: CallItem = field(default_factory=CallItem)
    parts: list[Part] = field(default_factory=list)
    lines: list[TranscriptEntry] = field(default_factory=list)
    events: list[CarrierEvent] = field(default_factory=list)
    provider_id: str = ""


def call_item(row: AttemptRow, *, zone: str, now: datetime) -> CallItem:
    """Word a row; times are in the campaign's zone."""
    code = f" (carrier's code {row.error_code})" if row.error_code else ""
    is_estimate = row.cost is None and row.estimated_cost is not None
    cost = money(row.estimated_cost if is_estimate else row.cost, row.cost_unit)
    return CallItem(
        id=str(row.id),
        at=moment(row.at, zone, now=now),
        name=row.contact_name or "No name",
        number=pretty(row.number_to),
        there=there_it_is(row.place_zones, now=now),
        number_from=pretty(row.number_from),
        is_text=row.channel is Channel.SMS,
        status=row.status.value,
        disposition=row.disposition.value if row.disposition else "",
        duration=duration(row.duration_seconds),
        cost=f"{cost} estimated" if is_estimate else cost,
        ordinal=f"{row.ordinal}",
        answered_by=_ANSWERED_BY[row.answered_by] if row.answered_by else "",
        reply=REPLY_WORDS.get(row.reply, row.reply) if row.reply else "",
        error=f"{row.error_message}{code}" if row.error_message else code.strip(),
    )


def call_detail(detail: AttemptDetail, *, zone: str, now: datetime) -> CallDetail:
    """Word an attempt with its events; its parts are in the order in which a call says them."""
    said = {name: text for name, text in detail.rendered.items() if text.strip() and name not in _NOT_SAID}
    in_order = [name for name in _PARTS if name in said] + [name for name in said if name not in _PARTS]
    return CallDetail(
        item=call_item(detail.row, zone=zone, now=now),
        parts=[Part(_PARTS.get(name, name.capitalize()), said[name]) for name in in_order],
        lines=[_line(turn, detail.row.contact_name, zone) for turn in detail.turns],
        events=event_lines(detail.events, zone),
        provider_id=detail.provider_id or "",
    )


def _line(turn: TranscriptLine, contact_name: str, zone: str) -> TranscriptEntry:
    is_agent = turn.speaker == "agent"
    return TranscriptEntry(
        speaker="Agent" if is_agent else contact_name or "Contact",
        text=turn.text,
        at=clock_time(turn.at, zone),
        is_agent=is_agent,
    )


def event_lines(events: Sequence[EventRow], zone: str) -> list[CarrierEvent]:
    """Return one line for each thing that happened: the carrier reports some more than once, in several ways."""
    payloads: dict[str, list[str]] = {}
    first_at: dict[str, datetime] = {}
    for event in events:
        words = _EVENTS.get(event.kind, event.kind.replace("_", " ").capitalize())
        told = {name: value for name, value in event.payload.items() if name not in _ABOUT_US}
        payloads.setdefault(words, []).append(json.dumps(told, indent=2, ensure_ascii=False, default=str))
        first_at.setdefault(words, event.at)
    return [
        CarrierEvent(words, clock_time(first_at[words], zone), "\n".join(same))
        for words, same in payloads.items()
    ]
