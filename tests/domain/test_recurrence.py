"""Recurring schedules, against an oracle that steps through days and minutes and knows no rule of recurrence.

All zones: `python -m tests.domain.recurrence_oracle --all` compares at every change of every zone's clock.
"""

from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.recurrence import (
    Frequency,
    MissedRun,
    Recurrence,
    RecurrenceInvalid,
    RecurringPlan,
    anchored,
    latest_occurrence,
    next_occurrence,
    occurrences,
    why_it_has_ended,
)
from tests.domain.recurrence_oracle import (
    DAY,
    MINUTE,
    ODD_ZONES,
    SHAPES,
    ZONES,
    Tally,
    expected,
    found,
    judge,
)

NEW_YORK = "America/New_York"
AS_PRINTED = {
    "frequency": "weekly",
    "interval": 1,
    "days_of_week": [1, 2, 3, 4, 5],
    "time": "09:00",
    "time_zone": NEW_YORK,
    "end_date": "2024-12-31",
}
"""The example of seed `000`."""


def schedule(frequency: str = "daily", **fields: Any) -> Recurrence:
    return Recurrence.from_json(
        {"frequency": frequency, "time": "09:00", "time_zone": NEW_YORK, "start_date": "2026-01-01", **fields}
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def locally(recurrence: Recurrence, after: str, most: int = 10) -> list[str]:
    zone = ZoneInfo(recurrence.time_zone)
    found = islice(occurrences(recurrence, utc(after)), most)
    return [f"{at.astimezone(zone):%a %Y-%m-%d %H:%M}" for at in found]


def problems(**fields: Any) -> dict[str, str]:
    with pytest.raises(RecurrenceInvalid) as refused:
        Recurrence.from_json({key: each for key, each in (AS_PRINTED | fields).items() if each != "left out"})
    return refused.value.errors


@st.composite
def schedules(draw: st.DrawFn) -> Recurrence:
    frequency = draw(st.sampled_from(Frequency))
    days = st.sets(st.integers(1, 7), min_size=1)
    starts = st.dates(date(2023, 1, 1), date(2028, 12, 31)) | st.sampled_from(
        [date(2024, 1, 31), date(2024, 2, 29), date(2027, 2, 28), date(2025, 12, 30)]
    )
    start = draw(starts)
    ends: dict[str, Any] = draw(
        st.just({})
        | st.builds(lambda n: {"count": n}, st.integers(1, 40))
        | st.builds(lambda n: {"end_date": start + DAY * n}, st.integers(0, 400))
    )
    return Recurrence(
        frequency=frequency,
        interval=draw(st.integers(1, 14)),
        days_of_week=tuple(sorted(draw(days))) if frequency is Frequency.WEEKLY else (),
        time=draw(st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0))),
        time_zone=draw(st.sampled_from(ZONES)),
        start_date=start,
        **ends,
    )


@settings(max_examples=60, deadline=None)
@given(schedules(), st.integers(0, 900), st.integers(0, 24 * 60))
def test_each_local_occurrence_is_there_exactly_once(recurrence: Recurrence, days: int, minutes: int) -> None:
    assert recurrence.start_date is not None
    after = datetime.combine(recurrence.start_date, time(), UTC) + DAY * (days - 5) + MINUTE * minutes
    until = after + DAY * 60
    assert found(recurrence, after, until) == expected(recurrence, after, until)


@settings(max_examples=200, deadline=None)
@given(schedules(), st.data())
def test_asking_again_after_each_occurrence_gives_the_same_as_going_through_them(
    recurrence: Recurrence, data: st.DataObject
) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC) + DAY * data.draw(st.integers(0, 400))
    at_once = list(islice(occurrences(recurrence, begin), 6))
    one_by_one: list[datetime] = []
    after = begin
    while len(one_by_one) < 6 and (at := next_occurrence(recurrence, after)) is not None:
        one_by_one.append(at)
        after = at
    assert one_by_one == at_once


