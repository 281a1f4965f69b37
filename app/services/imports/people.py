"""From rows of a file to people: number, contact fields, template variables, warnings, and who comes twice."""

import csv
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Final, NamedTuple
from zoneinfo import available_timezones

from app.domain.contact_fields import (
    IGNORE,
    LENGTHS,
    LONGEST_TAG,
    MOST_TAGS,
    PHONE,
    TAGS,
    VARIABLE,
    tags_in,
)
from app.domain.phone import NumberRejected, is_region, normalize
from app.domain.template_variables import LONGEST_VARIABLE
from app.services.imports.classes import IN_THIS_FILE, Issue, IssueKind
from app.services.imports.reading import FileRow
from app.services.imports.seen import SeenNumbers

CARD: Final = (
    *("name", "first_name", "last_name", "email", "company", "time_zone", "language"),
    *("country", "state", "notes"),
)
"""The columns of a contact that a file can fill, beside its custom fields."""

_UNPRINTABLE: Final = dict.fromkeys(
    (
        *(*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000)),
        *(*range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    )
)
"""NUL and lone surrogates are refused by the database, the others by what speaks or shows the text; those that turn
its direction would deceive a reader."""


class RowPlan(NamedTuple):
    """How the rows of one file are read."""

    targets: tuple[str, ...]
    """One for each column: a contact field, `variable:<name>` or `ignore`."""
    region: str
    strict: bool


class Person(NamedTuple):
    """A row that has a number we could contact."""

    row: FileRow
    number: str
    fields: dict[str, str]
    """Contact field -> text, without tags; those without a text are left out. `name` is there if any part of it is."""
    variables: dict[str, str]
    """Everything this row says, by template name: what a campaign keeps."""
    custom: dict[str, str]
    """The part of `variables` that has no place of its own on a contact."""
    warnings: list[str]
    tags: list[str]


class ReadRows(NamedTuple):
    """So many rows of a file: people whose number comes for the first time, and what is wrong with the others."""

    total: int
    people: list[Person]
    issues: list[Issue]


def read_rows(rows: Sequence[FileRow], plan: RowPlan, seen: SeenNumbers) -> ReadRows:
    """Return the people of the rows, in order, and note their numbers. Takes a while: call it in a thread."""
    people: list[Person] = []
    issues: list[Issue] = []
    for row in rows:
        if row.problem:
            issues.append(Issue(row, IssueKind.REJECTED, row.problem))
            continue
        try:
            person = _read_row(row, plan)
        except NumberRejected as rejected:
            issues.append(Issue(row, IssueKind.REJECTED, str(rejected)))
            continue
        if seen.add(int(person.number[1:])):
            people.append(person)
        else:
            issues.append(Issue(row, IssueKind.DUPLICATE, IN_THIS_FILE))
    return ReadRows(len(rows), people, issues)


def staged_text(people: Iterable[Person], *, with_variables: bool) -> str:
    """Return the people as CSV, in the order of the columns of `staging.COLUMNS`."""
    text, keys = io.StringIO(), _Keys()
    csv.writer(text, lineterminator="\n").writerows(
        (
            place,
            person.number,
            *[person.fields.get(name, "") for name in CARD],
            _array(person.tags),
            _json(person.custom, keys),
            _json(person.variables, keys) if with_variables else "{}",
        )
        for place, person in enumerate(people)
    )
    return text.getvalue()


def _array(texts: Sequence[str]) -> str:
    """Return the texts as PostgreSQL writes an array."""
    escaped = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return "{" + ",".join([f'"{text}"' for text in escaped]) + "}"


class _Keys(dict[str, str]):
    """Names as they begin an entry of a JSON object, each written once."""

    def __missing__(self, name: str) -> str:
        self[name] = written = f"{encode_basestring_ascii(name)}:"
        return written


def _json(texts: dict[str, str], keys: _Keys) -> str:
    """Return an object of texts, three times as fast as `json.dumps` does."""
    return f"{{{','.join([keys[name] + encode_basestring_ascii(text) for name, text in texts.items()])}}}"


def _read_row(row: FileRow, plan: RowPlan) -> Person:
    cells, custom, warnings = _sort_cells(row.cells, plan.targets)
    country = cells.get("country", "").upper()
    region = country if country and is_region(country) else plan.region
    phone = normalize(cells.pop(PHONE, ""), region=region, strict=plan.strict)
    if "first_name" in cells or "last_name" in cells:
        _join_name(cells)
    if "time_zone" in cells:
        _check_time_zone(cells, warnings)
    tags = _tags(cells, warnings)
    everything = {**custom, **cells}
    cells.pop(TAGS, None)
    for name in [name for name in cells if name not in LENGTHS]:
        custom[name] = cells.pop(name)
    if country and region != country:
        custom["country"] = cells.pop("country")
    elif country:
        cells["country"] = country
    for name, text in cells.items():
        if len(text) > LENGTHS[name]:
            warnings.append(f"{name} was shortened to {LENGTHS[name]:,} characters.")
            cells[name] = text[: LENGTHS[name]]
    return Person(row, phone.e164, cells, everything, custom, [*phone.warnings, *warnings], tags)


def _sort_cells(
    cells: Sequence[str], targets: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return (contact fields, template variables, warnings); empty cells are left out."""
    fields: dict[str, str] = {}
    custom: dict[str, str] = {}
    warnings: list[str] = []
    for target, cell in zip(targets, cells, strict=False):
        text = cell.strip()
        if not text or target == IGNORE:
            continue
        if not text.isprintable():
            text = text.translate(_UNPRINTABLE).strip()
        if target.startswith(VARIABLE):
            _keep_variable(target[len(VARIABLE) :], text, custom, warnings)
        elif text:
            fields[target] = text
    if len(cells) > len(targets) and any(cell.strip() for cell in cells[len(targets) :]):
        warnings.append(
            f"The row has {len(cells)} cells but the header has {len(targets)}: the rest was left out. "
            "Check that no cell is in the wrong column."
        )
    return fields, custom, warnings


def _keep_variable(name: str, text: str, custom: dict[str, str], warnings: list[str]) -> None:
    if len(text) > LONGEST_VARIABLE:
        warnings.append(f"{name} was shortened to {LONGEST_VARIABLE:,} characters.")
    if text:
        custom[name] = text[:LONGEST_VARIABLE]


def _join_name(cells: dict[str, str]) -> None:
    parts = (cells.get("first_name", ""), cells.get("last_name", ""))
    if name := cells.get("name") or " ".join(filter(None, parts)):
        cells["name"] = name


def _tags(cells: dict[str, str], warnings: list[str]) -> list[str]:
    """Return the row's tags, and write them as a template says them."""
    if TAGS not in cells:
        return []
    found = tags_in(cells[TAGS])
    tags = list(dict.fromkeys(tag[:LONGEST_TAG].strip() for tag in found[:MOST_TAGS]))
    if tags != found:
        warnings.append(f"At most {MOST_TAGS} tags of {LONGEST_TAG} characters were kept.")
    cells[TAGS] = ", ".join(tags)
    return tags


def _check_time_zone(cells: dict[str, str], warnings: list[str]) -> None:
    zone = cells["time_zone"]
    if known := _time_zones().get(zone.lower().replace(" ", "_")):
        cells["time_zone"] = known
        return
    warnings.append(
        f"The time zone “{zone[:64]}” is not known and was left out. Write it like America/New_York."
    )
    del cells["time_zone"]


@lru_cache(maxsize=1)
def _time_zones() -> dict[str, str]:
    return {zone.lower(): zone for zone in available_timezones()}
