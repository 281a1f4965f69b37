"""The zones of the tz database: their countries, and which of them show the same time.

The data are the `tzdata` package's, so that the answer does not depend on the machine.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

_FIRST, _LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
"""The years in which clocks are compared: nobody is called before, and the tz database plans no further ahead."""
_WEEK: Final = timedelta(days=7)


def country_of(zone: str) -> str:
    """Return the code of the country that a zone is listed for (ISO 3166); empty for `UTC`."""
    return country_of_zones().get(zone, "")


@lru_cache(maxsize=300)
def zones_of(country: str) -> tuple[str, ...]:
    """Return the zones of a country, one for each clock; empty for an unknown code."""
    found: dict[tuple[tuple[datetime, int], ...], str] = {}
    names = [zone for zone, listed in country_of_zones().items() if listed == country]
    for zone in sorted(names, key=lambda name: name not in main_zones()):
        found.setdefault(clock(zone), zone)
    return tuple(sorted(found.values()))


@lru_cache(maxsize=2_000)
def alike_in(zone: str, country: str) -> str | None:
    """Return the zone of the country whose clock is always the same as this zone's; None if there is none."""
    return next((each for each in zones_of(country) if clock(each) == clock(zone)), None)


@lru_cache(maxsize=1_000)
def clock(zone: str) -> tuple[tuple[datetime, int], ...]:
    """Return what a zone's clock shows from 2024 to 2037: each time at which its UTC offset changes, and the offset.

    Zones with an equal answer show the same time in all these years.
    """
    info = _tz(zone)
    at, offset = _FIRST, _offset(info, _FIRST)
    changes = [(_FIRST, offset)]
    while at < _LAST:
        following = at + _WEEK
        if _offset(info, following) != offset:
            offset = _offset(info, following)
            changes.append((_change_between(info, at, following), offset))
        at = following
    return tuple(changes)


def one_of_each_clock(zones: frozenset[str]) -> tuple[str, ...]:
    """Return the zones, sorted, without those whose clock is always the same as that of another."""
    kept: dict[tuple[tuple[datetime, int], ...], str] = {}
    for zone in sorted(zones, key=lambda name: (name not in main_zones(), name)):
        kept.setdefault(clock(zone), zone)
    return tuple(sorted(kept.values()))


@lru_cache(maxsize=1)
def country_of_zones() -> Mapping[str, str]:
    """Return zone -> country, in the order of the tz database: each country's zones from east to west."""
    return {row[2]: row[0] for row in zone_rows("zone.tab")}


@lru_cache(maxsize=1)
def main_zones() -> frozenset[str]:
    """Return the zones that stand for all those which agree with them from now on."""
    return frozenset(row[2] for row in zone_rows("zonenow.tab"))


def zone_rows(name: str) -> Iterator[list[str]]:
    """Return the rows of a table of the tz database, such as `zone.tab`, as their columns."""
    text = (files("tzdata") / "zoneinfo" / name).read_text("utf-8")
    return (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))


@lru_cache(maxsize=1_000)
def _tz(zone: str) -> ZoneInfo:
    """Return the zone by the package's data, whatever the machine has. Raises `FileNotFoundError`."""
    with files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=zone)


def _offset(zone: ZoneInfo, at: datetime) -> int:
    """Return the UTC offset in seconds."""
    shift = at.astimezone(zone).utcoffset()
    return int(shift.total_seconds()) if shift is not None else 0


def _change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the first minute with the later offset. It must change once in between."""
    before = _offset(zone, low)
    minutes = int((high - low).total_seconds() // 60)
    start, end = 0, minutes
    while end - start > 1:
        middle = (start + end) // 2
        if _offset(zone, low + timedelta(minutes=middle)) == before:
            start = middle
        else:
            end = middle
    return low + timedelta(minutes=end)