@pytest.mark.parametrize("shape", SHAPES)
def test_at_changes_of_the_clock_each_occurrence_runs_once(shape: str) -> None:
    zones = [*ODD_ZONES, *ZONES[:: len(ZONES) // 8]]
    figure = sum((judge(name, shapes=(shape,), most_changes=2) for name in zones), Tally())
    assert figure.disagreements == ()
    assert figure.schedules > 100


# The words of the schedule.


def test_the_printed_example_runs_on_working_days_until_its_end_date() -> None:
    printed = Recurrence.from_json(AS_PRINTED)
    assert locally(printed, "2024-12-26 20:00") == [
        "Fri 2024-12-27 09:00",
        "Mon 2024-12-30 09:00",
        "Tue 2024-12-31 09:00",
    ]


def test_the_time_is_kept_on_the_local_clock_when_the_offset_changes() -> None:
    printed = Recurrence.from_json(AS_PRINTED)
    first, second = islice(occurrences(printed, utc("2024-11-01 00:00")), 2)
    assert (first, second) == (utc("2024-11-01 13:00"), utc("2024-11-04 14:00"))


def test_a_time_in_a_gap_runs_at_the_first_minute_after_it() -> None:
    nightly = schedule(time="02:30")
    assert locally(nightly, "2026-03-07 12:00", 2) == ["Sun 2026-03-08 03:00", "Mon 2026-03-09 02:30"]


def test_a_time_in_a_fold_runs_the_first_time_only() -> None:
    nightly = schedule(time="01:30")
    assert list(islice(occurrences(nightly, utc("2026-10-31 12:00")), 2)) == [
        utc("2026-11-01 05:30"),
        utc("2026-11-02 06:30"),
    ]


def test_a_day_that_a_zone_leaves_out_runs_at_the_first_minute_after_it_and_not_twice() -> None:
    samoa = schedule(time="00:00", time_zone="Pacific/Apia", start_date="2011-12-29")
    assert locally(samoa, "2011-12-29 00:00", 3) == [
        "Thu 2011-12-29 00:00",
        "Sat 2011-12-31 00:00",
        "Sun 2012-01-01 00:00",
    ]


def test_monthly_keeps_the_first_ones_day_and_takes_the_last_where_it_is_missing() -> None:
    monthly = schedule("monthly", start_date="2026-01-31")
    assert [day[4:14] for day in locally(monthly, "2026-01-01 00:00", 5)] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
    ]


def test_monthly_from_a_leap_day_keeps_the_29th() -> None:
    yearly = schedule("monthly", interval=12, start_date="2024-02-29")
    assert [day[4:14] for day in locally(yearly, "2024-01-01 00:00", 5)] == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


def test_the_interval_counts_from_the_first_occurrence() -> None:
    fortnightly = schedule("weekly", interval=2, days_of_week=[1, 4], start_date="2026-01-02")
    assert locally(fortnightly, "2026-01-01 00:00", 4) == [
        "Mon 2026-01-05 09:00",
        "Thu 2026-01-08 09:00",
        "Mon 2026-01-19 09:00",
        "Thu 2026-01-22 09:00",
    ]


def test_a_first_occurrence_late_in_its_week_leaves_the_next_week_out() -> None:
    fortnightly = schedule("weekly", interval=2, days_of_week=[1, 4], start_date="2026-01-07")
    assert locally(fortnightly, "2026-01-01 00:00", 3) == [
        "Thu 2026-01-08 09:00",
        "Mon 2026-01-19 09:00",
        "Thu 2026-01-22 09:00",
    ]


def test_the_end_date_is_local_and_inclusive() -> None:
    evening = schedule(time="23:30", end_date="2026-01-02")
    assert locally(evening, "2026-01-01 00:00") == ["Thu 2026-01-01 23:30", "Fri 2026-01-02 23:30"]


def test_a_count_counts_from_the_first_occurrence() -> None:
    three = schedule(count=3)
    assert len(locally(three, "2026-01-01 00:00")) == 3
    assert locally(three, "2026-01-02 15:00") == ["Sat 2026-01-03 09:00"]


@pytest.mark.parametrize(
    ("now", "first"), [("2026-06-01 12:59", "2026-06-01"), ("2026-06-01 13:00", "2026-06-02")]
)
def test_without_a_start_date_it_begins_with_the_next_time_to_come(now: str, first: str) -> None:
    daily = schedule(start_date=None)
    assert anchored(daily, utc(now)).start_date == date.fromisoformat(first)
    assert locally(daily, now, 1)[0][4:14] == first


def test_the_latest_occurrence_of_a_time_that_has_passed() -> None:
    daily = schedule()
    missed = latest_occurrence(daily, after=utc("2026-01-03 14:00"), until=utc("2026-01-06 15:00"))
    assert missed == utc("2026-01-06 14:00")
    assert latest_occurrence(daily, after=utc("2026-01-03 14:00"), until=utc("2026-01-03 20:00")) is None


def test_what_was_read_is_written_the_same_way() -> None:
    read = Recurrence.from_json(AS_PRINTED)
    assert read.to_json() == AS_PRINTED | {"start_date": None, "count": None}
    assert Recurrence.from_json(read.to_json()) == read


# What is refused.


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("frequency", "hourly", "daily, weekly, monthly"),
        ("frequency", "left out", "how often"),
        ("interval", 0, "from 1"),
        ("interval", 1.5, "whole number"),
        ("interval", True, "whole number"),
        ("days_of_week", [], "at least one day"),
        ("days_of_week", "left out", "at least one day"),
        ("days_of_week", [0], "1 is Monday"),
        ("days_of_week", [8], "1 is Monday"),
        ("days_of_week", ["monday"], "1 is Monday"),
        ("days_of_week", 3, "1 is Monday"),
        ("time", "25:00", "09:00"),
        ("time", "9 am", "09:00"),
        ("time", "09:00:30", "09:00"),
        ("time", "left out", "what time"),
        ("time_zone", "Mars/Olympus", "no time zone"),
        ("time_zone", "left out", "which time zone"),
        ("end_date", "31.12.2030", "2030-12-31"),
        ("end_date", "0001-01-01", "from 2000"),
        ("count", 0, "from 1"),
        ("count", 3, "one of them"),
        ("hour", 9, "no such field"),
    ],
)
def test_a_wrong_field_is_named_with_what_to_write(field: str, value: object, why: str) -> None:
    told = problems(**{field: value})
    assert told.keys() == {field}
    assert why in told[field]


