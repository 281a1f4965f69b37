"""The log format of every process: one line per event with its details, and limits on size.

Logs may contain text that strangers send. It can neither imitate a log line nor fill the disk.
`app.installation.log_files` limits the size of the files.
"""

import logging
import re
import time
from collections.abc import Callable
from textwrap import indent
from typing import Any, Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LIBRARIES: Final = ("httpx", "httpcore", "twilio", "asyncio")
"""Libraries that log every request at INFO."""

LONGEST_LINE: Final = 2_000
"""The most characters of a line."""
LONGEST_TRACEBACK: Final = 20_000
MOST_TRACEBACKS: Final = 20
"""The most tracebacks of one process in a minute. Further errors are logged as one line."""
_MINUTE: Final = 60.0

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class DetailedFormatter(logging.Formatter):
    """Time, level, name, message, and the `extra` of the record as `name=value`."""

    def __init__(self, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is a monotonic clock."""
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._seconds = seconds
        self._minute = 0.0
        self._told = 0

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line without its traceback."""
        details = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line = " ".join(
            [super().formatMessage(record), *(f"{name}={value}" for name, value in details.items())]
        )
        return _cut(_CONTROLS.sub(lambda found: ascii(found[0])[1:-1], line), LONGEST_LINE)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Return the traceback; only the type of the error if there were too many in this minute."""
        if self._has_room():
            return indent(_cut(super().formatException(ei), LONGEST_TRACEBACK), "  ")
        return f"  {ei[0].__name__} (no traceback: there were {MOST_TRACEBACKS} within a minute)"

    def _has_room(self) -> bool:
        now = self._seconds()
        if now - self._minute >= _MINUTE:
            self._minute, self._told = now, 0
        self._told += 1
        return self._told <= MOST_TRACEBACKS


def configure() -> None:
    """Log to standard error in this format, unless logging is configured already."""
    handler = logging.StreamHandler()
    handler.setFormatter(DetailedFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\N{HORIZONTAL ELLIPSIS} ({len(text) - longest} more)"
