"""Bytes to rows: the same rows however the file is cut into pieces, and never more than a piece in memory."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.tabular.refusals import FileRefused
from app.services.tabular.row_reader import FileRow, RowReader
from tests.imports.corpus import FILES

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def read(data: bytes, *, size: int, encoding: str = "utf-8", delimiter: str | None = None) -> list[FileRow]:
    reader = RowReader(encoding, delimiter=delimiter)
    rows = [row for start in range(0, len(data), size) for row in reader.feed(data[start : start + size])]
    return rows + reader.close()


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12), st.integers(1, 40))
@settings(deadline=None)
def test_what_a_csv_writer_wrote_is_read_back_whatever_the_pieces(table: list[list[str]], size: int) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([["phone", "name"], *table])

    rows = read(written.getvalue().encode(), size=size, delimiter=",")

    kept = [(number, cells) for number, cells in enumerate(table, start=2) if any(c.strip() for c in cells)]
    assert [(row.number, row.cells) for row in rows] == kept


@given(st.binary(max_size=300), st.integers(1, 20))
@settings(deadline=None)
def test_any_bytes_are_read_the_same_in_pieces_or_refused(noise: bytes, size: int) -> None:
    data = b"phone,name\n" + noise
    try:
        whole = read(data, size=len(data), encoding="latin-1")
    except FileRefused:
        with pytest.raises(FileRefused):
            read(data, size=size, encoding="latin-1")
    else:
        assert read(data, size=size, encoding="latin-1") == whole


@pytest.mark.parametrize("size", [1, 2, 3, 64, 1_000])
@pytest.mark.parametrize("name", ["quote_never_closed", "line_end_in_a_cell", "mixed_line_ends", "sep_line"])
def test_a_cut_anywhere_changes_nothing(name: str, size: int) -> None:
    data = FILES[name].data
    assert read(data, size=size) == read(data, size=len(data))


def test_one_stray_quotation_mark_costs_one_row_of_a_large_file() -> None:
    lines = [f"{number},x" for number in range(100_000)]
    lines[50_000] = '50000,"x'

    rows = read("\n".join(["ref,name", *lines]).encode(), size=1 << 20)

    assert len(rows) == 100_000
    assert [row.number for row in rows if row.problem] == [50_002]


def test_headers_are_distinct_and_named() -> None:
    reader = RowReader("utf-8")
    reader.feed(b"phone,Name, name ,Name,,\n")
    reader.close()
    assert reader.headers == ["phone", "Name", "name", "Name (2)"]
    reader = RowReader("utf-8")
    reader.feed(b",phone,,Column 3\n")
    reader.close()
    assert reader.headers == ["Column 1", "phone", "Column 3", "Column 3 (2)"]
