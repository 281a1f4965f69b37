"""What may be written as a time zone, and what is meant by what may not."""

import subprocess
import sys
from typing import Final

import pytest

from app.domain.time_zones import LONGEST_ZONE, ZoneRefused, known_zones, read_zone
from app.domain.zone_clocks import alike_in, clock, country_of, one_of_each_clock, zones_of

CASES: Final = (
    ("EST", None),
    ("MST", None),
    ("HST", None),
    ("PST", None),
    ("CST", None),
    ("Eastern", "means America/New_York"),
    ("Eastern Time", "means America/New_York"),
    ("US/Eastern", "America/New_York"),
    ("America/New York", "America/New_York"),
    ("GMT+2", None),
    ("Etc/GMT+5", None),
    ("UTC-5", None),
    ("-05:00", None),
    ("EST5EDT", None),
    ("Eastern Standard Time", "means America/New_York"),
    ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("Central European Time", "means Europe/Paris"),
    ("CET", None),
    ("Asia/Calcutta", "Asia/Kolkata"),
)
"""A file's cells, and what becomes of them: a zone, a zone that a person must confirm, or nothing."""


def refusal(text: str) -> ZoneRefused:
    with pytest.raises(ZoneRefused) as refused:
        read_zone(text)
    return refused.value


@pytest.mark.parametrize(("text", "outcome"), CASES)
def test_a_cell_is_a_zone_or_asked_about_or_refused(text: str, outcome: str | None) -> None:
    if outcome is None:
        assert refusal(text).suggestion is None
        assert "Write the region and city, such as America/New_York." in str(refusal(text))
    elif outcome.startswith("means "):
        assert refusal(text).suggestion == outcome.removeprefix("means ")
        assert outcome.removeprefix("means ") in str(refusal(text))
    else:
        assert read_zone(text) == outcome


@pytest.mark.parametrize(
    "text", ["america/new_york", " America/New_York ", "AMERICA / NEW YORK", "america/new york"]
)
def test_case_and_spaces_do_not_matter(text: str) -> None:
    assert read_zone(text) == "America/New_York"


@pytest.mark.parametrize(
    ("old", "today"),
    [
        ("US/Pacific-New", "America/Los_Angeles"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("America/Virgin", "America/St_Thomas"),
        ("Asia/Istanbul", "Europe/Istanbul"),
        ("America/Montreal", "America/Toronto"),
        ("Australia/ACT", "Australia/Sydney"),
    ],
)
def test_an_old_name_becomes_the_one_of_today(old: str, today: str) -> None:
    assert read_zone(old) == today


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Africa/Accra", "America/Kentucky/Louisville"])
def test_a_country_s_own_zone_keeps_its_name(zone: str) -> None:
    assert read_zone(zone) == zone


@pytest.mark.parametrize("text", ["UTC", "utc", "Etc/UTC"])
def test_utc_is_a_zone(text: str) -> None:
    assert read_zone(text) == "UTC"


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("Mountain", "America/Denver"),
        ("central", "America/Chicago"),
        ("Eastern Daylight Time", "America/New_York"),
        ("Eastern European Time", "Europe/Athens"),
        ("Japan", "Asia/Tokyo"),
        ("GB", "Europe/London"),
        ("Chicago", "America/Chicago"),
        ("Arizona", "America/Phoenix"),
        ("Hawaii-Aleutian Standard Time", "Pacific/Honolulu"),
        ("Zulu", "UTC"),
    ],
)
def test_usual_words_are_asked_about(words: str, zone: str) -> None:
    assert refusal(words).suggestion == zone


@pytest.mark.parametrize("text", ["+0530", "5", "UTC+5:30", "gmt0", "Etc/GMT-14", "UTC−5"])  # noqa: RUF001
def test_an_offset_is_refused_because_it_knows_no_daylight_saving_time(text: str) -> None:
    assert "is a fixed offset: it does not know daylight saving time" in str(refusal(text))


@pytest.mark.parametrize("text", ["est", "ET", "EDT", "IST", "GMT", "WET", "AEST", "PST8PDT", "XYZ"])
def test_an_abbreviation_is_refused_because_it_names_several_zones(text: str) -> None:
    assert "is an abbreviation" in str(refusal(text))


@pytest.mark.parametrize("text", ["", "Mars/Olympus", "America", "Factory", "x" * 200, "\x00", "Etc/Unknown"])
def test_what_is_no_zone_is_refused_with_an_example(text: str) -> None:
    assert str(refusal(text)).endswith("Write the region and city, such as America/New_York.")
    assert refusal(text).suggestion is None


def test_every_zone_that_is_offered_can_be_read() -> None:
    assert [zone for zone in known_zones() if read_zone(zone) != zone] == []
    assert known_zones()[-1] == "UTC"
    assert len(known_zones()) > 400
    assert max(map(len, known_zones())) < LONGEST_ZONE


def test_what_is_meant_can_itself_be_written() -> None:
    meant = {refusal(text).suggestion for text, outcome in CASES if outcome and outcome.startswith("means ")}
    assert all(zone is not None and read_zone(zone) == zone for zone in meant)


def test_a_machine_without_time_zones_reads_the_same_names() -> None:
    program = "from app.domain.time_zones import read_zone; print(read_zone('us/eastern'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "America/New_York"


def test_zones_with_one_clock_are_one() -> None:
    detroit = frozenset({"America/Detroit", "America/New_York", "America/Chicago"})
    assert one_of_each_clock(detroit) == ("America/Chicago", "America/New_York")
    assert alike_in("America/Detroit", "US") == "America/New_York"
    assert alike_in("America/New_York", "CA") == "America/Toronto"
    assert alike_in("Asia/Kolkata", "US") is None


def test_a_country_s_zones_are_one_for_each_clock() -> None:
    assert zones_of("DE") == ("Europe/Berlin",)
    assert "America/Phoenix" in zones_of("US")
    assert "America/Detroit" not in zones_of("US")
    assert zones_of("XX") == ()
    assert country_of("Europe/London") == "GB"
    assert country_of("UTC") == ""


def test_a_clock_says_when_it_changes() -> None:
    changes = {at.isoformat(): hours // 3600 for at, hours in clock("Europe/London")}
    assert changes["2026-03-29T01:00:00+00:00"] == 1
    assert changes["2026-10-25T01:00:00+00:00"] == 0
