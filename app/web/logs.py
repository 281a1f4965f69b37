"""Removes secrets from what Reflex logs about its events, and shortens it: it may contain headers and form data."""

import logging
import re
from typing import Final

from app.domain.text import storable

_OWNERS: Final = ("reflex", "socketio", "engineio")
_SOCKET_LOGGERS: Final = ("socketio", "socketio.server", "engineio", "engineio.server")
_SECRETS: Final = re.compile(
    r"""(callsheet_(?:session|browser)=)[^;'"\s,}]+|(['"](?:cookie|authorization|password|token)['"]:\s*)(['"]).*?\3""",
    re.IGNORECASE,
)
_ARGUMENT: Final = re.compile(r"(with value ).*( and type hint)", re.DOTALL)
_LONGEST: Final = 500
"""Characters."""


def keep_secrets_out() -> None:
    """Redact and shorten every log record of Reflex and its socket, before it is written."""
    make = logging.getLogRecordFactory()

    def make_redacted(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if record.name.startswith(_OWNERS):
            record.msg, record.args = redacted(record.getMessage()), ()
        return record

    logging.setLogRecordFactory(make_redacted)


def write_as_ours() -> None:
    """Write the logs of Reflex's socket like all others, and remove the handlers of its libraries."""
    for name in _SOCKET_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def redacted(text: str) -> str:
    """Return the text, shortened, with the values of secrets and of events' arguments replaced."""
    without = _SECRETS.sub(lambda found: f"{found[1] or found[2]}***", text)
    return storable(_ARGUMENT.sub(r"\1***\2", without))[:_LONGEST]
