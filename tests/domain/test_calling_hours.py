"""When a contact may be reached, on the clock of every zone it may be in."""

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.calling_hours import (
    EVERY_DAY,
    WEEKDAYS,
    CallingHoursInvalid,
    Constraint,
    Span,
    UnknownZone,
    Window,
    describe,
    describe_times,
    format_window,
    is_zone,
    open_span,
    parse_window,
)

NEW_YORK, LOS_ANGELES, LONDON = "America/New_York", "America/Los_Angeles", "Europe/London"
OFFICE = Window(time(9), time(17), WEEKDAYS)
NIGHT = Window(time(22), time(2), frozenset({5}))
ALWAYS = Window(time(0), time(0))


def span(window: Window, zones: Sequence[str], now: datetime) -> Span | None:
    return open_span([Constraint(zone, (window,)) for zone in zones], now)


def is_open(window: Window, zones: Sequence[str], now: datetime) -> bool:
    found = span(window, zones, now)
    return found is not None and found.opens_at <= now


def next_opening(window: Window, zones: Sequence[str], now: datetime) -> datetime | None:
    found = span(window, zones, now)
    return found.opens_at if found is not None else None


def closes_at(window: Window, zones: Sequence[str], now: datetime) -> datetime | None:
    """Return when the window that is open now closes; now if it is closed."""
    found = span(window, zones, now)
    return now if found is None or found.opens_at > now else found.closes_at


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-03-02T08:59:59", False),
        ("2026-03-02T09:00", True),
        ("2026-03-02T16:59:59", True),
        ("2026-03-02T17:00", False),
        ("2026-03-06T12:00", True),
        ("2026-03-07T12:00", False),
        ("2026-03-08T12:00", False),
    ],
)
def test_office_hours_are_open_from_start_until_just_before_end(local: str, expected: bool) -> None:  # noqa: FBT001
    assert is_open(OFFICE, [NEW_YORK], at(local, NEW_YORK)) is expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-03-06T21:59", False),
        ("2026-03-06T22:00", True),
        ("2026-03-07T01:59", True),
        ("2026-03-07T02:00", False),
        ("2026-03-07T22:00", False),
        ("2026-03-06T01:00", False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_starts_on(local: str, expected: bool) -> None:  # noqa: FBT001
    assert is_open(NIGHT, [NEW_YORK], at(local, NEW_YORK)) is expected


@pytest.mark.parametrize("hour", range(24))
def test_midnight_to_midnight_is_the_whole_day(hour: int) -> None:
    moment = at(f"2026-03-08T{hour:02}:30")
    assert is_open(ALWAYS, [NEW_YORK, LONDON], moment)
    assert next_opening(ALWAYS, [NEW_YORK], moment) == moment
    assert closes_at(ALWAYS, [NEW_YORK], moment) is None


def test_an_end_at_midnight_is_the_end_of_the_day() -> None:
    evening = Window(time(18), time(0), frozenset({1}))
    assert is_open(evening, ["UTC"], at("2026-03-02T23:59"))
    assert not is_open(evening, ["UTC"], at("2026-03-03T00:00"))
    assert not is_open(evening, ["UTC"], at("2026-03-02T00:30"))
    assert closes_at(evening, ["UTC"], at("2026-03-02T20:00")) == at("2026-03-03T00:00")


def test_every_zone_must_be_open() -> None:
    both = [NEW_YORK, LOS_ANGELES]
    assert not is_open(OFFICE, both, at("2026-03-02T11:59", NEW_YORK))
    assert is_open(OFFICE, both, at("2026-03-02T12:00", NEW_YORK))
    assert next_opening(OFFICE, both, at("2026-03-02T07:00", NEW_YORK)) == at("2026-03-02T12:00", NEW_YORK)
    assert closes_at(OFFICE, both, at("2026-03-02T13:00", NEW_YORK)) == at("2026-03-02T17:00", NEW_YORK)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-02T12:00", "2026-03-02T12:00"),
        ("2026-03-02T08:00", "2026-03-02T09:00"),
        ("2026-03-02T17:00", "2026-03-03T09:00"),
        ("2026-03-06T17:00", "2026-03-09T09:00"),
        ("2026-03-07T12:00", "2026-03-09T09:00"),
    ],
)
def test_the_next_opening_is_now_or_the_next_start(now: str, opens: str) -> None:
    assert next_opening(OFFICE, [NEW_YORK], at(now, NEW_YORK)) == at(opens, NEW_YORK)