def test_days_of_the_week_are_for_weekly_schedules_only() -> None:
    assert problems(frequency="daily").keys() == {"days_of_week"}


def test_an_end_before_the_start_is_refused() -> None:
    assert problems(start_date="2025-01-01").keys() == {"end_date"}


def test_everything_that_is_wrong_is_named_at_once() -> None:
    assert problems(time="x", time_zone="y", interval=0).keys() == {"time", "time_zone", "interval"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"end_date": "2026-01-31"}, "end_date"),
        (
            {"frequency": "monthly", "start_date": "2026-01-15", "interval": 2, "end_date": "2026-02-28"},
            "end_date",
        ),
        ({"count": 3}, "count"),
    ],
)
def test_a_schedule_without_an_occurrence_to_come_names_the_field_that_ended_it(
    fields: dict[str, Any], field: str
) -> None:
    ended = schedule(fields.pop("frequency", "daily"), **fields)
    assert why_it_has_ended(ended, utc("2026-02-10 00:00")).keys() == {field}


def test_a_schedule_with_an_occurrence_to_come_has_not_ended() -> None:
    assert why_it_has_ended(schedule(end_date="2026-02-10"), utc("2026-02-10 13:59")) == {}


# The runs of a campaign.

DAILY_AT_NINE = {"frequency": "daily", "time": "09:00", "time_zone": "UTC", "start_date": "2026-03-01"}


def plan(**fields: Any) -> RecurringPlan:
    return RecurringPlan.from_json(DAILY_AT_NINE | fields)


@pytest.mark.parametrize("missed", MissedRun)
@pytest.mark.parametrize("now", ["2026-03-03 22:00", "2026-03-04 08:59", "2026-03-04 09:05"])
def test_an_occurrence_to_come_or_not_later_than_five_minutes_is_not_missed(missed: str, now: str) -> None:
    assert plan(missed=missed).to_run(after=utc("2026-03-03 09:00"), now=utc(now)) == utc("2026-03-04 09:00")


def test_of_several_missed_occurrences_the_last_is_caught_up_once() -> None:
    caught = plan(missed="catch_up")
    at = caught.to_run(after=utc("2026-03-03 09:00"), now=utc("2026-03-06 12:00"))
    assert at == utc("2026-03-06 09:00")
    assert caught.to_run(after=at, now=utc("2026-03-06 13:00")) == utc("2026-03-07 09:00")


def test_missed_occurrences_are_skipped_by_choice() -> None:
    skipped = plan(missed="skip")
    assert skipped.to_run(after=utc("2026-03-03 09:00"), now=utc("2026-03-06 12:00")) == utc(
        "2026-03-07 09:00"
    )
    assert skipped.to_run(after=utc("2026-03-03 09:00"), now=utc("2026-03-06 09:05")) == utc(
        "2026-03-06 09:00"
    )


def test_a_schedule_that_is_over_has_no_further_run() -> None:
    ended = {"end_date": "2026-03-05"}
    late = {"after": utc("2026-03-03 09:00"), "now": utc("2026-03-06 12:00")}
    assert plan(**ended, missed="skip").to_run(**late) is None
    assert plan(**ended, missed="catch_up").to_run(**late) == utc("2026-03-05 09:00")
    assert plan(**ended).to_run(after=utc("2026-03-05 09:00"), now=utc("2026-03-05 10:00")) is None


def test_the_same_people_and_catching_up_are_the_defaults() -> None:
    assert plan().to_json() == DAILY_AT_NINE | {
        "interval": 1,
        "days_of_week": [],
        "end_date": None,
        "count": None,
        "people": "same",
        "segment_id": None,
        "missed": "catch_up",
    }


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"people": "segment"}, {"segment_id"}),
        ({"segment_id": 3}, {"segment_id"}),
        ({"people": "everyone"}, {"people"}),
        ({"missed": "twice", "time": "late"}, {"missed", "time"}),
        ({"whom": "all"}, {"whom"}),
    ],
)
def test_a_plan_names_what_is_wrong(fields: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(RecurrenceInvalid) as refused:
        plan(**fields)
    assert refused.value.errors.keys() == wrong
