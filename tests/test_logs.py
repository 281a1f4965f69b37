"""What a log line has."""

import logging

from app.logs import DetailedFormatter


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
    assert rest[-1] == "ValueError: no"
