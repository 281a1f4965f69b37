"""The countries of the tz database, for select boxes."""

from functools import lru_cache

from app.domain.zone_clocks import zone_rows


@lru_cache(maxsize=1)
def countries() -> list[tuple[str, str]]:
    """Return (ISO code, English name) of every country, by name."""
    rows = [(code, name) for code, name, *_ in zone_rows("iso3166.tab")]
    return sorted(rows, key=lambda row: row[1])
