"""How every process writes its log: one line an event, with the details that came with it."""

import logging
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LIBRARIES: Final = ("httpx", "httpcore", "twilio", "asyncio")
"""What tells of every request at INFO."""


class DetailedFormatter(logging.Formatter):
    """Time, level, name, message, and the `extra` of the record as `name=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line without its traceback."""
        details = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        return " ".join(
            [super().formatMessage(record), *(f"{name}={value}" for name, value in details.items())]
        )


def configure() -> None:
    """Let this process log so to its standard error, unless it logs already."""
    handler = logging.StreamHandler()
    handler.setFormatter(DetailedFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
