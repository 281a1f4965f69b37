"""Form fields and X-Twilio-Signature, written from Twilio's description, independently of any validator."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote_plus

Fields = list[tuple[str, str]]
"""Form fields in the order sent. Blank values are fields too."""


def sign(auth_token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return base64(HMAC-SHA1(token, url + keys and values)), the fields sorted and repeated ones once.

    `url` is the whole address as sent, without its fragment. For a GET pass no fields: the url has them.
    """
    text = url + "".join(key + value for key, value in sorted(set(fields)))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def encode(fields: Iterable[tuple[str, str]]) -> str:
    """Return the fields form-urlencoded, as urllib's urlencode. Quoted values are cached: they repeat."""
    return "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in fields)


_quoted = lru_cache(maxsize=50_000)(quote_plus)
