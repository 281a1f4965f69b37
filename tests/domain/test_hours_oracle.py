"""Calling hours agree with a look at the wall clock in every minute.

All zones: `python -m tests.domain.hours_oracle --all` compares in every zone, at every change of its clock.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.hours_oracle import (
    FIRST,
    SHAPES,
    Minutes,
    judge,
    looks_open,
    spans_computed,
    spans_looked_up,
)

ODD_ZONES = (
    "Australia/Lord_Howe",  # Its clock changes by half an hour.
    "Africa/Casablanca",  # Ramadan, by the moon.
    "Europe/Dublin",  # Its summer time is the standard, and winter the exception.
    "Antarctica/Troll",  # Two hours at once.
    "America/Nuuk",  # Its clock changes the evening before.
    "Asia/Gaza",
    "Pacific/Chatham",
    "America/Havana",  # Midnight does not exist.
    "Asia/Beirut",
    "America/New_York",
    "Asia/Kolkata",
)


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_around_the_changes_of_odd_clocks_every_minute_agrees(zone: str) -> None:
    assert judge(zone, most_changes=2).disagreements == ()


def test_a_zone_that_skips_a_day_agrees() -> None:
    begin, end = datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 2, tzinfo=UTC)
    for shape in SHAPES.values():
        rules = [("Pacific/Apia", shape)]
        assert spans_computed(rules, begin, end) == spans_looked_up(rules, begin, end)


windows = st.builds(
    lambda start, minutes, days: (start, (start + minutes) % 1440, days),
    st.integers(0, 1439),
    st.integers(1, 1439),
    st.frozensets(st.integers(1, 7), min_size=1),
)


@settings(max_examples=60, deadline=None)
@given(
    rules=st.lists(
        st.tuples(st.sampled_from(sorted(available_timezones())), st.lists(windows, min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    ),
    hour=st.integers(0, 24 * 365 * 13),
    minute=st.integers(0, 59),
)
def test_any_windows_in_any_zones_agree_in_every_minute_of_two_days(
    rules: list[tuple[str, list[Minutes]]], hour: int, minute: int
) -> None:
    begin = FIRST + timedelta(hours=hour, minutes=minute)
    end = begin + timedelta(days=2)
    assert spans_computed(rules, begin, end) == spans_looked_up(rules, begin, end)


def test_the_oracle_itself_tells_open_from_closed() -> None:
    open_at = {
        name: [hour for hour in range(24) if looks_open(SHAPES[name], datetime(2026, 3, 2, hour, tzinfo=UTC))]
        for name in ("09-17", "22-06", "00-24")
    }
    assert open_at == {
        "09-17": [*range(9, 17)],
        "22-06": [*range(6), 22, 23],
        "00-24": [*range(24)],
    }
