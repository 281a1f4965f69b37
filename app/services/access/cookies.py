"""What is read of the cookies that a browser sends: everywhere alike, whatever else the same host has set.

Not by the standard library, which stops at the first pair that is odd; nor by Starlette, which keeps one of a name, and
takes spaces that no browser takes for such off a name, so that a sibling domain could plant one of `__Host-`.
"""

from collections.abc import Iterable
from typing import Final

_OURS_ALONE: Final = "__Host-"
"""A browser takes a cookie of such a name from this very host alone, by https, for all of its paths: RFC 6265bis."""
_MOST: Final = 200
"""More than a browser keeps of one site."""


def cookie_name(name: str, *, over_https: bool) -> str:
    """Return what a cookie of ours is called where browsers reach us over https, or not."""
    return f"{_OURS_ALONE}{name}" if over_https else name


def tokens_in(headers: Iterable[str], name: str, *, over_https: bool) -> tuple[str, ...]:
    """Return what the `Cookie` headers say under this name of ours, each once; none of it is believed yet.

    There may be several: who can set cookies for a path, or from a sibling domain, can put one beside ours. So all of
    them are tried, and nobody is locked out by one that is good for nothing.
    """
    called = cookie_name(name, over_https=over_https)
    pairs = (pair.partition("=") for header in headers for pair in header.split(";"))
    values = (value.strip(" \t") for key, _, value in pairs if key.strip(" \t") == called)
    return tuple(dict.fromkeys(filter(None, values)))[:_MOST]
