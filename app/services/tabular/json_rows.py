"""Turns JSON objects into CSV, so that the same rules and messages apply to both.

The objects of a request are in memory. Those of a file are read one by one: from an array, from an object with an array
(`{"contacts": [...]}`), or one object on each line.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Final

from app.services.errors import FieldErrors
from app.services.tabular.refusals import SAVE_AS_CSV, FileRefused
from app.services.tabular.row_reader import MAX_COLUMNS, MAX_RECORD

_NESTED: Final = frozenset({"variables", "custom_fields", "fields"})
"""Keys whose value may be an object: its entries become columns."""
_BEGINNING: Final = re.compile(r'\s*(?:\{\s*"(?:contacts|people|data|rows|records|items)"\s*:\s*)?\[')
_NOT_BETWEEN: Final = re.compile(r"[^\s,]")
_DECODER: Final = json.JSONDecoder()
_PIECE: Final = 1 << 16
_LONGEST_SHOWN: Final = 2_000


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


def file_objects(file: IO[bytes]) -> Iterator[dict[str, str] | str]:
    """Yield each object of a JSON file as cells by column, with little more than one object in memory.

    An item that is no object is yielded as its text, shortened. Raises `FileRefused`.
    """
    text, number = _Text(file), 0
    is_list = text.skip(_BEGINNING)
    while (first := text.first()) and not (is_list and first == "]"):
        number += 1
        item = text.take_item(number)
        yield _flat_object(item, number) if isinstance(item, dict) else _shown(item, number)


def _shown(item: object, number: int) -> str:
    try:
        return _clean(json.dumps(item, ensure_ascii=False))[:_LONGEST_SHOWN]
    except RecursionError as error:
        raise _too_deep(number) from error


def file_columns_of(file: IO[bytes]) -> list[str]:
    """Return all keys of the file's objects, in the order of their first use. Raises `FileRefused`."""
    columns: dict[str, None] = {}
    for item in file_objects(file):
        columns.update(dict.fromkeys(() if isinstance(item, str) else item))
        if len(columns) > MAX_COLUMNS:
            raise FileRefused(f"The objects have more than {MAX_COLUMNS} different keys.")
    if not columns:
        raise FileRefused("The JSON holds no object with a phone_number.")
    return list(columns)


class _Text:
    """The text of a file, read when it is needed."""

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        start = file.read(4)
        file.seek(0)
        is_wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        self._file = codecs.getreader("utf-16" if is_wide else "utf-8-sig")(file)
        self._text, self._at = "", 0

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Skip what the pattern matches at the beginning; tell whether it matched."""
        self._more()
        if found := pattern.match(self._text):
            self._at = found.end()
        return found is not None

    def first(self) -> str:
        """Return the next character other than blanks and commas, without taking it; empty at the end."""
        while True:
            if found := _NOT_BETWEEN.search(self._text, self._at):
                self._at = found.start()
                return found[0]
            self._at = len(self._text)
            if not self._more():
                return ""

    def take_item(self, number: int) -> object:
        """Take and return the value that begins here. Raises `FileRefused`."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if len(self._text) - self._at > MAX_RECORD or not self._more():
                    raise FileRefused(
                        f"The JSON cannot be read at item {number}: {error}. Check its quotation marks and commas."
                    ) from error
                continue
            # A number may continue in the next piece of the file.
            if end < len(self._text) or isinstance(value, dict | list | str) or not self._more():
                self._at = end
                return value

    def _more(self) -> bool:
        try:
            read = self._file.read(_PIECE)
        except UnicodeDecodeError as error:
            raise FileRefused(f"The JSON is not UTF-8 text. {SAVE_AS_CSV}") from error
        self._text, self._at = self._text[self._at :] + read, 0
        return bool(read)


def _flat_object(row: Mapping[str, Any], number: int) -> dict[str, str]:
    try:
        return _flat(row, number)
    except RecursionError as error:
        raise _too_deep(number) from error


def _too_deep(number: int) -> FileRefused:
    return FileRefused(f"Item {number} of the JSON is nested too deeply.")
