"""Where people may be, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.places import Confidence, ZoneSource
from app.services.contacts.queries import Whereabouts
from app.services.imports.zones import ZoneCount
from app.web.words import counted, there_it_is

NOT_KNOWN: Final = "No time zone known: campaigns assume their own"
SOURCE_WORDS: Final = {
    ZoneSource.OWN: "set on the card",
    ZoneSource.STATE: "from the state or country",
    ZoneSource.POSTCODE: "from the postcode",
    ZoneSource.NUMBER: "from the phone number",
    ZoneSource.ASSUMED: "not known",
}
_NAMED: Final = 3
"""More zones than these are counted, not named."""


@dataclass(frozen=True, slots=True)
class ZoneLine:
    """People in one zone, or in one of several."""

    where: str
    people: str


def zones_in_words(zones: Sequence[str]) -> str:
    """Return "America/Chicago or America/New_York", or "one of 8 time zones"; one zone by its name."""
    return " or ".join(zones) if len(zones) <= _NAMED else f"one of {len(zones)} time zones"


def where_in_words(where: Whereabouts | None) -> str:
    """Return "America/Phoenix, from the phone number: likely"."""
    if where is None:
        return "Being worked out"
    zones, source = zones_in_words(where.zones), SOURCE_WORDS[where.source]
    match where.confidence:
        case Confidence.ASSUMED:
            return NOT_KNOWN
        case Confidence.SEVERAL:
            return f"{zones[:1].upper()}{zones[1:]}, {source}: calling hours must hold in all"
        case Confidence.LIKELY:
            return f"{zones}, {source}: likely"
        case Confidence.STATED:
            return f"{zones}, {source}"


def time_there(where: Whereabouts | None, now: datetime) -> str:
    """Return "there it is 18:40", or "there it is 17:40\u201318:40"; empty where that is not known."""
    return there_it_is(where.zones if where is not None else (), now=now)


def zone_lines(counts: Sequence[ZoneCount]) -> list[ZoneLine]:
    """Return how many people of an import are in which zone."""
    lines = []
    for count in counts:
        zones = zones_in_words(count.zones)
        several = f"{zones[:1].upper()}{zones[1:]}: calling hours must hold in all"
        where = several if len(count.zones) > 1 else zones or NOT_KNOWN
        lines.append(ZoneLine(where, counted(count.people, "person", "people")))
    return lines
