"""Reads Excel workbooks as rows of text. It streams, and limits everything that a small file could inflate."""

import mmap
import struct
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import IO, Any, Final
from xml.etree.ElementTree import ParseError

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from app.services.tabular.refusals import MEGABYTE, SAVE_AS_CSV, FileRefused

MOST_INFLATED: Final = 2_000 * MEGABYTE
"""Most bytes of all parts of a workbook, as its directory declares them. No part is read beyond its declared size."""
MOST_OF_A_SMALL_PART: Final = 50 * MEGABYTE
"""Most bytes of a part that is held in memory: styles, names, relations."""
MOST_RATIO: Final = 500
"""A normal table inflates to ten or twenty times its size. More than this is an attack."""
MOST_CELLS: Final = 600
"""Cells read in one row: one more than the columns a table may have, to see that it is too wide."""
LONGEST_CELL: Final = 32_767
"""Most characters that Excel allows in a cell."""

_BROKEN: Final = (
    *(zipfile.BadZipFile, InvalidFileException, ParseError, zlib.error),
    RuntimeError,  # a part with a password, or a compression that zipfile does not know
    *(KeyError, ValueError, TypeError, AttributeError, IndexError, OSError),
    *(EOFError, OverflowError, struct.error),
)
"""Errors of openpyxl and zipfile for a damaged or disguised file."""

MOST_ROW: Final = 1_048_576
"""Excel's last row."""

_ONE_TEXT: Final = f"{{{SHEET_MAIN_NS}}}si"
_SHEET_DATA: Final = f"{{{SHEET_MAIN_NS}}}sheetData"
_TEXTS: Final = "xl/sharedStrings.xml"
_STREAMED: Final = ("xl/worksheets/", "xl/media/")
_DAMAGED: Final = f"This Excel workbook is damaged or protected by a password. {SAVE_AS_CSV}"
_TRAP: Final = f"This workbook would inflate to far more than its size. {SAVE_AS_CSV}"


@contextmanager
def opened_workbook(file: IO[bytes]) -> Iterator[Any]:
    """Open the file as an openpyxl workbook that is read as a stream. Raises `FileRefused`."""
    _check_archive(file)
    reader = _SheetReader(file)
    try:
        reader.read()
        yield reader.wb
    except _BROKEN as error:
        raise FileRefused(_DAMAGED) from error
    finally:
        reader.archive.close()
        reader.texts.close()


