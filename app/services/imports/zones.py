"""Where the people of a file may be, counted, and what words of its time zone column mean."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.text import trimmed
from app.domain.time_zones import LONGEST_ZONE, ZoneRefused, read_zone
from app.services.errors import FieldErrors

MOST_ZONE_WORDS: Final = 100
"""Different words of a file that are shown, and that can be confirmed."""
_BETWEEN: Final = " "
"""Between the zones of people who may be in several."""


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """How many people are in one zone, or may be in any of several; without a zone their place is not known."""

    zones: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True)
class ZoneWord:
    """What a time zone column says that is no zone by itself."""

    word: str
    people: int
    suggestion: str
    """The zone that is probably meant, for a person to confirm; empty if it must be written anew."""
    confirmed: str
    """The zone that a person has confirmed; empty if none has."""
    message: str
    """What to write."""


def checked_zone_words(words: Mapping[str, str]) -> dict[str, str]:
    """Return word -> zone by its name of today. Raises `FieldErrors` on `time_zone_words.<word>`."""
    if len(words) > MOST_ZONE_WORDS:
        raise FieldErrors({"time_zone_words": f"Send at most {MOST_ZONE_WORDS} words."})
    zones: dict[str, str] = {}
    errors: dict[str, str] = {}
    for word, zone in words.items():
        try:
            zones[trimmed(word)[:LONGEST_ZONE]] = read_zone(zone)
        except ZoneRefused as refused:
            errors[f"time_zone_words.{word}"] = str(refused)
    if errors:
        raise FieldErrors(errors)
    return zones


def add_zone_counts(counts: Mapping[str, int], people: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """Return the counts as they are stored (zones, with blanks between them -> people) with more people."""
    return dict(Counter(counts) + Counter(_BETWEEN.join(zones) for zones in people))


def zone_counts_of(counts: Mapping[str, int]) -> list[ZoneCount]:
    """Return stored counts: single zones by their number, then several zones, then people without any."""
    found = [ZoneCount(tuple(zones.split()), people) for zones, people in counts.items()]
    return sorted(
        found, key=lambda count: (not count.zones, len(count.zones) > 1, -count.people, count.zones)
    )


def zone_words_of(words: Mapping[str, int], confirmed: Mapping[str, str]) -> list[ZoneWord]:
    """Return words that are no zones, the most frequent first, at most `MOST_ZONE_WORDS`; upper and lower case are one.

    The words of a long file may all differ: only those that are shown are read.
    """
    meant = {word.casefold(): zone for word, zone in confirmed.items()}
    people: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for word, count in words.items():
        people[word.casefold()] += count
        spelled.setdefault(word.casefold(), word)
    found: list[ZoneWord] = []
    for folded, count in people.most_common():
        if len(found) == MOST_ZONE_WORDS:
            break
        try:
            read_zone(spelled[folded])
        except ZoneRefused as refused:
            suggestion = refused.suggestion or ""
            found.append(ZoneWord(spelled[folded], count, suggestion, meant.get(folded, ""), str(refused)))
    return found
