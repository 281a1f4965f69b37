"""What the Call log shows, worded."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final, Self
from urllib.parse import urlencode

from app.domain.attempt import Disposition
from app.domain.campaign import Channel
from app.domain.events import AnsweredBy
from app.domain.phone import pretty
from app.services.campaigns.views import AttemptDetail, AttemptRow, EventRow, Turn
from app.web.pages.campaign.words import REPLY_WORDS, Moment, clock_time, duration, moment, money

ALL: Final = "all"

_ANSWERED_BY: Final[Mapping[AnsweredBy, str]] = {
    AnsweredBy.HUMAN: "A person",
    AnsweredBy.MACHINE: "An answering machine",
    AnsweredBy.FAX: "A fax machine",
    AnsweredBy.UNKNOWN: "Not known",
}
_PARTS: Final[Mapping[str, str]] = {
    "welcome": "Greeting",
    "agenda": "Agenda",
    "question": "Question",
    "closing": "Closing",
    "body": "Text message",
}
_ABOUT_US: Final = frozenset({"AccountSid", "ApiVersion"})
"""Parts of a carrier's event that are the same in all of them."""
_NOT_SAID: Final = frozenset({"language", "voice"})


@dataclass(frozen=True, slots=True)
class Query:
    """What the log is asked for."""

    search: str = ""
    disposition: str = ALL
    page: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self:
        """Read an address's parameters; what makes no sense is left out."""
        disposition = parameters.get("disposition", ALL)
        return cls(
            search=parameters.get("search", "")[:200],
            disposition=disposition if disposition in set(Disposition) else ALL,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether it may hide an attempt."""
        return bool(self.search.strip()) or self.disposition != ALL

    def address(self) -> str:
        """Return the filters, as an address ends with them."""
        usual = asdict(Query())
        asked = {key: value for key, value in asdict(self).items() if value != usual[key] and key != "page"}
        return f"?{urlencode(asked)}" if asked else ""


@dataclass(frozen=True, slots=True)
class CallItem:
    """A row of the log."""

    id: str = ""
    at: Moment = field(default_factory=Moment)
    name: str = ""
    number: str = ""
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
    """One part of what the agent was given to say."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript."""

    speaker: str
    text: str
    at: str
    is_agent: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One thing the carrier told."""

    kind: str
    at: str
    payload: str


@dataclass(frozen=True, slots=True)
class CallDetail:
    """One attempt with its words and events."""

    item: CallItem = field(default_factory=CallItem)
    parts: list[Part] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    provider_id: str = ""


def call_item(row: AttemptRow, *, zone: str, now: datetime) -> CallItem:
    """Word a row; times are in the campaign's zone."""
    code = f" (carrier's code {row.error_code})" if row.error_code else ""
    return CallItem(
        id=str(row.id),
        at=moment(row.at, zone, now=now),
        name=row.contact_name or "No name",
        number=pretty(row.number_to),
        number_from=pretty(row.number_from),
        is_text=row.channel is Channel.SMS,
        status=row.status.value,
        disposition=row.disposition.value if row.disposition else "",
        duration=duration(row.duration_seconds),
        cost=money(row.cost, row.cost_unit),
        ordinal=f"{row.ordinal}",
        answered_by=_ANSWERED_BY[row.answered_by] if row.answered_by else "",
        reply=REPLY_WORDS.get(row.reply, row.reply) if row.reply else "",
        error=f"{row.error_message}{code}" if row.error_message else code.strip(),
    )


def call_detail(detail: AttemptDetail, *, zone: str, now: datetime) -> CallDetail:
    """Word an attempt and its story."""
    said = {name: text for name, text in detail.rendered.items() if text.strip() and name not in _NOT_SAID}
    return CallDetail(
        item=call_item(detail.row, zone=zone, now=now),
        parts=[Part(_PARTS.get(name, name.capitalize()), text) for name, text in said.items()],
        lines=[_line(turn, detail.row.contact_name, zone) for turn in detail.turns],
        events=[_event(event, zone) for event in detail.events],
        provider_id=detail.provider_id or "",
    )


def _line(turn: Turn, contact_name: str, zone: str) -> Line:
    is_agent = turn.speaker == "agent"
    return Line(
        speaker="Agent" if is_agent else contact_name or "Contact",
        text=turn.text,
        at=clock_time(turn.at, zone),
        is_agent=is_agent,
    )


def _event(event: EventRow, zone: str) -> Event:
    told = {name: value for name, value in event.payload.items() if name not in _ABOUT_US}
    payload = json.dumps(told, indent=2, ensure_ascii=False, default=str)
    return Event(event.kind.replace("_", " "), clock_time(event.at, zone), payload)
