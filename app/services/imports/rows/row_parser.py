"""Parses rows of a file into people: number, contact fields, template variables, warnings, and duplicates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from app.domain.contact_fields import (
    CONSENT,
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
from app.domain.text import trimmed
from app.domain.time_zones import ZoneRefused, read_zone
from app.services.imports.issues import IN_THIS_FILE, Issue, IssueKind
from app.services.imports.rows.consents import Consented, ConsentUnclear, take_consent
from app.services.imports.rows.number_set import SeenNumbers
from app.services.tabular.row_reader import FileRow

CARD: Final = (
    *("name", "first_name", "last_name", "email", "company", "time_zone", "language"),
    *("country", "state", "notes"),
)
"""The columns of a contact that a file can fill, apart from its custom fields."""

_FIELDS: Final = frozenset({PHONE, TAGS, *CONSENT, *LENGTHS})
"""Targets that are fields of a contact; every other target is a variable of that name."""

_UNPRINTABLE: Final = dict.fromkeys(
    (
        *(*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000)),
        *(*range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    )
)
"""Removed characters. The database refuses NUL and lone surrogates. The others cannot be spoken or shown, or they
reverse the direction of a text and mislead a reader."""


@dataclass(frozen=True)
class RowPlan:
    """How the rows of one file are read."""

    targets: tuple[str, ...]
    """One for each column: a contact field, `variable:<name>` or `ignore`."""
    region: str
    strict: bool
    uploaded_at: datetime
    """The time of a consent without one in the row."""
    zone_words: Mapping[str, str] = field(default_factory=dict)
    """Words of the time zone column, in lower case, that a person has confirmed -> the zone they mean."""

    @cached_property
    def columns(self) -> tuple[tuple[str, bool], ...]:
        """Return for each column its field or variable ("" is ignored), and whether it is a variable."""
        return tuple(map(_column, self.targets))

    @cached_property
    def says_consent(self) -> bool:
        """Tell whether a column is about consent."""
        return not set(CONSENT).isdisjoint(self.targets)


def _column(target: str) -> tuple[str, bool]:
    if target == IGNORE:
        return "", False
    return target.removeprefix(VARIABLE), target not in _FIELDS


class FilePerson(NamedTuple):
    """A row with a number that can be contacted."""

    row: FileRow
    number: str
    fields: dict[str, str]
    """Contact field -> text, without tags and without empty fields. `name` is set if any part of it is."""
    variables: dict[str, str]
    """All values of the row by template name, for the campaign."""
    custom: dict[str, str]
    """The part of `variables` that is no field of a contact."""
    warnings: list[str]
    tags: list[str]
    consent: Consented | None = None
    zone_word: str = ""
    """What the time zone column says, if it is no time zone by itself."""


class ReadRows(NamedTuple):
    """Parsed rows: the people whose number comes for the first time, and the issues of the others."""

    total: int
    people: list[FilePerson]
    issues: list[Issue]


def read_rows(rows: Sequence[FileRow], plan: RowPlan, seen: SeenNumbers) -> ReadRows:
    """Return the people of the rows, in order, and add their numbers to the set. It is slow: call it in a thread."""
    people: list[FilePerson] = []
    issues: list[Issue] = []
    for row in rows:
        if row.problem:
            issues.append(Issue(row, IssueKind.REJECTED, row.problem))
            continue
        try:
            person = _read_row(row, plan)
        except (NumberRejected, ConsentUnclear) as rejected:
            issues.append(Issue(row, IssueKind.REJECTED, str(rejected)))
            continue
        if seen.add(int(person.number[1:])):
            people.append(person)
        else:
            issues.append(Issue(row, IssueKind.DUPLICATE, IN_THIS_FILE))
    return ReadRows(len(rows), people, issues)


def _read_row(row: FileRow, plan: RowPlan) -> FilePerson:
    fields, custom, warnings = _sort_cells(row.cells, plan)
    country = fields["country"].upper() if "country" in fields else ""
    region = country if country and is_region(country) else plan.region
    phone = normalize(fields.pop(PHONE, ""), region=region, strict=plan.strict)
    consent = take_consent(fields, warnings, uploaded_at=plan.uploaded_at) if plan.says_consent else None
    if "name" not in fields and ("first_name" in fields or "last_name" in fields):
        parts = (fields.get("first_name", ""), fields.get("last_name", ""))
        fields["name"] = " ".join(filter(None, parts))
    zone_word = _read_time_zone(fields, warnings, plan.zone_words) if "time_zone" in fields else ""
    tags = _tags(fields, warnings) if TAGS in fields else []
    variables = custom | fields
    fields.pop(TAGS, None)
    if country and region != country:
        custom["country"] = fields.pop("country")
    elif country:
        fields["country"] = country
    for name, text in fields.items():
        if len(text) > LENGTHS[name]:
            warnings.append(f"{name} was shortened to {LENGTHS[name]:,} characters.")
            fields[name] = text[: LENGTHS[name]]
    if phone.warnings:
        warnings = [*phone.warnings, *warnings]
    return FilePerson(row, phone.e164, fields, variables, custom, warnings, tags, consent, zone_word)


def _sort_cells(cells: Sequence[str], plan: RowPlan) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return (contact fields, template variables, warnings); empty cells are left out."""
    fields: dict[str, str] = {}
    custom: dict[str, str] = {}
    warnings: list[str] = []
    is_plain = "".join(cells).isprintable()
    for (name, is_variable), cell in zip(plan.columns, cells, strict=False):
        text = cell.strip() if is_plain else trimmed(cell.translate(_UNPRINTABLE))
        if not text or not name:
            continue
        if not is_variable:
            fields[name] = text
        elif len(text) <= LONGEST_VARIABLE:
            custom[name] = text
        else:
            warnings.append(f"{name} was shortened to {LONGEST_VARIABLE:,} characters.")
            custom[name] = text[:LONGEST_VARIABLE]
    width = len(plan.columns)
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        warnings.append(
            f"The row has {len(cells)} cells but the header has {width}: the rest was left out. "
            "Check that no cell is in the wrong column."
        )
    return fields, custom, warnings


def _tags(cells: dict[str, str], warnings: list[str]) -> list[str]:
    """Return the row's tags, and set the field to the text that templates use."""
    found = tags_in(cells[TAGS])
    tags = list(dict.fromkeys(tag[:LONGEST_TAG].strip() for tag in found[:MOST_TAGS]))
    if tags != found:
        warnings.append(f"At most {MOST_TAGS} tags of {LONGEST_TAG} characters were kept.")
    cells[TAGS] = ", ".join(tags)
    return tags


def _read_time_zone(cells: dict[str, str], warnings: list[str], confirmed: Mapping[str, str]) -> str:
    """Read the cell as a zone, or leave it out. Return what it says if it is no zone by itself, else nothing."""
    said = cells["time_zone"]
    try:
        cells["time_zone"] = read_zone(said)
    except ZoneRefused as refused:
        if meant := confirmed.get(said.casefold()):
            cells["time_zone"] = meant
        else:
            warnings.append(f"The time zone was left out. {refused}")
            del cells["time_zone"]
        return said
    return ""
