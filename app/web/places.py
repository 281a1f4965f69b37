"""The countries and time zones of the tz database, for select boxes."""

from functools import lru_cache
from importlib.resources import files
from typing import Final

_FOLDER: Final = "zoneinfo"


@lru_cache(maxsize=1)
def countries() -> list[tuple[str, str]]:
    """Return (ISO code, English name) of every country, by name."""
    rows = [(code, name) for code, name, *_ in _rows("iso3166.tab")]
    return sorted(rows, key=lambda row: row[1])


@lru_cache(maxsize=1)
def time_zones() -> list[str]:
    """Return the names of all time zones of places, sorted; then UTC."""
    return [*sorted(name for _, _, name, *_ in _rows("zone.tab")), "UTC"]


def _rows(name: str) -> list[list[str]]:
    text = (files("tzdata") / _FOLDER / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
