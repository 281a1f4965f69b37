"""Reads the rows of a file from its bytes, piece by piece. It holds at most a chunk and a record in memory."""

import base64
import codecs
import csv
import io
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from app.domain.contact_fields import PHONE, suggest_mapping, unique_headers
from app.domain.phone import NumberRejected, normalize
from app.services.tabular.detection import DELIMITERS, guess_delimiter
from app.services.tabular.refusals import MEGABYTE, SAVE_AS_CSV, FileRefused

MAX_RECORD: Final = MEGABYTE
"""Most characters in one record. The standard parser's limit for one cell (131,072) stays."""
MAX_COLUMNS: Final = 500
_DETECT_CHARACTERS: Final = 64_000
_SHOWN_OF_A_BROKEN_LINE: Final = 2_000
NO_OBJECT: Final = "\0"
"""Marks an item of a JSON file that is no object: its only cell begins with it. Text from JSON has no NUL."""
_NOT_AN_OBJECT: Final = (
    'This item is no object with a phone_number, such as {"phone_number": "+12025550143"}.'
)
_NUL: Final = "\ufdd0"
"""Replaces a NUL, which the database refuses. Unicode reserves this character for use inside a program."""
_NO_TEXT: Final = "\N{REPLACEMENT CHARACTER}"
_LONGEST_SHORT_CELL: Final = 40
_FEWEST_DIGITS: Final = 7
_MOST_OPENING_ROWS: Final = 10
"""How many rows are searched for the header: exports may begin with a title, a date or merged headings."""


class FileRow(NamedTuple):
    """One record of the file that is not blank."""

    number: int
    """The row's number as in a spreadsheet: blank rows count, and a header in the first row is row 1."""
    cells: list[str]
    problem: str | None = None
    """Why the record could not be split into cells; `cells` is then its first line."""


