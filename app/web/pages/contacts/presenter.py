"""What the address book shows: cards and rows, worded for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.consent import Consent, ConsentScope
from app.domain.gate import why_held
from app.domain.opening import place_name, time_text
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.services.contacts.queries import ContactDetail, ContactHistoryRow, ContactRow
from app.services.suppression.queries import SuppressionView
from app.web.words import THEIR_TIME, YOUR_TIME, Moment, moment
from app.web.zone_words import time_there, where_in_words

SCOPES: Final[Mapping[SuppressionScope, str]] = {
    SuppressionScope.ALL: "Never call or text",
    SuppressionScope.VOICE: "Never call",
    SuppressionScope.SMS: "Never text",
}

SOURCES: Final[Mapping[SuppressionSource, str]] = {
    SuppressionSource.KEYPRESS: "pressed 9 on a call",
    SuppressionSource.SPOKEN: "said so on a call",
    SuppressionSource.STOP_MESSAGE: "texted STOP",
    SuppressionSource.MANUAL: "by hand",
    SuppressionSource.IMPORT: "from an import",
    SuppressionSource.CARRIER: "told by the carrier",
    SuppressionSource.API: "through the API",
}


CONSENTS: Final[Mapping[Consent, str]] = {
    Consent.UNKNOWN: "Not known",
    Consent.GRANTED: "Given",
    Consent.DENIED: "Refused",
    Consent.WITHDRAWN: "Taken back",
}
CONSENT_SCOPES: Final[Mapping[ConsentScope, str]] = {
    ConsentScope.ALL: "Calls and texts",
    ConsentScope.VOICE: "Calls only",
    ConsentScope.SMS: "Texts only",
}


@dataclass(frozen=True, slots=True)
class ContactListRow:
    """A person in the list."""

    id: int
    number: str
    name: str
    note: str
    tags: list[str]
    suppressed: bool
    campaigns: int
    outcome: str
    contacted: Moment
    added: Moment


@dataclass(frozen=True, slots=True)
class PersonCampaign:
    """A campaign of a person."""

    campaign_id: int
    campaign: str
    at: Moment
    channel: str
    status: str
    outcome: str


@dataclass(frozen=True, slots=True)
class SuppressionItem:
    """A suppression of a person's number, active or lifted."""

    id: int
    scope: str
    reason: str
    source: str
    by: str
    at: Moment
    is_lifted: bool
    lifted_at: Moment
    lifted_by: str
    lift_reason: str


@dataclass(frozen=True, slots=True)
class ContactCard:
    """A person's whole card; `id` 0: none."""

    id: int = 0
    number: str = ""
    e164: str = ""
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    company: str = ""
    time_zone: str = ""
    where: str = ""
    """Where they may be, what tells it, and how certain it is."""
    there: str = ""
    """What time it is there; empty if that is not known."""
    country: str = ""
    state: str = ""
    language: str = ""
    notes: str = ""
    tags: str = ""
    """Separated by commas, as they are edited."""
    own_fields: str = ""
    """One `name: value` per line, as they are edited."""
    added: str = ""
    import_id: int = 0
    """The import that created the card; 0 if none did."""
    consent: str = "unknown"
    consent_words: str = ""
    consent_scope: str = "all"
    consent_scope_words: str = ""
    consent_source: str = ""
    consent_wording: str = ""
    consent_evidence: str = ""
    consent_at: str = ""
    """When it was given, in words; empty if never."""
    suppressed: bool = False
    hold: str = ""
    """Until when no campaign contacts them, as a sentence; empty: no hold stands."""


def contact_item(row: ContactRow, *, zone: str, now: datetime) -> ContactListRow:
    """Return a row of the list."""
    return ContactListRow(
        id=row.id,
        number=row.pretty,
        name=row.name,
        note=" · ".join(part for part in (row.company, row.email) if part),
        tags=row.tags[:3],
        suppressed=row.suppressed,
        campaigns=row.campaigns_count,
        outcome=row.last_outcome or "",
        contacted=moment(row.last_contacted_at, zone, now=now),
        added=moment(row.created_at, zone, now=now),
    )


