"""The tables behind places: states with their zones, area codes with their states, and US postcodes.

Tables that no package keeps stand in `data/`, with their sources.
"""

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from app.domain.time_zones import known_zones

_ZIP: Final = re.compile(r"(\d{5})(?:[ -]?\d{4})?")
_US: Final = "US"
_TERRITORIES: Final = frozenset({"AS", "GU", "MP", "PR", "VI"})
"""Territories with a country's code of their own, where the law of the United States holds."""


@dataclass(frozen=True, slots=True)
class CountryState:
    """A state, province or territory."""

    country: str
    code: str
    zones: tuple[str, ...]
    """Every zone that some place in it has."""


@dataclass(frozen=True, slots=True)
class AreaCodes:
    """The area codes behind +1."""

    places: Mapping[str, tuple[tuple[str, str], ...]]
    """Area code -> the (country, state)s that it serves; the state is empty for small countries."""
    overlays: Mapping[str, tuple[str, ...]]
    """Overlay -> older codes whose area it serves too."""
    toll_free: frozenset[str]


@dataclass(frozen=True, slots=True)
class PostcodePlaces:
    """What a postcode of the United States says."""

    zones: tuple[str, ...]
    states: tuple[str, ...]


def state_of(country: str, text: str) -> CountryState | None:
    """Return the state of a country by its code or English name; None if it is not known.

    States of the United States, Canada and Australia are known.
    """
    return _states().get((country, _folded(text).removeprefix(f"{country.lower()}-")))


def territory(country: str) -> CountryState | None:
    """Return the territory of the United States that has this country code; None for all others."""
    return state_of(_US, country) if country in _TERRITORIES else None


@lru_cache(maxsize=1)
def area_codes() -> AreaCodes:
    """Return the table of area codes."""
    table = _table("area_codes")
    places: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for country in (_US, "CA"):
        for state, codes in table[country].items():
            for code in codes:
                places[code].append((country, state))
    for country, codes in table["countries"].items():
        for code in codes:
            places[code].append((country, ""))
    return AreaCodes(
        {code: tuple(found) for code, found in places.items()},
        {code: tuple(served) for code, served in table["overlays"].items()},
        frozenset(table["toll_free"]),
    )


@lru_cache(maxsize=50_000)
def postcode_places(postcode: str) -> PostcodePlaces | None:
    """Return the zones and states of a postcode of the United States; None if it is none, or has no place.

    Military and diplomatic postcodes have none. The first call reads the package's table, which takes 0.2 s.
    """
    if (zip_code := _ZIP.fullmatch(postcode)) is None:
        return None
    import zipcodes

    matching: Callable[[str], list[dict[str, str]]] = zipcodes.matching
    found = [row for row in matching(zip_code[1]) if row["timezone"] in _known()]
    if not found:
        return None
    zones, states = ({row[key] for row in found} for key in ("timezone", "state"))
    return PostcodePlaces(tuple(sorted(zones)), tuple(sorted(states)))


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(known_zones())


@lru_cache(maxsize=1)
def _states() -> Mapping[tuple[str, str], CountryState]:
    """Return (country, code or name in lower case) -> state."""
    found = {}
    for country, states in _table("states").items():
        for code, row in states.items():
            state = CountryState(country, code, tuple(row["zones"]))
            for name in (code, row["name"], *row.get("also", ())):
                found[country, _folded(name)] = state
    return found


@lru_cache(maxsize=5_000)
def _folded(text: str) -> str:
    """Return the text in lower case, without accents, dots and commas, with single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter) and letter not in ".,")
    return " ".join(letters.split())


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((files("app.domain") / "data" / f"{name}.toml").read_text("utf-8"))
