"""An array of JSON objects as the CSV it could have been: one set of rules and messages for both."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.services.errors import FieldErrors
from app.services.imports.reading import MAX_COLUMNS

_NESTED: Final = frozenset({"variables", "custom_fields", "fields"})
"""Objects within an object whose entries are columns of their own."""


def csv_from_objects(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the objects as CSV in UTF-8, a column for each key. Raises `FieldErrors` on `contacts…`."""
    if not rows:
        raise FieldErrors({"contacts": "There is no contact in the request. Send at least one object."})
    flat = [_flat(row, position) for position, row in enumerate(rows)]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    if not columns:
        raise FieldErrors({"contacts": "The objects are empty. Give each a phone_number."})
    if len(columns) > MAX_COLUMNS:
        raise FieldErrors({"contacts": f"The objects have more than {MAX_COLUMNS} different keys."})
    table = io.StringIO()
    writer = csv.writer(table, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in flat)
    return table.getvalue().encode("utf-8", "replace")


def _flat(row: object, position: int) -> dict[str, str]:
    if not isinstance(row, Mapping):
        raise FieldErrors({f"contacts.{position}": "This is not an object with a phone_number."})
    cells: dict[str, str] = {}
    for key, value in row.items():
        if key in _NESTED and isinstance(value, Mapping):
            cells |= {_clean(str(name)): _cell(nested) for name, nested in value.items()}
        else:
            cells[_clean(str(key))] = _cell(value)
    return cells


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _clean(text: str) -> str:
    return text.replace("\0", "")
