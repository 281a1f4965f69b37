"""Pasted text: a table copied from a spreadsheet, or a list of numbers."""

import re
from typing import Final

_BETWEEN: Final = re.compile(r"[\n\r\t,;|]+")
_NUMBER: Final = re.compile(r"\+?[(\d][\d ()./-]{5,24}\d")


def one_a_line(text: str) -> str:
    """Return a list of numbers with one number on each line; any other text as it is."""
    parts = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
    is_list = all(map(_NUMBER.fullmatch, parts))
    return "\n".join(parts) + "\n" if is_list else text
