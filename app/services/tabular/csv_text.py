"""Writes CSV that is safe to open in a spreadsheet program."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"
"""Written before the first row: Excel recognizes UTF-8 by it."""

_FORMULA: Final = frozenset("=+-@\t\r")
_HARMLESS: Final = re.compile(r"\+\d{7,15}|[+-]?\d+(?:[.,]\d+)?")


def csv_rows(rows: Iterable[Sequence[str]]) -> str:
    """Return the rows as CSV, every cell safe to open."""
    table = io.StringIO()
    csv.writer(table).writerows([safe_cell(cell) for cell in row] for row in rows)
    return table.getvalue()


def safe_cell(text: str) -> str:
    """Return the text so that a spreadsheet program does not read it as a formula (OWASP: CSV injection).

    Phone numbers and plain numbers stay as they are. A hidden first character is found too, such as a wide form or
    one after a no-break space.
    """
    seen = unicodedata.normalize("NFKC", text).lstrip(" ")
    if seen[:1] in _FORMULA and not _HARMLESS.fullmatch(text):
        return f"'{text}"
    return text
