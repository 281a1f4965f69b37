"""Reads our cookies from the `Cookie` header of a browser, whatever else the same host has set.

The standard library stops at the first malformed pair. Starlette keeps only one cookie of a name and strips characters
from names that browsers do not strip, so that a sibling domain could forge a `__Host-` cookie.
"""

from collections.abc import Iterable
from typing import Final

_OURS_ALONE: Final = "__Host-"
"""Browsers accept a cookie of such a name only from this host, over https, for all of its paths: RFC 6265bis."""
_MOST: Final = 200
"""More than a browser keeps for one site."""


def cookie_name(name: str, *, over_https: bool) -> str:
    """Return the name of our cookie, for https or for plain http."""
    return f"{_OURS_ALONE}{name}" if over_https else name


def tokens_in(headers: Iterable[str], name: str, *, over_https: bool) -> tuple[str, ...]:
    """Return the values of our cookie of this name in the `Cookie` headers, each once. They are not checked yet.

    There may be several: a path or a sibling domain can add a cookie of the same name. All are tried, so that a wrong
    one does not lock a person out.
    """
    called = cookie_name(name, over_https=over_https)
    pairs = (pair.partition("=") for header in headers for pair in header.split(";"))
    values = (value.strip(" \t") for key, _, value in pairs if key.strip(" \t") == called)
    return tuple(dict.fromkeys(filter(None, values)))[:_MOST]
