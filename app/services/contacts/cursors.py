"""Cursors: the start of a page as an opaque text. It holds the last row's sort key, not a count of rows."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.services.contacts.index_scans import Sort
from app.services.errors import FieldErrors
from app.services.field_readers import cleaned, row_id

_UNREADABLE: Final = "This is not a cursor of this list. Start again without one."
_LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row's sort key and id, and whether the page is before or after it."""

    sort: Sort
    descending: bool
    key: str
    """The value of the sort key, as PostgreSQL writes it."""
    row_id: int
    backwards: bool = False

    def __str__(self) -> str:
        """Return the cursor as a text for `read_cursor`."""
        said = [self.sort.value, int(self.descending), self.key, self.row_id, int(self.backwards)]
        return base64.urlsafe_b64encode(json.dumps(said, ensure_ascii=False).encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor | None:
    """Return the cursor; None for an empty text. Raises `FieldErrors` on `cursor`."""
    if not text:
        return None
    if len(text) > _LONGEST:
        raise FieldErrors({"cursor": _UNREADABLE})
    try:
        padded = text + "=" * (-len(text) % 4)
        sort, descending, key, row, backwards = json.loads(base64.urlsafe_b64decode(padded))
        cursor = Cursor(Sort(sort), bool(descending), str(key), row_id(int(row)), bool(backwards))
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise FieldErrors({"cursor": _UNREADABLE}) from error
    if not _is_a_key(cursor):
        raise FieldErrors({"cursor": _UNREADABLE})
    return cursor


def _is_a_key(cursor: Cursor) -> bool:
    if cursor.sort not in {Sort.CREATED, Sort.LAST_CONTACTED}:
        return cleaned(f"x{cursor.key}x") == f"x{cursor.key}x"
    if cursor.key == "-infinity":
        return True
    try:
        return datetime.fromisoformat(cursor.key).tzinfo is not None
    except ValueError:
        return False