def contact_card(detail: ContactDetail, *, zone: str, now: datetime) -> ContactCard:
    """Return the card."""
    row, added = detail.row, moment(detail.row.created_at, zone, now=now)
    return ContactCard(
        id=row.id,
        number=row.pretty,
        e164=row.number,
        name=row.name,
        email=row.email,
        company=row.company,
        first_name=detail.first_name,
        last_name=detail.last_name,
        consent=row.consent,
        consent_words=CONSENTS[row.consent],
        consent_scope=detail.consent_scope,
        consent_scope_words=CONSENT_SCOPES[detail.consent_scope] if row.consent is Consent.GRANTED else "",
        consent_source=detail.consent_source,
        consent_wording=detail.consent_wording,
        consent_evidence=detail.consent_evidence,
        consent_at=_when(detail.consent_at, zone, now),
        suppressed=row.suppressed,
        time_zone=detail.time_zone,
        where=where_in_words(detail.where),
        there=time_there(detail.where, now),
        country=detail.country,
        state=detail.state,
        language=detail.language,
        notes=detail.notes,
        tags=", ".join(row.tags),
        own_fields="\n".join(f"{name}: {value}" for name, value in sorted(detail.fields.items())),
        hold=hold_sentence(detail, zone=zone, now=now),
        import_id=detail.import_id or 0,
        added=f"{added.text} {added.zone}, {source_of_card(detail.source)}",
    )


def hold_sentence(detail: ContactDetail, *, zone: str, now: datetime) -> str:
    """Return "Held until 00:00 on Tuesday 12 May in Denver, their time: on holiday."; empty if no hold stands.

    If their zone is not known, the time is told in `zone`, the viewer's.
    """
    hold = detail.hold
    if hold is None or hold.until <= now:
        return ""
    zones = detail.where.zones if detail.where is not None else ()
    there, whose = (zones[0], THEIR_TIME) if zones else (zone, YOUR_TIME)
    until = f"{time_text(hold.until, there, seen=now)} in {place_name(there)}, {whose}"
    return why_held(until, hold.reason)


_SOURCE_OF_CARDS: Final = {
    "manual": "by hand",
    "import": "from a file",
    "api": "through the API",
    "sample": "as sample data",
}


def _when(at: datetime | None, zone: str, now: datetime) -> str:
    there = moment(at, zone, now=now)
    return f"{there.text} {there.zone}".strip()


def source_of_card(source: str) -> str:
    """Return where a card comes from, in words; an import's source ends with its id."""
    kind = source.partition(":")[0]
    return _SOURCE_OF_CARDS.get(kind, source)


def history_item(row: ContactHistoryRow, *, zone: str, now: datetime) -> PersonCampaign:
    """Return a campaign of a person."""
    return PersonCampaign(
        campaign_id=row.campaign_id,
        campaign=row.campaign_name,
        at=moment(row.at, zone, now=now),
        channel={"call": "Call", "sms": "Text"}.get(row.channel, "Call and text"),
        status=row.status,
        outcome=row.disposition or "",
    )


def suppression_item(view: SuppressionView, *, zone: str, now: datetime) -> SuppressionItem:
    """Return a suppression with who and when."""
    return SuppressionItem(
        id=view.id,
        scope=SCOPES[view.scope],
        reason=view.reason,
        source=SOURCES[view.source],
        by=who_suppressed(view),
        at=moment(view.created_at, zone, now=now),
        is_lifted=view.lifted_at is not None,
        lifted_at=moment(view.lifted_at, zone, now=now),
        lifted_by=view.lifted_by or "",
        lift_reason=view.lift_reason or "",
    )


def who_suppressed(view: SuppressionView) -> str:
    """Return who suppressed the number; if the person said so on a call, the campaign of the call."""
    if view.campaign is not None:
        return f"in the campaign “{view.campaign}”"
    return "" if view.actor.startswith("attempt:") else view.actor


def own_fields(text: str) -> dict[str, str]:
    """Read `name: value` lines; a line without a colon is a name with an empty value, which is dropped."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def tags(text: str) -> list[str]:
    """Read tags separated by commas."""
    return [tag.strip() for tag in text.split(",") if tag.strip()]
