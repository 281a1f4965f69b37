"""Ugly files as people really send them, each with what must become of it."""

import codecs
import gzip
import io
import zipfile
from dataclasses import dataclass, field

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


def workbook() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


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
        data=b"phone,name\n2025550143,A\x07nn" + b" " * 2_000, numbers=(ANN,), names=("Ann",)
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
    "xlsx": Ugly(data=workbook(), refused="Excel workbook"),
    "xls": Ugly(data=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, refused="Excel workbook"),
    "gzip": Ugly(data=gzip.compress(b"phone\n2025550143\n"), refused="compressed"),
    "pdf": Ugly(data=b"%PDF-1.7\n%...", refused="PDF"),
    "png": Ugly(data=b"\x89PNG\r\n\x1a\n", refused="picture"),
    "web_page": Ugly(data=b"  <!DOCTYPE html><table><tr><td>2025550143", refused="web page"),
    "json": Ugly(data=b'[{"phone": "2025550143"}]', refused="JSON"),
    "nul_bytes": Ugly(data=b"phone,name\n2025550143,A\0nn\n", refused="binary"),
    "noise": Ugly(data=bytes(range(1, 256)) * 40, refused="binary"),
    "one_endless_line": Ugly(data=b"phone," + b"x" * 3_000_000, refused="1,000,000 characters"),
    "endless_line_after_good_rows": Ugly(
        data=b"phone\n" + b"2025550143\n" * 10 + b"9" * 2_500_000, refused="1,000,000 characters"
    ),
    "prose": Ugly(
        data=b"Dear all,\nplease call everyone.\nThanks\n", refused="No column holds phone numbers"
    ),
}
