"""Ugly files as people really send them, each with what must become of it."""

import codecs
import gzip
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from openpyxl import Workbook

ANN, BOB = "+12025550143", "+12025550144"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ugly:
    """A file and its verdict: refused with these words, or these numbers and these counts."""

    data: bytes
    refused: str = ""
    numbers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    rejected: dict[int, str] = field(default_factory=dict)
    """Row number -> words of the reason."""
    duplicates: int = 0
    warned: dict[int, str] = field(default_factory=dict)


Cell = str | int | float | bool | date | time | None


def workbook(
    rows: list[list[Cell]],
    *,
    others: Mapping[str, list[list[Cell]]] | None = None,
    merged: tuple[str, ...] = (),
    far: tuple[str, str] | None = None,
) -> bytes:
    """An Excel workbook as openpyxl writes it."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    if far:
        sheet[far[0]] = far[1]
    for name, table in (others or {}).items():
        other = book.create_sheet(name)
        for row in table:
            other.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def zipped(parts: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return packed.getvalue()


def changed_workbook(parts: Mapping[str, bytes]) -> bytes:
    """A good workbook with some of its parts replaced."""
    with zipfile.ZipFile(io.BytesIO(workbook([["phone"], [2025550143]]))) as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**whole, **parts})


def bomb(part: str) -> bytes:
    """A part of 60 MB of blanks that packs to 60 kB."""
    return changed_workbook({part: b" " * 60_000_000})


def lying_bomb() -> bytes:
    """A sheet whose entry says that it is a thousand bytes when it is ten million."""
    sheet = b"<worksheet>" + b" " * 10_000_000
    whole = bytearray(changed_workbook({"xl/worksheets/sheet1.xml": sheet}))
    told = len(sheet).to_bytes(4, "little")
    assert whole.count(told) >= 1
    return bytes(whole.replace(told, (1_000).to_bytes(4, "little")))


def laughing() -> bytes:
    """Entities within entities: a billion laughs in a kilobyte."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    sheet = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>'
    )
    return changed_workbook({"xl/worksheets/sheet1.xml": sheet.encode()})


def wide(columns: int) -> bytes:
    header = ",".join(["phone", *(f"c{column}" for column in range(columns - 1))])
    return f"{header}\n{ANN}\n".encode()


TWO = (ANN, BOB)

