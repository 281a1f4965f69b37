"""What Reflex logs of its events is kept free of secrets: headers and form data may be in them."""

import logging
import re
from typing import Final

_OWNERS: Final = ("reflex", "socketio", "engineio")
_SECRETS: Final = re.compile(
    r"""(callsheet_(?:session|browser)=)[^;'"\s,}]+|(['"](?:cookie|authorization|password|token)['"]:\s*)(['"]).*?\3""",
    re.IGNORECASE,
)


def keep_secrets_out() -> None:
    """Redact cookies, passwords and tokens in every record of Reflex and its socket, before anything writes it."""
    make = logging.getLogRecordFactory()

    def make_redacted(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if record.name.startswith(_OWNERS):
            record.msg, record.args = redacted(record.getMessage()), ()
        return record

    logging.setLogRecordFactory(make_redacted)


def redacted(text: str) -> str:
    """Return the text with every secret's value replaced."""
    return _SECRETS.sub(lambda found: f"{found[1] or found[2]}***", text)
