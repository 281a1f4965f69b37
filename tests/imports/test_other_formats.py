"""Whatever is in a JSON file or a workbook: rows come out of it, or one clear refusal, and never much memory."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.services.tabular.json_rows import file_columns_of, file_objects
from app.services.tabular.refusals import FileRefused
from app.services.tabular.workbooks import opened_workbook, sheet_names, sheet_rows
from tests.imports.corpus import Cell, workbook

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
"""openpyxl warns of what it leaves out; here that is the point."""

MOST_MEMORY = 16_000_000
GOOD = workbook([["phone", "name"], ["2025550143", "Zoë"], [2025550144, None]])

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
cells: st.SearchStrategy[Cell] = (
    st.none()
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn", "Co"]), max_size=20)
)


def items(data: bytes) -> list[dict[str, str] | str]:
    file = io.BytesIO(data)
    file_columns_of(file)
    return list(file_objects(file))


def rows(data: bytes) -> list[list[str]]:
    with opened_workbook(io.BytesIO(data)) as book:
        return list(sheet_rows(book, sheet_names(book)[0]))


def read_or_refused(read: Callable[[bytes], list[Any]], data: bytes) -> list[Any] | None:
    try:
        return read(data)
    except FileRefused:
        return None


@given(found=st.lists(values, max_size=8))
def test_every_item_of_a_json_array_is_a_row(found: list[Any]) -> None:
    has_a_column = any(isinstance(item, dict) and item for item in found)
    read = read_or_refused(items, json.dumps(found).encode())
    assert (read is not None) == has_a_column or any(isinstance(item, dict) for item in found)
    if read is not None:
        assert [isinstance(item, dict) for item in read] == [isinstance(item, dict) for item in found]


@given(found=st.lists(values, min_size=1, max_size=6), place=st.integers(0, 400), noise=st.binary(max_size=6))
def test_a_damaged_json_file_gives_rows_or_a_refusal(found: list[Any], place: int, noise: bytes) -> None:
    data = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
    read_or_refused(items, data[:place] + noise + data[place + len(noise) :])


@given(table=st.lists(st.lists(cells, min_size=1, max_size=5), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_a_workbook_gives_the_rows_that_are_in_it(table: list[list[Cell]]) -> None:
    read = rows(workbook(table))
    for given_row, found in zip(table, read, strict=False):
        assert len(found) <= len(given_row)
    assert len(read) <= len(table)


@given(part=st.sampled_from(zipfile.ZipFile(io.BytesIO(GOOD)).namelist()), data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_workbook_with_a_damaged_part_gives_rows_or_a_refusal(part: str, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    place = data.draw(st.integers(0, len(parts[part])))
    noise = data.draw(st.binary(max_size=12))
    parts[part] = parts[part][:place] + noise + parts[part][place + len(noise) :]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    read_or_refused(rows, packed.getvalue())


@pytest.mark.parametrize(
    ("place", "mark"), [(8, b"\x01"), (10, b"\x63")], ids=["password", "packed strangely"]
)
def test_a_workbook_whose_parts_cannot_be_unpacked_is_refused(place: int, mark: bytes) -> None:
    entries = [at for at in range(len(GOOD)) if GOOD.startswith(b"PK\x01\x02", at)]
    damaged = bytearray(GOOD)
    for at in entries:
        damaged[at + place : at + place + len(mark)] = mark
    with pytest.raises(FileRefused, match="password"):
        rows(bytes(damaged))


@given(place=st.integers(0, len(GOOD)), noise=st.binary(max_size=12))
@example(place=505, noise=b"\x11")  # a part that ends too early
@settings(max_examples=60, deadline=None)
def test_a_damaged_workbook_gives_rows_or_a_refusal(place: int, noise: bytes) -> None:
    read_or_refused(rows, GOOD[:place] + noise + GOOD[place + len(noise) :])


@pytest.mark.parametrize(
    "data",
    [
        b'[{"phone": "2025550143"}' + b', {"phone": "2025550144"}' * 50_000 + b"]",
        b'[{"a": 1}, ' + b"7, " * 50_000 + b"8]",
        b'[{"a": "' + b"x" * 20_000_000,
        b"[" + b" " * 20_000_000 + b'{"a": 1}]',
        b'[{"a": 1}, ' + b"9" * 3_000_000 + b"]",
    ],
    ids=["many", "numbers", "one text", "blanks", "one number"],
)
def test_a_large_json_file_takes_little_memory(data: bytes) -> None:
    file = io.BytesIO(data)
    tracemalloc.start()
    try:
        for _ in file_objects(file):
            pass
    except FileRefused:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_MEMORY
