"""X-Twilio-Signature, written from Twilio's description of it and not from anyone's validator."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

Fields = list[tuple[str, str]]
"""Form fields in the order sent. Blank values are fields too."""


def sign(auth_token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return base64(HMAC-SHA1(token, url + every sorted unique key followed by its sorted unique values)).

    `url` is the whole address as sent, without its fragment. For a GET pass no fields: they are in the url.
    """
    text = url + "".join(key + values for key, values in _grouped(fields))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _grouped(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    values: dict[str, set[str]] = {}
    for key, value in fields:
        values.setdefault(key, set()).add(value)
    return [(key, "".join(sorted(values[key]))) for key in sorted(values)]
