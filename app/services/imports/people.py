"""From a row of a file to a person: number, contact fields, template variables, and warnings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from app.domain.contact_fields import IGNORE, LENGTHS, PHONE, VARIABLE
from app.domain.phone import NumberRejected, is_region, normalize
from app.services.campaigns.adding import LONGEST_VARIABLE
from app.services.imports.reading import FileRow

_UNPRINTABLE: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000)))
"""NUL and lone surrogates are refused by the database, the others by what speaks or shows the text."""


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How the rows of one file are read."""

    targets: tuple[str, ...]
    """One for each column: a contact field, `variable:<name>` or `ignore`."""
    region: str
    strict: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A row that has a number we could contact."""

    row: FileRow
    number: str
    fields: dict[str, str]
    """Contact field -> text; those without a text are left out. `name` is there if any part of it is."""
    variables: dict[str, str]
    """Everything this row says, by template name: what a campaign keeps."""
    custom: dict[str, str]
    """The part of `variables` that has no place of its own on a contact."""
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that cannot be imported, and why."""

    row: FileRow
    reason: str


def read_people(rows: Sequence[FileRow], plan: RowPlan) -> list[Person | RejectedRow]:
    """Return a person or a reason for each row, in order. Slow (50 µs a number): call it in a thread."""
    return [_read_row(row, plan) for row in rows]


def _read_row(row: FileRow, plan: RowPlan) -> Person | RejectedRow:
    if row.problem:
        return RejectedRow(row, row.problem)
    cells, custom, warnings = _sort_cells(row.cells, plan)
    country = cells.get("country", "").upper()
    try:
        phone = normalize(
            cells.pop(PHONE, ""), region=country if is_region(country) else plan.region, strict=plan.strict
        )
    except NumberRejected as rejected:
        return RejectedRow(row, str(rejected))
    _join_name(cells)
    _check_time_zone(cells, warnings)
    everything = custom | cells
    custom |= {name: text for name, text in cells.items() if not _has_a_place(name, text)}
    fields = {name: text for name, text in cells.items() if _has_a_place(name, text)}
    if "country" in fields:
        fields["country"] = country
    _shorten(fields, warnings)
    return Person(row, phone.e164, fields, everything, custom, (*phone.warnings, *warnings))


def _sort_cells(cells: Sequence[str], plan: RowPlan) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return (contact fields, template variables, warnings); empty cells are left out."""
    fields: dict[str, str] = {}
    custom: dict[str, str] = {}
    warnings: list[str] = []
    for target, cell in zip(plan.targets, cells, strict=False):
        text = cell.translate(_UNPRINTABLE).strip()
        if not text or target == IGNORE:
            continue
        if not target.startswith(VARIABLE):
            fields[target] = text
            continue
        if len(text) > LONGEST_VARIABLE:
            warnings.append(f"{target[len(VARIABLE) :]} was shortened to {LONGEST_VARIABLE:,} characters.")
        custom[target.removeprefix(VARIABLE)] = text[:LONGEST_VARIABLE]
    if any(cell.strip() for cell in cells[len(plan.targets) :]):
        warnings.append(
            f"The row has {len(cells)} cells but the header has {len(plan.targets)}: the rest was left out. "
            "Check that no cell is in the wrong column."
        )
    return fields, custom, warnings


def _join_name(cells: dict[str, str]) -> None:
    parts = (cells.get("first_name", ""), cells.get("last_name", ""))
    if name := cells.get("name") or " ".join(filter(None, parts)):
        cells["name"] = name


def _check_time_zone(cells: dict[str, str], warnings: list[str]) -> None:
    if (zone := cells.get("time_zone")) and not (known := _time_zones().get(zone.lower().replace(" ", "_"))):
        warnings.append(
            f"The time zone “{zone[:64]}” is not known and was left out. Write it like America/New_York."
        )
        del cells["time_zone"]
    elif zone and known:
        cells["time_zone"] = known


@lru_cache(maxsize=1)
def _time_zones() -> dict[str, str]:
    return {zone.lower(): zone for zone in available_timezones()}


def _has_a_place(name: str, text: str) -> bool:
    return name in LENGTHS and (name != "country" or is_region(text))


def _shorten(fields: dict[str, str], warnings: list[str]) -> None:
    for name, text in fields.items():
        if len(text) > LENGTHS[name]:
            warnings.append(f"{name} was shortened to {LENGTHS[name]:,} characters.")
            fields[name] = text[: LENGTHS[name]]