def test_a_weekly_window_opens_a_week_later_across_a_clock_change() -> None:
    sundays = Window(time(1), time(2), frozenset({7}))
    assert next_opening(sundays, [NEW_YORK], at("2026-03-01T02:00", NEW_YORK)) == at("2026-03-08T06:00")


def test_zones_that_are_never_open_together_never_open() -> None:
    hour = Window(time(9), time(10))
    assert next_opening(hour, [NEW_YORK, "Asia/Tokyo"], at("2026-03-02T00:00")) is None


class TestClockChanges:
    """New York, 8 March 2026: 02:00 becomes 03:00. 1 November: 02:00 becomes 01:00 again."""

    def test_a_start_that_does_not_exist_opens_when_the_clock_jumps_over_it(self) -> None:
        hours = Window(time(2, 30), time(5))
        assert next_opening(hours, [NEW_YORK], at("2026-03-08T05:00")) == at("2026-03-08T07:00")

    def test_an_end_that_does_not_exist_closes_when_the_clock_jumps_over_it(self) -> None:
        hours = Window(time(1, 30), time(2, 30))
        assert closes_at(hours, [NEW_YORK], at("2026-03-08T06:45")) == at("2026-03-08T07:00")

    def test_a_window_within_the_skipped_hour_waits_for_the_next_day(self) -> None:
        hours = Window(time(2, 10), time(2, 50))
        assert next_opening(hours, [NEW_YORK], at("2026-03-08T05:00")) == at("2026-03-09T06:10")

    def test_a_window_within_the_repeated_hour_opens_twice(self) -> None:
        hours = Window(time(1), time(1, 30))
        first = next_opening(hours, [NEW_YORK], at("2026-11-01T04:00"))
        assert first == at("2026-11-01T05:00")
        assert closes_at(hours, [NEW_YORK], first) == at("2026-11-01T05:30")
        assert next_opening(hours, [NEW_YORK], at("2026-11-01T05:30")) == at("2026-11-01T06:00")

    def test_nine_o_clock_stays_nine_o_clock(self) -> None:
        for day, opening in (("2026-03-07", "14:00"), ("2026-03-08", "13:00"), ("2026-11-02", "14:00")):
            hours = Window(time(9), time(17))
            assert next_opening(hours, [NEW_YORK], at(f"{day}T10:00")) == at(f"{day}T{opening}")


