"""Time zones by name: the one rule for what may be written as one, for contacts, campaigns, organizations and filters.

The names are those of the `tzdata` package, so that the answer does not depend on the machine. What the names mean in
everyday English and in Windows comes from Unicode CLDR, by `babel`.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from babel import Locale
from babel.core import get_global

from app.domain.text import trimmed
from app.domain.zone_clocks import clock, country_of_zones, main_zones, zone_rows

UTC_NAME: Final = "UTC"
LONGEST_ZONE: Final = 64

_HOW: Final = "Write the region and city, such as America/New_York."
_UTC_WORDS: Final = frozenset({"utc", "etc/utc"})
_MEANT_FOR_UTC: Final = frozenset({"uct", "zulu", "universal", "etc/uct", "etc/zulu", "etc/universal"})
_OFFSET: Final = re.compile(r"(?:etc/)?(?:gmt|utc|uct)?\s*[+\u2212-]?\s*\d{1,2}(?::?\d\d)?")
_OLD_ABBREVIATIONS: Final = frozenset(
    {"gmt", "etc/gmt", "etc/greenwich", "cet", "met", "eet", "wet", "est", "mst", "hst"}
)
"""Abbreviations that the tz database lists as zones, for old computers."""
_ABBREVIATION: Final = re.compile(r"[A-Z]{2,5}(?:\d{1,2}[A-Z]{3,4})?")
_MEANT_BY_LAW: Final = {"Hawaii_Aleutian": "Pacific/Honolulu"}
"""Meta zone -> the zone that its words mean, against CLDR: "Hawaii-Aleutian" is what US law calls Hawaii's time
(15 U.S.C. 263), and CLDR lists the Aleutian Islands alone under it, where summer is an hour ahead of Hawaii."""
_IN_BRACKETS: Final = re.compile(r"\([^)]*\)")
_KIND_OF_TIME: Final = re.compile(r"\s+(?:(?:standard|daylight|summer)\s+)?time(?:\s*zone)?$")


class ZoneRefused(ValueError):
    """The text is not a time zone's name that we take. The message says what to write.

    `suggestion` is the zone that was probably meant; None if the text does not say. A person must confirm it.
    """

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def read_zone(text: str) -> str:
    """Return the current IANA name of the zone: a region and a city, or `UTC`. Raises `ZoneRefused`.

    Upper and lower case are the same, a space is an underscore, and an old name becomes the one that replaced it:
    `us/eastern` is `America/New_York`. Fixed offsets and abbreviations are refused, also those that the tz database
    lists as zones: an offset knows no daylight saving time, and an abbreviation is used by several zones.
    """
    read = _read(trimmed(text)[: LONGEST_ZONE + 1])
    if isinstance(read, str):
        return read
    raise ZoneRefused(read[0], read[1])


@lru_cache(maxsize=1)
def known_zones() -> tuple[str, ...]:
    """Return the names of all time zones that are places, sorted, and `UTC` as the last: what pickers offer."""
    return (*sorted(country_of_zones()), UTC_NAME)


@lru_cache(maxsize=10_000)
def _read(text: str) -> str | tuple[str, str | None]:
    """Return the zone, or why there is none, and the zone that was probably meant."""
    name = re.sub(r"\s*/\s*", "/", text.casefold())
    written = re.sub(r"\s+", "_", name)
    if name in _UTC_WORDS:
        return UTC_NAME
    if "/" in name and written in _places():
        return _places()[written]
    return _refusal(text, name, written)


def _refusal(text: str, name: str, written: str) -> tuple[str, str | None]:
    if not name or len(name) > LONGEST_ZONE:
        return f"This is not the name of a time zone. {_HOW}", None
    if _OFFSET.fullmatch(name):
        return f"“{text}” is a fixed offset: it does not know daylight saving time. {_HOW}", None
    is_short = name in _OLD_ABBREVIATIONS or name in _abbreviations()
    meant = None if is_short else _meant_by(name, written)
    if meant is not None:
        return f"“{text}” does not say which place. If you mean {meant}, write that.", meant
    if is_short or _ABBREVIATION.fullmatch(text):
        return f"“{text}” is an abbreviation, which can mean several time zones. {_HOW}", None
    return f"There is no time zone “{text}”. {_HOW}", None


def _meant_by(name: str, written: str) -> str | None:
    if name in _MEANT_FOR_UTC:
        return UTC_NAME
    plain = " ".join(_IN_BRACKETS.sub(" ", name).split())
    shorter = _KIND_OF_TIME.sub("", plain)
    words = _usual_words()
    return words.get(plain) or words.get(shorter) or _places().get(written) or _cities().get(written)


@lru_cache(maxsize=1)
def _places() -> Mapping[str, str]:
    """Return each name of a place that the tz database or CLDR has ever had, in lower case -> its name today."""
    cldr: Mapping[str, str] = get_global("zone_aliases")
    lines = (files("tzdata") / "zoneinfo" / "tzdata.zi").read_text("utf-8").splitlines()
    links = {line.split()[2]: line.split()[1] for line in lines if line.startswith("L ")}
    listed = {row[2] for row in zone_rows("zone.tab")} | {row[2] for row in zone_rows("zone1970.tab")}
    found = {name.casefold(): name for name in sorted(listed)}
    for name in sorted({*cldr, *links} - listed):
        today = cldr.get(name, name)
        today = today if today in listed else links.get(name, "")
        if today in listed:
            found[name.casefold()] = today
    return found


@lru_cache(maxsize=1)
def _cities() -> Mapping[str, str]:
    """Return city, in lower case -> its zone, where the city's name is that of one zone alone."""
    zones = defaultdict(set)
    for name, zone in _places().items():
        if "/" in name:
            zones[name.rsplit("/", 1)[1]].add(zone)
    return {city: min(found) for city, found in zones.items() if len(found) == 1}


@lru_cache(maxsize=1)
def _abbreviations() -> frozenset[str]:
    """Return the abbreviations that CLDR knows in American English, in lower case, without those that are places."""
    names = Locale.parse("en_US").meta_zones.values()
    return frozenset(short.casefold() for name in names for short in name.get("short", {}).values())


@lru_cache(maxsize=1)
def _usual_words() -> Mapping[str, str]:
    """Return what people and Windows call a zone, in lower case -> the zone that is probably meant.

    CLDR groups zones that are called the same ("Eastern Time"), in meta zones.
    """
    windows: Mapping[str, str] = get_global("windows_zone_mapping")
    words = {name.casefold(): _places().get(zone.casefold(), "") for name, zone in windows.items()}
    groups = defaultdict(list)
    for zone, group in sorted(get_global("meta_zones").items()):
        groups[group].append(zone)
    for group, names in sorted(Locale.parse("en_US").meta_zones.items()):
        members = [_places()[zone.casefold()] for zone in groups[group] if zone.casefold() in _places()]
        long = names.get("long", {})
        if not members or not long:
            continue
        in_windows = words.get(long.get("standard", "").casefold())
        meant = _MEANT_BY_LAW.get(group) or _main_member(members, in_windows)
        for word in long.values():
            words.setdefault(word.casefold(), meant)
            words.setdefault(_KIND_OF_TIME.sub("", word.casefold()), meant)
    return {word: zone for word, zone in words.items() if zone}


def _main_member(members: list[str], in_windows: str | None) -> str:
    """Return the zone that stands for those of one name: Windows' own, else the one that most of them agree with."""
    best = [zone for zone in members if zone in main_zones()] or members
    if in_windows in best:
        return in_windows
    return max(best, key=lambda zone: sum(clock(other) == clock(zone) for other in members))