def sheet_names(workbook: Any) -> list[str]:
    """Return the names of the visible sheets in their order. Raises `FileRefused` if there is none."""
    names = [sheet.title[:100] for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    if not names:
        raise FileRefused(f"This Excel workbook has no sheet with a table. {SAVE_AS_CSV}")
    return names


def sheet_rows(workbook: Any, name: str) -> Iterator[list[str]]:
    """Yield the rows of a sheet as text, blank rows too, so that row numbers are those of the spreadsheet."""
    sheet = next(sheet for sheet in workbook.worksheets if sheet.title[:100] == name)
    number = 0
    with sheet._get_source() as source:  # noqa: SLF001 - openpyxl's own way keeps an element of every row
        parser = _SheetParser(
            source,
            sheet._shared_strings,  # noqa: SLF001 - as above
            data_only=True,
            epoch=workbook.epoch,
            date_formats=workbook._date_formats,  # noqa: SLF001 - as above
            timedelta_formats=workbook._timedelta_formats,  # noqa: SLF001 - as above
        )
        for place, cells in parser.rows():
            if place <= number or place > MOST_ROW:
                raise FileRefused(_DAMAGED)
            yield from ([] for _ in range(place - number - 1))
            number = place
            yield _row(cells)


def _row(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    row = [""] * min(max((cell["column"] for cell in cells), default=0), MOST_CELLS)
    for cell in cells:
        # Cells farther right go into the last cell, so that the table is seen to be too wide.
        row[min(cell["column"], MOST_CELLS) - 1] = _text(cell["value"])
    while row and not row[-1]:
        row.pop()
    return row


def _check_archive(file: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FileRefused(_DAMAGED) from error
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
        what = "an OpenDocument spreadsheet" if "content.xml" in names else "a zip archive"
        raise FileRefused(f"This is {what}, not an Excel workbook or a CSV file. {SAVE_AS_CSV}")
    packed = sum(part.compress_size for part in parts)
    inflated = sum(part.file_size for part in parts)
    if inflated > MOST_INFLATED or inflated > max(packed * MOST_RATIO, MEGABYTE):
        raise FileRefused(_TRAP)
    small = [part for part in parts if part.filename != _TEXTS and not part.filename.startswith(_STREAMED)]
    if any(part.file_size > MOST_OF_A_SMALL_PART for part in small):
        raise FileRefused(_TRAP)


def _text(value: object) -> str:
    """Return a cell as a person would type it: whole numbers without a point, dates in ISO format."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:LONGEST_CELL].replace("\0", "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004 - exact
    if isinstance(value, datetime):
        is_day = value.time() == time(0)
        return value.date().isoformat() if is_day else value.isoformat(sep=" ", timespec="minutes")
    return value.isoformat() if isinstance(value, date | time) else str(value)


class _SheetParser(WorkSheetParser):
    """openpyxl's parser of a sheet, but each row is freed after it is returned."""

    def rows(self) -> Iterator[tuple[int, Sequence[Mapping[str, Any]]]]:
        """Yield (number, cells that are not empty) of each existing row."""
        holder = None
        for event, element in iterparse(self.source, events=("start", "end")):
            if event == "start":
                holder = element if element.tag == _SHEET_DATA else holder
            elif element.tag == ROW_TAG:
                yield self.parse_row(element)
                if holder is not None:
                    holder.clear()


class _Sheet(ReadOnlyWorksheet):
    """openpyxl's sheet, but without looking for its size: if the file names none, that would load all rows."""

    def _get_size(self) -> None:
        return


class _SheetReader(ExcelReader):
    """openpyxl's reader, but the shared texts are on disk: a million of them would take 100 MB of memory."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, read_only=True, data_only=True, keep_links=False)
        self.texts = _Texts()

    def read_worksheets(self) -> None:
        """Note the sheets with cells, without reading them yet."""
        for sheet, relation in self.parser.find_sheets():
            if relation.target not in self.valid_files or "chartsheet" in relation.Type:
                continue
            found = _Sheet(self.wb, sheet.name, relation.target, self.shared_strings)
            found.sheet_state = sheet.state or "visible"
            self.wb._sheets.append(found)  # type: ignore[attr-defined]  # noqa: SLF001 - as openpyxl does

    def read_strings(self) -> None:
        """Read the shared texts, if the workbook has any."""
        content = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]  # openpyxl's
        self.shared_strings = self.texts  # type: ignore[assignment]  # it is only ever asked by number
        if content is not None:
            with self.archive.open(content.PartName[1:]) as source:
                self.texts.read(source)


class _Texts(Sequence[str]):
    """Texts by number, in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this
        self._ends = array("Q", [0])
        self._map: mmap.mmap | None = None

    def read(self, source: IO[bytes]) -> None:
        """Read the texts of a `sharedStrings.xml`."""
        root = None
        for event, node in iterparse(source, events=("start", "end")):
            if root is None:
                root = node
            if event == "end" and node.tag == _ONE_TEXT:
                found = Text.from_tree(node)
                data = (found.content if found else "").replace("x005F_", "").encode("utf-8", "replace")
                root.clear()
                self._file.write(data)
                self._ends.append(self._ends[-1] + len(data))
        self._file.flush()
        if self._ends[-1]:
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Delete the temporary file."""
        if self._map is not None:
            self._map.close()
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, place: Any) -> Any:
        """Return one text. Raises `IndexError`."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._map[self._ends[place] : self._ends[place + 1]].decode() if self._map else ""