ODD_ZONES = (
    NEW_YORK,
    LONDON,
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Santiago",
    "UTC",
)
AROUND_CHANGES = tuple(
    at(f"{day}T00:00")
    for day in ("2026-03-07", "2026-03-28", "2026-04-04", "2026-09-05", "2026-10-24", "2026-10-31")
)


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(0, 95),
    end=st.integers(0, 95),
    days=st.frozensets(st.integers(1, 7), min_size=1),
    zones=st.lists(st.sampled_from(ODD_ZONES), min_size=1, max_size=3, unique=True),
    day=st.sampled_from(AROUND_CHANGES),
    minute=st.integers(0, 3 * 24 * 60),
)
def test_openings_and_closings_agree_with_looking_at_the_clock_every_minute(
    start: int, end: int, days: frozenset[int], zones: list[str], day: datetime, minute: int
) -> None:
    if start == end != 0:
        return
    hours = Window(time(start // 4, start % 4 * 15), time(end // 4, end % 4 * 15), days)
    now = day + timedelta(minutes=minute)

    def looks_open(moment: datetime) -> bool:
        for zone in zones:
            local = moment.astimezone(ZoneInfo(zone))
            clock, today = local.hour * 4 + local.minute // 15, local.isoweekday()
            yesterday = 7 if today == 1 else today - 1
            if start < end:
                fits = today in days and start <= clock < end
            else:
                fits = (today in days and clock >= start) or (yesterday in days and clock < end)
            if not fits:
                return False
        return True

    later = [now + timedelta(minutes=step) for step in range(36 * 60)]
    opens = next((moment for moment in later if looks_open(moment)), None)
    closes = next((moment for moment in later if not looks_open(moment)), None)
    found_open, found_close = next_opening(hours, zones, now), closes_at(hours, zones, now)
    assert is_open(hours, zones, now) is looks_open(now)
    assert found_open == opens or (opens is None and (found_open is None or found_open > later[-1]))
    assert found_close == closes or (closes is None and (found_close is None or found_close > later[-1]))


@pytest.mark.parametrize(
    "zones", [["Mars/Base"], [NEW_YORK, "Etc/Unknown"], [""], ["../etc"], ["America"], ["EST6"]]
)
def test_an_unknown_zone_is_an_error_never_a_yes(zones: list[str]) -> None:
    with pytest.raises(UnknownZone):
        span(ALWAYS, zones, at("2026-03-02T12:00"))


def test_zones_are_known_by_their_iana_names() -> None:
    assert is_zone("America/Argentina/Buenos_Aires")
    assert not is_zone("Pacific Time")


@pytest.mark.parametrize(
    ("value", "hours"),
    [
        (
            {
                "start": "09:00",
                "end": "17:00",
                "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            },
            OFFICE,
        ),
        ({"start": "9:00", "end": "18:00"}, Window(time(9), time(18))),
        ({"start": "09:00:00", "end": "17:00", "days": ["Mon", "TUE", 3, "4", " friday "]}, OFFICE),
        ({"start": "00:00", "end": "24:00", "days": None}, ALWAYS),
        ({"start": "00:00", "end": "00:00"}, ALWAYS),
        ({"start": "22:00", "end": "02:00", "days": [5]}, NIGHT),
    ],
)
def test_the_apis_windows_are_read(value: dict[str, object], hours: Window) -> None:
    assert parse_window(value) == hours


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"end": "17:00"}, "start"),
        ({"start": "nine", "end": "17:00"}, "start"),
        ({"start": "09", "end": "17:00"}, "start"),
        ({"start": "24:00", "end": "17:00"}, "start"),
        ({"start": 9, "end": "17:00"}, "start"),
        ({"start": "09:00", "end": "25:00"}, "end"),
        ({"start": "09:00", "end": "17:61"}, "end"),
        ({"start": "09:00", "end": "09:00"}, "end"),
        ({"start": "09:00:30", "end": "17:00"}, "start"),
        ({"start": "09:00Z", "end": "17:00"}, "start"),
        ({"start": "09:00", "end": "17:00", "days": []}, "days"),
        ({"start": "09:00", "end": "17:00", "days": "monday"}, "days"),
        ({"start": "09:00", "end": "17:00", "days": ["someday"]}, "days"),
        ({"start": "09:00", "end": "17:00", "days": [0]}, "days"),
        ({"start": "09:00", "end": "17:00", "days": [8]}, "days"),
        ({"start": "09:00", "end": "17:00", "days": [True]}, "days"),
        ({"start": "09:00", "end": "17:00", "days": 5}, "days"),
    ],
)
def test_a_window_that_cannot_be_used_names_its_field(value: dict[str, object], field: str) -> None:
    with pytest.raises(CallingHoursInvalid) as invalid:
        parse_window(value)
    assert invalid.value.field == field


@pytest.mark.parametrize("hours", [OFFICE, NIGHT, ALWAYS, Window(time(18), time(0), frozenset({2, 7}))])
def test_what_the_api_shows_is_read_back(hours: Window) -> None:
    assert parse_window(format_window(hours)) == hours


def test_a_window_is_shown_as_the_seed_writes_it() -> None:
    assert format_window(OFFICE) == {
        "start": "09:00",
        "end": "17:00",
        "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    }


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ((), "at any hour"),
        ((OFFICE,), "09:00 to 17:00, Monday to Friday"),
        ((ALWAYS,), "all day, every day"),
        ((NIGHT,), "22:00 to 02:00, Friday"),
        (
            (Window(time(8), time(0), frozenset({1, 2, 6, 7})),),
            "08:00 to 24:00, Monday, Tuesday, Saturday, Sunday",
        ),
        ((Window(time(8), time(21), EVERY_DAY),), "08:00 to 21:00, every day"),
        (
            (Window(time(9), time(12), WEEKDAYS), NIGHT, Window(time(14), time(17), WEEKDAYS)),
            "09:00 to 12:00 and 14:00 to 17:00, Monday to Friday; 22:00 to 02:00, Friday",
        ),
    ],
)
def test_windows_are_described_in_words(windows: tuple[Window, ...], words: str) -> None:
    assert describe(windows) == words


def test_times_are_told_once_and_without_days() -> None:
    assert (
        describe_times([OFFICE, Window(time(9), time(17), frozenset({6})), ALWAYS])
        == "09:00 to 17:00 and all day"
    )


