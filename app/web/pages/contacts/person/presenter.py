"""A person's history in words: all campaigns and channels, in the viewer's zone and the person's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.campaign import Channel
from app.domain.opening import place_name, time_text
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.services.contacts.history import HistoryItem, HistoryKind
from app.web.components.status import ATTEMPT_LOOKS, DISPOSITION_LOOKS
from app.web.pages.contacts.presenter import SCOPES, SOURCES, source_of_card
from app.web.recipient_words import REPLY_WORDS, reason_words
from app.web.words import THEIR_TIME, in_both_zones

ICONS: Final[Mapping[str, str]] = {
    HistoryKind.CREATED: "user-plus",
    HistoryKind.CHANGED_BY_IMPORT: "file-spreadsheet",
    HistoryKind.ADDED_TO_CAMPAIGN: "megaphone",
    HistoryKind.ATTEMPT: "phone",
    "message": "message-square",
    HistoryKind.SKIPPED: "skip-forward",
    HistoryKind.CANCELLED: "ban",
    HistoryKind.SUPPRESSED: "user-x",
    HistoryKind.SUPPRESSION_LIFTED: "undo-2",
    HistoryKind.HELD: "calendar-clock",
    HistoryKind.HOLD_LIFTED: "undo-2",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened, as the page shows it."""

    key: str
    icon: str
    title: str
    detail: str
    when: str
    iso: str
    campaign_id: int
    campaign: str
    import_id: int
    """The import that did it; 0: none did."""
    outcome: str
    """How an attempt ended, for its badge; empty for none."""


def happened(item: HistoryItem, *, zone: str, theirs: str, now: datetime) -> Happened:
    """Return one event, with its time in the viewer's zone, and in the person's if it differs."""
    is_text = item.kind is HistoryKind.ATTEMPT and item.channel == Channel.SMS
    return Happened(
        key=f"{item.kind}-{item.ref}",
        icon="message" if is_text else item.kind.value,
        title=_held(item, theirs or zone, now) if item.kind is HistoryKind.HELD else _title(item),
        detail=_detail(item),
        when=in_both_zones(item.at, zone, theirs or zone, now=now, others=THEIR_TIME),
        iso=item.at.isoformat(),
        campaign_id=item.campaign_id or 0,
        campaign=item.campaign_name,
        import_id=_import_of(item),
        outcome=item.outcome
        if item.kind is HistoryKind.ATTEMPT and item.outcome in DISPOSITION_LOOKS
        else "",
    )


def _import_of(item: HistoryItem) -> int:
    kind, _, import_id = (
        item.detail.partition(":") if item.kind is HistoryKind.CREATED else ("", "", item.ref)
    )
    is_import = kind == "import" or item.kind is HistoryKind.CHANGED_BY_IMPORT
    return int(import_id) if is_import and import_id.isdecimal() else 0


_TITLES: Final[Mapping[HistoryKind, str]] = {
    HistoryKind.CHANGED_BY_IMPORT: "Changed by an import",
    HistoryKind.ADDED_TO_CAMPAIGN: "Added to a campaign",
    HistoryKind.SKIPPED: "Skipped",
    HistoryKind.CANCELLED: "Cancelled",
    HistoryKind.HOLD_LIFTED: "Hold lifted",
}


def _title(item: HistoryItem) -> str:
    match item.kind:
        case HistoryKind.CREATED:
            return f"Added {source_of_card(item.detail)}"
        case HistoryKind.ATTEMPT:
            return _attempt(item)
        case HistoryKind.SUPPRESSED:
            source = SOURCES[SuppressionSource(item.outcome)]
            return f"{SCOPES[SuppressionScope(item.status)]}: {source}"
        case HistoryKind.SUPPRESSION_LIFTED:
            return f"Block removed: {SCOPES[SuppressionScope(item.status)]}"
        case _:
            return _TITLES[item.kind]


def _held(item: HistoryItem, zone: str, now: datetime) -> str:
    until = datetime.fromisoformat(item.status)
    return f"Held until {time_text(until, zone, seen=now)} in {place_name(zone)}"


def _attempt(item: HistoryItem) -> str:
    what = "Text" if item.channel == Channel.SMS else "Call"
    look = ATTEMPT_LOOKS.get(item.status)
    return what if item.outcome or look is None else f"{what}: {look.label.lower()}"


def _detail(item: HistoryItem) -> str:
    actor = "" if item.actor.startswith(("attempt:", "message:")) else item.actor
    match item.kind:
        case HistoryKind.CREATED | HistoryKind.ADDED_TO_CAMPAIGN:
            said = ""
        case HistoryKind.ATTEMPT:
            said = REPLY_WORDS.get(item.detail, item.detail)
        case HistoryKind.SKIPPED | HistoryKind.CANCELLED:
            said = reason_words(item.detail)
        case _:
            said = item.detail
    return " \N{MIDDLE DOT} ".join(part for part in (said, actor) if part)
