"""What a file is: its encoding and its delimiter, or why it is no table of text."""

import codecs
import csv
import io
import re
from itertools import islice
from typing import Final

from app.domain.contact_fields import PHONE, suggest_mapping
from app.services.tabular.refusals import SAVE_AS_CSV, FileRefused

DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_LINES: Final = 50
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b")) + b"\x7f"
_MOST_CONTROL: Final = 0.005
_FEW_CONTROL: Final = 8
"""So many control characters are a slip, however small the file is."""

_MAGIC: Final = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"{\\rtf", "a word processor's document"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a Parquet file"),
    (codecs.BOM_UTF32_LE, "binary data or text in UTF-32"),
)
_JSON: Final = re.compile(rb'\s*(?:\[\s*(?:[\[{\]"]|null\b|true\b|false\b)|\{\s*[}"])')
_MARKUP: Final = (b"<!doctype", b"<html", b"<?xml", b"<table")


class EncodingDetector:
    """Tells the encoding of a file from its bytes, in order: BOM, else strict UTF-8, else Windows-1252."""

    def __init__(self) -> None:
        self._encoding = ""
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._bytes = self._controls = 0

    def feed(self, data: bytes) -> None:
        """Look at the next bytes. Raises `FileRefused` for what is no text."""
        if not self._encoding:
            _refuse_known_formats(data)
            self._encoding = _byte_order_mark(data) or "utf-8"
        if self._encoding != "utf-16":
            self._count_controls(data)
            self._check_utf8(data)

    def result(self) -> str:
        """Return the name of the codec to read the whole file with. Raises `FileRefused`."""
        if self._controls > max(_FEW_CONTROL, self._bytes * _MOST_CONTROL):
            raise FileRefused(f"The file holds binary data, not text. {SAVE_AS_CSV}")
        if self._encoding != "utf-16":
            self._check_utf8(b"", final=True)
        if self._is_utf8:
            return self._encoding
        if self._encoding == "utf-8-sig":
            raise FileRefused(f"The file says that it is UTF-8 but holds bytes that are not. {SAVE_AS_CSV}")
        return "cp1252"

    def _count_controls(self, data: bytes) -> None:
        self._bytes += len(data)
        self._controls += len(data) - len(data.translate(None, _CONTROL))

    def _check_utf8(self, data: bytes, *, final: bool = False) -> None:
        if self._is_utf8:
            try:
                self._utf8.decode(data, final)
            except UnicodeDecodeError:
                self._is_utf8 = False


def _refuse_known_formats(data: bytes) -> None:
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise FileRefused(f"This is {what}, not a CSV file. {SAVE_AS_CSV}")
    start = data.removeprefix(codecs.BOM_UTF8).lstrip()[:64].lower()
    if start.startswith(_MARKUP):
        raise FileRefused(f"This is a web page or XML, not a CSV file. {SAVE_AS_CSV}")
    if start.startswith((b"{", b"[{")):
        raise FileRefused("This is JSON, not a CSV file. Send it as JSON to the API, or save it as CSV.")


def format_of(head: bytes) -> str:
    """Return what a file is by its first bytes: `xlsx` (or another zip archive), `json` or `csv`."""
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    return "json" if _JSON.match(head.removeprefix(codecs.BOM_UTF8)) else "csv"


def _byte_order_mark(data: bytes) -> str | None:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def separator_line(line: str) -> str | None:
    """Return the delimiter a spreadsheet's `sep=;` first line names, else None."""
    said = line.strip(' \r\n"').lower()
    return next((delimiter for delimiter in DELIMITERS if said == f"sep={delimiter}"), None)


def guess_delimiter(text: str) -> str:
    """Return the delimiter that gives the first lines of a file the most regular table; a comma if none does.

    `csv.Sniffer` fails on single columns and guesses quoting wrongly: the four candidates are tried instead.
    """
    lines = list(islice(io.StringIO(text, newline=""), _SAMPLE_LINES))
    return max(DELIMITERS, key=lambda delimiter: _regularity(lines, delimiter))


def _regularity(lines: list[str], delimiter: str) -> tuple[float, int]:
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(row)]
    except csv.Error:
        return (0, 0)
    width = len(rows[0]) if rows else 0
    if width <= 1:
        return (0, 0)
    alike = sum(len(row) == width for row in rows) / len(rows)
    has_phone = PHONE in suggest_mapping(_distinct(rows[0][:100])).values()
    return (alike + has_phone, width)


def _distinct(cells: list[str]) -> list[str]:
    return list(dict.fromkeys(cells))