TWICE = (Window(time(9), time(12)), Window(time(14), time(17)))


def test_several_windows_a_day_close_between_them() -> None:
    rule = [Constraint("UTC", TWICE)]
    assert open_span(rule, at("2026-03-02T10:00")) == Span(at("2026-03-02T10:00"), at("2026-03-02T12:00"))
    assert open_span(rule, at("2026-03-02T12:00")) == Span(at("2026-03-02T14:00"), at("2026-03-02T17:00"))


def test_windows_that_touch_or_overlap_are_one() -> None:
    windows = (Window(time(9), time(12)), Window(time(12), time(14)), Window(time(13), time(18)))
    assert open_span([Constraint("UTC", windows)], at("2026-03-02T08:00")) == Span(
        at("2026-03-02T09:00"), at("2026-03-02T18:00")
    )


def test_days_may_have_different_windows() -> None:
    windows = (OFFICE, Window(time(10), time(12), frozenset({6})))
    assert open_span([Constraint("UTC", windows)], at("2026-03-06T17:00")) == Span(
        at("2026-03-07T10:00"), at("2026-03-07T12:00")
    )


def test_without_windows_any_hour_will_do_and_without_constraints_too() -> None:
    now = at("2026-03-02T12:00:00.25")
    assert open_span([Constraint(NEW_YORK)], now) == Span(now, None)
    assert open_span([], now) == Span(now, None)


def test_rules_in_different_zones_must_all_hold() -> None:
    rules = [Constraint(LONDON, TWICE), Constraint(NEW_YORK, (OFFICE,))]
    assert open_span(rules, at("2026-03-02T08:00")) == Span(at("2026-03-02T14:00"), at("2026-03-02T17:00"))


@dataclass(frozen=True)
class Off:
    days: frozenset[date]

    def why_off(self, day: date) -> str | None:
        return "a day off" if day in self.days else None


def test_a_day_off_is_closed_from_local_midnight_to_local_midnight() -> None:
    friday = Off(frozenset({date(2026, 3, 6)}))
    always = Constraint(NEW_YORK, (), friday)
    assert open_span([always], at("2026-03-05T12:00", NEW_YORK)) == Span(
        at("2026-03-05T12:00", NEW_YORK), at("2026-03-06T00:00", NEW_YORK)
    )
    assert open_span([always], at("2026-03-06T12:00", NEW_YORK)) == Span(
        at("2026-03-07T00:00", NEW_YORK), None
    )


def test_a_window_over_midnight_loses_only_the_part_on_a_day_off() -> None:
    nights = Constraint("UTC", (Window(time(22), time(2)),), Off(frozenset({date(2026, 3, 6)})))
    assert open_span([nights], at("2026-03-05T21:00")) == Span(at("2026-03-05T22:00"), at("2026-03-06T00:00"))
    assert open_span([nights], at("2026-03-06T01:00")) == Span(at("2026-03-07T00:00"), at("2026-03-07T02:00"))


def test_a_year_of_days_off_is_seen_through_and_more_is_never() -> None:
    def off(days: int) -> list[Constraint]:
        closed = Off(frozenset(date(2026, 3, 2) + timedelta(days=number) for number in range(days)))
        return [Constraint("UTC", (OFFICE,), closed)]

    assert open_span(off(366), at("2026-03-02T08:00")) == Span(at("2027-03-03T09:00"), at("2027-03-03T17:00"))
    assert open_span(off(401), at("2026-03-02T08:00")) is None


def test_a_zone_that_skips_a_day_skips_its_windows() -> None:
    """Samoa went from 29 to 31 December 2011: there was no Friday."""
    fridays = Constraint("Pacific/Apia", (Window(time(9), time(17), frozenset({5})),))
    assert open_span([fridays], at("2011-12-29T20:00", "Pacific/Apia")) == Span(
        at("2012-01-06T09:00", "Pacific/Apia"), at("2012-01-06T17:00", "Pacific/Apia")
    )


def test_the_end_of_the_calendar_is_no_error() -> None:
    assert open_span([Constraint("UTC", (OFFICE,))], datetime(9999, 12, 31, 12, tzinfo=UTC)) is None


def test_time_zones_are_those_of_the_package_not_the_machine_s() -> None:
    assert zoneinfo.TZPATH == ()