class RowReader:
    """Turns the chunks of one file, fed in order, into rows.

    A record with wrong quoting becomes a row with a `problem`, and reading goes on with the line after its first line.
    So one wrong quotation mark does not spoil the rest of the file.
    """

    def __init__(self, encoding: str, *, delimiter: str | None = None, items: bool = False) -> None:
        """Without a delimiter, it is guessed from the first lines.

        With `items` (from JSON) the header is not counted and blank rows are returned like others.
        """
        self.delimiter = delimiter or ""
        self.headers: list[str] = []
        """Distinct names of the columns; empty until the header row is read."""
        self.headerless = False
        """The file begins with a number: its columns are called `Column 1`, `Column 2`, …"""
        self._items = items
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._held: list[str] = []
        self._partial = ""
        self._number = 0
        self._started = False
        self._holds_nul = False
        self._opening: list[FileRow] = []

    def feed(self, data: bytes) -> list[FileRow]:
        """Return the rows completed by these bytes. Raises `FileRefused`."""
        return self._read(self._decode(data, final=False), final=False)

    def close(self) -> list[FileRow]:
        """Return the rows that the end of the file completes. Raises `FileRefused`."""
        rows = self._read(self._decode(b"", final=True), final=True)
        return self._settle_header() + rows if self._opening else rows

    def state(self) -> dict[str, Any]:
        """Return the reader's position as JSON: `restore` goes on from there with the next chunk."""
        held, flags = self._decoder.getstate()
        return {
            "decoder": [base64.b64encode(held).decode(), flags],
            "delimiter": self.delimiter,
            "headers": self.headers,
            "headerless": self.headerless,
            "held": self._held,
            "partial": self._partial,
            "number": self._number,
            "started": self._started,
            "holds_nul": self._holds_nul,
            "opening": [list(row) for row in self._opening],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another reader of the same file stopped."""
        held, flags = state["decoder"]
        self._decoder.setstate((base64.b64decode(held), flags))
        self.delimiter, self.headers = state["delimiter"], list(state["headers"])
        self.headerless, self._started = state["headerless"], state["started"]
        self._holds_nul = state["holds_nul"]
        self._held, self._partial, self._number = list(state["held"]), state["partial"], state["number"]
        self._opening = [FileRow(*row) for row in state["opening"]]

    def _decode(self, data: bytes, *, final: bool) -> str:
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raise FileRefused(
                f"After row {self._number} the file holds characters that cannot be read. {SAVE_AS_CSV}"
            ) from error
        if "\0" in text:
            self._holds_nul = True
            return text.replace("\0", _NUL)
        return text

    def _read(self, text: str, *, final: bool) -> list[FileRow]:
        lines = self._lines(text, final=final)
        if not self._started and not self._start(lines, final=final):
            return []
        return self._rows(lines, final=final)

    def _lines(self, text: str, *, final: bool) -> list[str]:
        """Return complete lines with their ends, held-back lines first. An incomplete last line is held back."""
        whole = self._partial + text
        # A carriage return at the end of a piece may be the first half of a line end.
        kept = "\r" if whole.endswith("\r") and not final else ""
        lines = list(io.StringIO(whole[: len(whole) - len(kept)], newline=""))
        self._partial = kept
        if lines and not final and (kept or not lines[-1].endswith(("\n", "\r"))):
            self._partial = lines.pop() + kept
        self._refuse_endless(lines)
        held, self._held = self._held, []
        return held + lines

    def _refuse_endless(self, lines: list[str]) -> None:
        if len(self._partial) > MAX_RECORD or (lines and max(map(len, lines)) > MAX_RECORD):
            raise FileRefused(
                f"After row {self._number} there is a line of more than 1,000,000 characters. "
                f"This is probably no table with one person a line. {SAVE_AS_CSV}"
            )

    def _start(self, lines: list[str], *, final: bool) -> bool:
        """Guess the delimiter when there is enough text; until then hold the lines back."""
        if not final and sum(map(len, lines)) < _DETECT_CHARACTERS:
            self._held = lines
            return False
        self._started = True
        # A spreadsheet's first line may be `sep=;`.
        said = lines[0].strip(' \r\n"').lower() if lines else ""
        if said.startswith("sep=") and said[4:] in DELIMITERS:
            del lines[0]
            self.delimiter = self.delimiter or said[4:]
        self.delimiter = self.delimiter or guess_delimiter("".join(islice(lines, 200)))
        return True

    def _rows(self, lines: list[str], *, final: bool) -> list[FileRow]:
        rows: list[FileRow] = []
        position = 0
        while position < len(lines):
            reader = csv.reader(islice(lines, position, None), delimiter=self.delimiter, strict=True)
            done = position
            try:
                for cells in reader:
                    done = position + reader.line_num
                    self._number += 1
                    if not self._items and not "".join(cells).strip():
                        continue
                    row = FileRow(self._number, cells)
                    self._give(self._without_nul(row) if self._holds_nul else row, rows)
                position = done
            except csv.Error as error:
                record = lines[done:]
                if not final and _is_unfinished(error) and sum(map(len, record)) <= MAX_RECORD:
                    self._held = record
                    return rows
                self._give(self._broken(record[0], error), rows)
                position = done + 1
        return rows

    def _give(self, row: FileRow, rows: list[FileRow]) -> None:
        if self.headers:
            rows.append(row)
            return
        self._opening.append(row)
        # Until it is known which row holds the names of the columns, the rows are held back.
        is_too_much = len(row.cells) > MAX_COLUMNS or len(self._opening) >= _MOST_OPENING_ROWS
        if self._items or is_too_much or _names_a_phone(row.cells) or any(map(_is_number, row.cells)):
            rows += self._settle_header()

    def _broken(self, line: str, error: csv.Error) -> FileRow:
        self._number += 1
        if not self.headers and not self._opening:
            raise FileRefused(f"The header row cannot be read: {_explained(error)}")
        shown = line.rstrip("\r\n")[:_SHOWN_OF_A_BROKEN_LINE].replace(_NUL, _NO_TEXT)
        return FileRow(self._number, [shown], _explained(error))

    def _without_nul(self, row: FileRow) -> FileRow:
        """Refuse a row with a NUL: a character is lost there, and it may be a digit of the number."""
        if _NUL not in "".join(row.cells):
            return row
        if self._items:
            return FileRow(row.number, [row.cells[0].removeprefix(_NUL)], _NOT_AN_OBJECT)
        shown = [cell.replace(_NUL, _NO_TEXT) for cell in row.cells]
        return FileRow(
            row.number, shown, "The row holds a character that is no text (NUL). Type that cell again."
        )

    def _settle_header(self) -> list[FileRow]:
        """Take the header from the rows held back, and return the rows of people.

        The header is the row that names a column of phone numbers. Titles and merged headings above it are skipped.
        """
        opening, self._opening = self._opening, []
        if self._items or not _names_a_phone(opening[-1].cells):
            first = opening[0]
            if not self._items and any(map(_is_number, first.cells)):
                self.headerless = True
                self._take_header([""] * max(len(row.cells) for row in opening))
                return opening
            self._take_header(first.cells)
            return opening[1:]
        self._take_header(opening[-1].cells)
        return []

    def _take_header(self, cells: list[str]) -> None:
        while cells and not cells[-1].strip() and not self.headerless:
            cells = cells[:-1]
        if len(cells) > MAX_COLUMNS:
            raise FileRefused(
                f"The file has {len(cells):,} columns, more than {MAX_COLUMNS}. Remove those you do not need."
            )
        self.headers = unique_headers(cells)
        if self._items:
            self._number = 0


def _names_a_phone(cells: list[str]) -> bool:
    distinct = list(dict.fromkeys(cells[:MAX_COLUMNS]))
    return PHONE in suggest_mapping(distinct).values()


def _is_unfinished(error: csv.Error) -> bool:
    return "unexpected end of data" in str(error)


def _explained(error: csv.Error) -> str:
    text = str(error)
    if _is_unfinished(error):
        return "A quotation mark is opened in this row and never closed. Close or remove it."
    if "field larger" in text:
        return "A cell is longer than 131,072 characters, or a quotation mark is never closed."
    return "A quotation mark is in the wrong place. Put it around the whole cell and double those in it."


def _is_number(cell: str) -> bool:
    if len(cell) > _LONGEST_SHORT_CELL or sum(map(str.isdigit, cell)) < _FEWEST_DIGITS:
        return False
    try:
        return bool(normalize(cell, region="US").e164)
    except NumberRejected:
        return False
