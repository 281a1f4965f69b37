"""What a log line has."""

import logging

import pytest

from app.runtime.logs import LONGEST_LINE, LONGEST_TRACEBACK, MOST_TRACEBACKS, DetailedFormatter


def test_the_details_of_an_event_are_in_its_line() -> None:
    record = logging.getLogger("app").makeRecord(
        "app", logging.ERROR, __file__, 1, "web.failed", (), None, extra={"reference": "ab12", "path": "/x"}
    )
    assert DetailedFormatter().format(record).endswith("ERROR app web.failed reference=ab12 path=/x")


def test_an_event_without_details_is_a_plain_line_with_its_traceback() -> None:
    failure = (ValueError, ValueError("no"), None)
    record = logging.getLogger("app").makeRecord(
        "app", logging.WARNING, __file__, 1, "job.failed %s", ("twice",), failure
    )
    first, *rest = DetailedFormatter().format(record).splitlines()
    assert first.endswith("WARNING app job.failed twice")
    assert rest[-1] == "  ValueError: no"


def _line(message: str, formatter: DetailedFormatter | None = None, error: Exception | None = None) -> str:
    failure = None if error is None else (type(error), error, None)
    logger = logging.getLogger("app")
    record = logger.makeRecord(
        "app", logging.ERROR, __file__, 1, message, (), failure, extra={"told": message}
    )
    return (formatter or DetailedFormatter()).format(record)


@pytest.mark.parametrize("control", ["\n", "\r\n", "\x00", "\x1b[2J", "\x85", "\u2028"])
def test_nothing_that_was_sent_can_look_like_a_line_of_its_own(control: str) -> None:
    forged = f"sent{control}2026-12-01 00:00:00 INFO app all.is_well"
    assert len(_line(forged).splitlines()) == 1
    assert control not in _line(forged)
    assert all(line.startswith("  ") for line in _line("x", error=ValueError(forged)).splitlines()[1:])


def test_no_line_is_longer_than_a_page() -> None:
    assert len(_line("x" * 900_000)) < LONGEST_LINE + 50
    assert len(_line("x", error=ValueError("y" * 900_000))) < LONGEST_TRACEBACK + 200


def test_of_many_failures_within_a_minute_the_first_have_a_traceback() -> None:
    now = 100.0
    formatter = DetailedFormatter(seconds=lambda: now)
    told = [_line("x", formatter, ValueError("no")) for _ in range(MOST_TRACEBACKS + 5)]
    assert ["ValueError: no" in each for each in told] == [True] * MOST_TRACEBACKS + [False] * 5
    assert "no traceback" in told[-1]
    now += 60
    assert "ValueError: no" in _line("x", formatter, ValueError("no"))
