"""Finds out a file's format, encoding and delimiter, or why it is no table of text."""

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
_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order mark -> encoding."""

_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b")) + b"\x7f"
_MOST_CONTROL: Final = 0.005
_FEW_CONTROL: Final = 8
"""This many control characters may be a mistake, even in a small file."""

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
        """Look at the next bytes. Raises `FileRefused` if they are no text."""
        if not self._encoding:
            _refuse_known_formats(data)
            marked = (name for mark, name in _MARKS.items() if data.startswith(mark))
            self._encoding = next(marked, "utf-8")
        if self._encoding != "utf-16":
            self._bytes += len(data)
            self._controls += len(data) - len(data.translate(None, _CONTROL))
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
    """Return the format of a file by its first bytes: `xlsx` (or another zip archive), `json` or `csv`."""
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    return "json" if _JSON.match(head.removeprefix(codecs.BOM_UTF8)) else "csv"


def guess_delimiter(text: str) -> str:
    """Return the delimiter that gives the first lines of a file the most regular table; a comma if none does.

    Each of the four candidates is tried, because `csv.Sniffer` fails on single columns and guesses quoting wrongly.
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
    has_phone = PHONE in suggest_mapping(list(dict.fromkeys(rows[0][:100]))).values()
    return (alike + has_phone, width)
