"""Phone numbers for tests: one counter, so that no two are ever the same, and none is one that a test writes out."""

from typing import Final

FIRST_LINE: Final = 8_000_000
"""Exchanges from 800 on are kept for made numbers: no number in a test's text has them (`test_numbers` looks)."""

_lines = iter(range(FIRST_LINE, 10_000_000))


def new_number(area: int = 202) -> str:
    """Return a valid E.164 number of that American area that was not returned before in this process."""
    return f"+1{area}{next(_lines)}"
