"""CSV for people who open it in a spreadsheet program."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"
"""Goes before the first row: Excel takes the file for UTF-8 by it."""

_FORMULA: Final = frozenset("=+-@\t\r")
_HARMLESS: Final = re.compile(r"\+\d{7,15}|[+-]?\d+(?:[.,]\d+)?")


def csv_rows(rows: Iterable[Sequence[str]]) -> str:
    """Return the rows as CSV, every cell safe to open."""
    table = io.StringIO()
    csv.writer(table).writerows([safe_cell(cell) for cell in row] for row in rows)
    return table.getvalue()


def safe_cell(text: str) -> str:
    """Return the text so that a spreadsheet program takes it for no formula (OWASP: CSV injection).

    Phone numbers and plain numbers stay as they are. What hides the first character, such as a wide form or a
    no-break space, is looked through.
    """
    seen = unicodedata.normalize("NFKC", text).lstrip(" ")
    if seen[:1] in _FORMULA and not _HARMLESS.fullmatch(text):
        return f"'{text}"
    return text