FILES: dict[str, Ugly] = {
    # Encodings
    "utf8_bom": Ugly(
        data=codecs.BOM_UTF8 + "phone,name\n2025550143,Zoë".encode(), numbers=(ANN,), names=("Zoë",)
    ),
    "cp1252": Ugly(
        data="phone,name\n2025550143,Zoë “Z”".encode("cp1252"), numbers=(ANN,), names=("Zoë “Z”",)
    ),
    "utf16_le": Ugly(
        data="phone\tname\r\n2025550143\tZoë\r\n".encode("utf-16"), numbers=(ANN,), names=("Zoë",)
    ),
    "utf16_be": Ugly(
        data=codecs.BOM_UTF16_BE + "phone,name\n2025550143,Zoë".encode("utf-16-be"),
        numbers=(ANN,),
        names=("Zoë",),
    ),
    "utf16_without_mark": Ugly(data="phone\n2025550143".encode("utf-16-le"), refused="binary data"),
    "utf16_cut_in_a_character": Ugly(
        data="phone\n2025550143\n".encode("utf-16") + b"1", refused="cannot be read"
    ),
    "utf32": Ugly(data="phone\n2025550143".encode("utf-32"), refused="binary data"),
    "bom_but_not_utf8": Ugly(data=codecs.BOM_UTF8 + b"phone,name\n2025550143,Zo\xeb", refused="UTF-8"),
    "byte_that_no_encoding_has": Ugly(data=b"phone,name\n2025550143,Zo\x81\xeb", refused="cannot be read"),
    "emoji_and_rtl": Ugly(
        data="phone,name\n\u202a+1 202 555 0143\u202c,مريم 🌷".encode(), numbers=(ANN,), names=("مريم 🌷",)
    ),
    # Delimiters
    "semicolons": Ugly(data=b"name;phone\nAnn, PhD;2025550143\n", numbers=(ANN,), names=("Ann, PhD",)),
    "tabs": Ugly(data=b"phone\tname\n2025550143\tAnn\n", numbers=(ANN,), names=("Ann",)),
    "pipes": Ugly(data=b"phone|name\n2025550143|Ann\n", numbers=(ANN,), names=("Ann",)),
    "sep_line": Ugly(
        data=b"sep=;\r\nphone;name\r\n2025550143;Ann\r\nx;Bob", numbers=(ANN,), rejected={3: "not a phone"}
    ),
    "quoted_sep_line": Ugly(data=b'"sep=|"\nphone|name\n2025550143|Ann\n', numbers=(ANN,), names=("Ann",)),
    "one_column": Ugly(data=b"phone\n2025550143\n2025550144\n", numbers=TWO),
    "semicolons_with_decimal_commas": Ugly(
        data=b"phone;price;name\n2025550143;1,50;Ann\n2025550144;2,75;Bob\n",
        numbers=TWO,
        names=("Ann", "Bob"),
    ),
    # Line ends and blank rows
    "old_mac_line_ends": Ugly(data=b"phone,name\r2025550143,Ann\r2025550144,Bob\r", numbers=TWO),
    "mixed_line_ends": Ugly(data=b"phone,name\r\n2025550143,Ann\n2025550144,Bob\r", numbers=TWO),
    "no_last_line_end": Ugly(data=b"phone\n2025550143", numbers=(ANN,)),
    "blank_rows_count_as_rows": Ugly(
        data=b"\n\nphone,name\n\n,,\n2025550143,Ann\nbad,Bob\n\n", numbers=(ANN,), rejected={7: "not a phone"}
    ),
    "trailing_empty_columns": Ugly(
        data=b"phone,name,,,\n2025550143,Ann,,,\n", numbers=(ANN,), names=("Ann",)
    ),
    "dos_end_of_file": Ugly(data=b"phone\n2025550143\n\x1a", numbers=(ANN,), rejected={3: ""}),
    # Quotes
    "line_end_in_a_cell": Ugly(
        data=b'phone,notes\n2025550143,"two\nlines"\nbad,x\n', numbers=(ANN,), rejected={3: "not a phone"}
    ),
    "quote_within_a_cell": Ugly(
        data=b'phone,name\n2025550143,Ann "AJ" Lee\n', numbers=(ANN,), names=('Ann "AJ" Lee',)
    ),
    "text_after_a_quoted_cell": Ugly(
        data=b'phone,name\n2025550143,"Ann" Lee\n2025550144,Bob\n',
        numbers=(BOB,),
        rejected={2: "quotation mark"},
    ),
    "quote_never_closed": Ugly(
        data=b'phone,name\n2025550199,"Ann\n2025550143,Ann\n2025550144,Bob\n',
        numbers=TWO,
        rejected={2: "never closed"},
    ),
    "quote_never_closed_in_the_header": Ugly(data=b'phone,"name\n2025550143,Ann\n', refused="header row"),
    "every_cell_quoted": Ugly(data=b'"phone","name"\n"2025550143","Ann"\n', numbers=(ANN,), names=("Ann",)),
    "huge_cell": Ugly(
        data=b"phone,notes\n2025550143," + b"x" * 200_000 + b"\n2025550144,y\n",
        numbers=(BOB,),
        rejected={2: "131,072"},
    ),
    # Headers
    "shouted_headers": Ugly(
        data=b" PHONE NUMBER ,Full_Name\n2025550143,Ann\n", numbers=(ANN,), names=("Ann",)
    ),
    "google_contacts": Ugly(
        data=b"Given Name,Family Name,Phone 1 - Type,Phone 1 - Value\nAnn,Lee,Mobile,2025550143\n",
        numbers=(ANN,),
        names=("Ann Lee",),
    ),
    "duplicate_headers": Ugly(data=b"phone,name,name\n2025550143,Ann,Lee\n", numbers=(ANN,), names=("Ann",)),
    "nameless_column": Ugly(data=b"phone,,name\n2025550143,x,Ann\n", numbers=(ANN,), names=("Ann",)),
    "two_phone_columns": Ugly(
        data=b"mobile,phone,name\n123,2025550143,Ann\n", numbers=(ANN,), names=("Ann",)
    ),
    "contact_is_a_name_beside_a_phone": Ugly(
        data=b"contact,tel\nAnn,2025550143\n", numbers=(ANN,), names=("Ann",)
    ),
    "contact_is_the_number_alone": Ugly(data=b"contact\n2025550143\n", numbers=(ANN,)),
    "no_phone_column": Ugly(data=b"who,what\nAnn,lead\n", refused="No column holds phone numbers"),
    "no_header": Ugly(data=b"+12025550143,Ann\n+12025550144,Bob\n", numbers=TWO, names=("Ann", "Bob")),
    "too_many_columns": Ugly(data=wide(501), refused="501 columns"),
    "as_many_columns_as_may_be": Ugly(data=wide(500), numbers=(ANN,)),
    "ten_thousand_columns": Ugly(data=wide(10_000), refused="10,000 columns"),
    # Rows
    "short_and_long_rows": Ugly(
        data=b"phone,name\n2025550143\n2025550144,Bob,Rome,x\n", numbers=TWO, warned={3: "has 4 cells"}
    ),
    "duplicates_in_other_words": Ugly(
        data=b"phone\n2025550143\n+1 (202) 555-0143\n12025550143\n001 202 555 0143\n",
        numbers=(ANN,),
        duplicates=3,
    ),
    "spreadsheet_damage": Ugly(
        data=(
            b"phone,name\n1.20256E+10,a\n12025550143.0,b\n'2025550144,c\n"
            b'"=""+12025550145""",d\n2025550146 / 2025550147,e\n2025550148 x12,f\n'
        ),
        numbers=(ANN, BOB, "+12025550145", "+12025550148"),
        rejected={2: "shortened by a spreadsheet", 6: "more than one"},
        warned={7: "extension 12"},
    ),
    "formulas_are_text": Ugly(
        data=b'phone,name\n2025550143,"=HYPERLINK(""http://x"")"\n',
        numbers=(ANN,),
        names=('=HYPERLINK("http://x")',),
    ),
    "impossible_numbers": Ugly(
        data=b"phone\n2025550143\n911\n+999123456789\nn/a\n-\n",
        numbers=(ANN,),
        rejected={3: "", 4: "country code", 5: "not a phone", 6: "not a phone"},
    ),
    "control_characters_in_a_cell": Ugly(
        data=b"phone,name\n2025550143,A\x07nn", numbers=(ANN,), names=("Ann",)
    ),
    "unknown_time_zone": Ugly(
        data=b"phone,tz\n2025550143,Mars/Olympus\n2025550144,europe/paris\n",
        numbers=TWO,
        warned={2: "Mars/Olympus"},
    ),
    "long_name": Ugly(
        data=b"phone,name\n2025550143," + b"x" * 300,
        numbers=(ANN,),
        names=("x" * 200,),
        warned={2: "shortened"},
    ),
    # No tables at all
    "empty": Ugly(data=b"", refused="empty"),
    "only_blanks": Ugly(data=b" \n\n  \r\n", refused="empty"),
    "only_a_bom": Ugly(data=codecs.BOM_UTF8, refused="empty"),
    "header_only": Ugly(data=b"phone,name\n", refused="no row"),
    "zip_that_is_no_workbook": Ugly(
        data=zipped({"people.csv": b"phone\n2025550143\n"}), refused="zip archive"
    ),
    "zip_cut_off": Ugly(data=workbook([["phone"], ["2025550143"]])[:-200], refused="damaged"),
    "zip_with_rubbish_inside": Ugly(
        data=zipped({"xl/workbook.xml": b"<workbook/>", "[Content_Types].xml": b"<Types/>"}),
        refused="damaged",
    ),
    "open_document_sheet": Ugly(data=zipped({"content.xml": b"<x/>"}), refused="OpenDocument"),
    # Workbooks
    "xlsx": Ugly(
        data=workbook([["Phone", "Name"], ["2025550143", "Zoë"], [None, None], ["bad", "Bob"]]),
        numbers=(ANN,),
        names=("Zoë",),
        rejected={4: "not a phone"},
    ),
    "xlsx_numbers_as_phones": Ugly(
        data=workbook([["phone"], [2025550143], [12025550144.0], [1.2025550145e10], [20255501461.5]]),
        numbers=(ANN, BOB, "+12025550145"),
        rejected={5: ""},
    ),
    "xlsx_dates_as_phones": Ugly(
        data=workbook(
            [["phone"], [date(2025, 5, 5)], [datetime.fromisoformat("2025-05-05T14:30")], [2025550143]]
        ),
        numbers=(ANN,),
        rejected={2: "date", 3: "date"},
    ),
    "xlsx_other_kinds_of_cells": Ugly(
        data=workbook(
            [["phone", "vip", "due", "name", "at"], ["2025550143", True, date(2026, 3, 1), "Ann", time(9, 5)]]
        ),
        numbers=(ANN,),
        names=("Ann",),
    ),
    "xlsx_merged_headers": Ugly(
        data=workbook(
            [
                ["Person", None, "Where", None],
                ["Name", "Mobile", "City", "ZIP"],
                ["Ann", "2025550143", "Rome", 7],
            ],
            merged=("A1:B1", "C1:D1"),
        ),
        numbers=(ANN,),
        names=("Ann",),
    ),
    "xlsx_title_above_the_table": Ugly(
        data=workbook(
            [["People to call"], [], ["as of March"], ["tel", "name"], [2025550143, "Ann"], ["x", "y"]]
        ),
        numbers=(ANN,),
        names=("Ann",),
        rejected={6: "not a phone"},
    ),
    "xlsx_several_sheets": Ugly(
        data=workbook([["phone"], [2025550143]], others={"Archive": [["phone"], [2025550144]]}),
        numbers=(ANN,),
    ),
    "xlsx_formula_without_a_result": Ugly(
        data=workbook([["phone", "name"], [2025550143, "=A2"], ["=1+1", "Bob"]]),
        numbers=(ANN,),
        rejected={3: "no phone number"},
    ),
    "xlsx_texts_with_breaks_and_quotes": Ugly(
        data=workbook([["phone", "name"], ["2025550143", 'two\nlines, "quoted"']]),
        numbers=(ANN,),
        names=('two\nlines, "quoted"',),
    ),
    "xlsx_without_a_header": Ugly(
        data=workbook([[2025550143, "Ann"], [2025550144, "Bob"]]), numbers=TWO, names=("Ann", "Bob")
    ),
    "xlsx_cell_far_to_the_right": Ugly(
        data=workbook([["phone"], [2025550143]], far=("ZZZ1", "here")), refused="600 columns"
    ),
    "xlsx_empty": Ugly(data=workbook([]), refused="empty"),
    "xlsx_no_phone_column": Ugly(data=workbook([["who"], ["Ann"]]), refused="No column holds phone numbers"),
    "zip_bomb_in_a_sheet": Ugly(data=bomb("xl/worksheets/sheet1.xml"), refused="inflate"),
    "zip_bomb_in_the_styles": Ugly(data=bomb("xl/styles.xml"), refused="inflate"),
    "zip_bomb_that_lies_about_its_size": Ugly(data=lying_bomb(), refused="damaged"),
    "xlsx_with_entities_that_multiply": Ugly(data=laughing(), refused="damaged"),
    "xls": Ugly(data=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, refused="Excel workbook"),
    "gzip": Ugly(data=gzip.compress(b"phone\n2025550143\n"), refused="compressed"),
    "pdf": Ugly(data=b"%PDF-1.7\n%...", refused="PDF"),
    "png": Ugly(data=b"\x89PNG\r\n\x1a\n", refused="picture"),
    "web_page": Ugly(data=b"  <!DOCTYPE html><table><tr><td>2025550143", refused="web page"),
    # JSON, whatever the file is called
    "json": Ugly(data=b'[{"phone": "2025550143", "name": "Ann"}]', numbers=(ANN,), names=("Ann",)),
    "json_within_an_object": Ugly(
        data=b'{"contacts": [{"phone": 2025550143}, {"tel": "x"}]}', numbers=(ANN,), rejected={2: "no phone"}
    ),
    "json_one_object_a_line": Ugly(data=b'{"phone": 2025550143}\n{"phone": 2025550144}\n', numbers=TWO),
    "json_cut_off": Ugly(data=b'[{"phone": 2025550143}, {"phone": "202', refused="item 2"),
    "json_of_no_objects": Ugly(data=b"[[1, 2], [3]]", refused="no object"),
    "json_with_other_things_between": Ugly(
        data=b'[{"phone": "2025550143"}, null, [1, {"phone": 7}], "2025550144", -1.5e3, {"phone": 2025550144}]',
        numbers=TWO,
        rejected={2: "no object", 3: "no object", 4: "no object", 5: "no object"},
    ),
    "json_with_an_object_too_deep_between": Ugly(
        data=b'[{"phone": "2025550143"}, {"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}]", refused="item 2"
    ),
    "json_empty_array": Ugly(data=b"[]", refused="no object"),
    "json_nested_too_deeply": Ugly(data=b'[{"a":' * 100_000, refused="item 1"),
    "json_endless_text": Ugly(data=b'[{"phone": "' + b"1" * 1_500_000, refused="item 1"),
    "json_bom": Ugly(data=codecs.BOM_UTF8 + b'[{"phone": "2025550143"}]', numbers=(ANN,)),
    "nul_in_a_cell": Ugly(
        data=b"phone,name\n2025550143,A\0nn\n2025550144,Bob\n", numbers=(BOB,), rejected={2: "NUL"}
    ),
    "nul_in_a_header": Ugly(data=b"phone,na\0me\n2025550143,Ann\n", numbers=(ANN,)),
    "nul_in_a_row_without_a_header": Ugly(
        data=b"2025550143,A\0nn\n2025550144,Bob\n", numbers=(BOB,), rejected={1: "NUL"}
    ),
    "nul_in_a_broken_row": Ugly(
        data=b'phone,name\n2025550143,"A\0nn" Lee\n2025550144,Bob\n',
        numbers=(BOB,),
        rejected={2: "quotation mark"},
    ),
    "json_with_what_cannot_be_stored": Ugly(
        data=b'[{"phone": "2025550143", "na\\ud800me": "A\\u0000n\\udfffn"}, {"phone": "2025550144\\u0000"}]',
        numbers=TWO,
    ),
    "nul_bytes": Ugly(data=b"phone,name\n2025550143,Ann\n" + b"\0" * 500, refused="binary"),
    "noise": Ugly(data=bytes(range(1, 256)) * 40, refused="binary"),
    "one_endless_line": Ugly(data=b"phone," + b"x" * 3_000_000, refused="1,000,000 characters"),
    "endless_line_after_good_rows": Ugly(
        data=b"phone\n" + b"2025550143\n" * 10 + b"9" * 2_500_000, refused="1,000,000 characters"
    ),
    "prose": Ugly(
        data=b"Dear all,\nplease call everyone.\nThanks\n", refused="No column holds phone numbers"
    ),
}
