"""Makes the rows and texts of an import for its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.contact_fields import FIELDS, IGNORE, VARIABLE
from app.domain.contact_import import ImportStatus
from app.domain.phone import pretty
from app.services.imports.issues import IssueKind
from app.services.imports.views import Column, ImportPreview, ImportView, IssueRow, PreviewRow, SampleText
from app.services.imports.zones import ZoneWord
from app.services.tabular.refusals import MEGABYTE

FIELD_WORDS: Final = {
    "phone_number": "Phone number",
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "Email",
    "company": "Company",
    "time_zone": "Time zone",
    "country": "Country",
    "state": "State",
    "zip": "ZIP or postcode",
    "language": "Language",
    "notes": "Notes",
    "tags": "Tags",
    "consent": "Consent",
    "consent_scope": "Channels of the consent",
    "consent_source": "Source of the consent",
    "consent_wording": "Wording of the consent",
    "consent_evidence": "Proof of the consent",
    "consent_at": "Time of the consent",
}
TARGETS: Final = [(field, FIELD_WORDS[field]) for field in FIELDS]
"""The contact fields that a column can fill, with their names."""

_KINDS: Final = {
    IssueKind.REJECTED: "Rejected",
    IssueKind.DUPLICATE: "Duplicate",
    IssueKind.IN_CAMPAIGN: "In the campaign",
    IssueKind.SUPPRESSED: "Do not contact",
    IssueKind.OPTED_OUT: "Opted out",
    IssueKind.KNOWN: "Known",
    IssueKind.KEPT: "Kept",
    IssueKind.WARNING: "Check",
}
_SHOWN_ALREADY: Final = frozenset({"name", "phone_number"})
_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SOON: Final = 100
"""Seconds; longer times are shown in minutes."""
_FORMATS: Final = {"xlsx": "XLSX", "json": "JSON"}
_STAGES: Final = {
    ImportStatus.READING: "reading",
    ImportStatus.UPLOADED: "uploaded",
    ImportStatus.QUEUED: "working",
    ImportStatus.RUNNING: "working",
    ImportStatus.FAILED: "failed",
    ImportStatus.COMPLETED: "done",
    ImportStatus.CANCELLED: "none",
    ImportStatus.UNDOING: "none",
    ImportStatus.UNDONE: "none",
}


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column of the file with samples and its use."""

    header: str
    target: str
    variable: str
    """The target that makes it a template variable."""
    variable_words: str
    samples: list[str]
    error: str


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """A row that would be imported."""

    row: str
    number: str
    name: str
    variables: str
    warning: str


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that would not be imported."""

    row: str
    kind: str
    reason: str
    cells: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of rows in each class, and the progress."""

    total: int = 0
    done: int = 0
    percent: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    suppressed: int = 0
    warnings: int = 0
    known: int = 0
    opted_out: int = 0
    note: str = ""
    pace: str = ""
    """The speed and the remaining time while it runs."""


@dataclass(frozen=True, slots=True)
class ZoneWordRow:
    """What the time zone column says that is no time zone by itself."""

    word: str
    people: str
    zone: str
    """What is in its box: the zone that is probably meant, or that a person has written."""
    asked: bool
    """There is a box. Without one, the word must be written anew in the file."""
    message: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """The campaign's message to one contact."""

    who: str
    said: str
    problem: str
    """The error in the text, or the variables without a value; empty if all is well."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """An earlier file, in one line."""

    id: int
    name: str
    text: str


def stage_of(status: ImportStatus) -> str:
    """Return the stage that the page shows for a status."""
    return _STAGES[status]


def file_facts(view: ImportView) -> str:
    """Return the size, the rows and the format of the file in one line."""
    parts = [_size(view.file_bytes)]
    if view.rows_total is not None:
        parts.append(f"{view.rows_total:,} row{'s' * (view.rows_total != 1)}")
    if view.format in _FORMATS:
        parts.append(_FORMATS[view.format])
    elif view.encoding:
        parts += [view.encoding.upper(), f"separated by {_DELIMITERS.get(view.delimiter, view.delimiter)}"]
    return " · ".join(parts)


def column_rows(
    columns: Sequence[Column], mapping: dict[str, str], errors: dict[str, str]
) -> list[ColumnRow]:
    """Return the columns with the targets chosen on the page."""
    return [
        ColumnRow(
            header=column.header,
            target=mapping.get(column.header, IGNORE),
            variable=f"{VARIABLE}{column.variable_name}",
            variable_words=f"Variable {{{{{column.variable_name}}}}}",
            samples=column.samples,
            error=errors.get(f"mapping.{column.header}", ""),
        )
        for column in columns
    ]


def preview_tally(preview: ImportPreview) -> Tally:
    """Return the counts of a preview."""
    sampled = f"These counts are of the first {preview.examined:,} of {preview.total:,} rows."
    return Tally(
        total=preview.total,
        done=preview.examined,
        accepted=preview.accepted,
        rejected=preview.rejected,
        duplicates=preview.duplicates,
        suppressed=preview.suppressed,
        warnings=preview.warnings,
        known=preview.known,
        opted_out=preview.opted_out,
        note=sampled if preview.sampled else "",
    )


def import_tally(view: ImportView) -> Tally:
    """Return the counts and the progress of an import."""
    total = view.rows_total or 0
    return Tally(
        total=total,
        done=view.rows_done,
        percent=100 * view.rows_done // total if total else 0,
        accepted=view.accepted,
        rejected=view.rejected,
        duplicates=view.duplicates,
        suppressed=view.suppressed,
        warnings=view.warnings,
        known=view.known,
        opted_out=view.opted_out,
        note=view.error or "",
        pace=_pace(view),
    )


def accepted_row(row: PreviewRow) -> AcceptedRow:
    """Return an accepted row for the table."""
    shown = {name: value for name, value in row.variables.items() if name not in _SHOWN_ALREADY}
    variables = ", ".join(f"{name}: {value}" for name, value in shown.items())
    return AcceptedRow(str(row.row_number), row.pretty, row.name, variables[:160], " ".join(row.warnings))


def refused_row(row: IssueRow) -> RefusedRow:
    """Return a refused row for the table."""
    cells = " · ".join(filter(None, row.cells))[:160]
    return RefusedRow(str(row.row_number), _KINDS[row.kind], row.reason, cells)


def sample_row(sample: SampleText) -> SampleRow:
    """Return the text that one contact will hear or read, with its parts in order."""
    said = " ".join(text for text in sample.texts.values() if text)
    missing = ", ".join(f"{{{{{name}}}}}" for name in sample.missing)
    lacking = f"Nothing stands in for {missing}." if missing else ""
    return SampleRow(f"Row {sample.row_number} · {pretty(sample.number)}", said, sample.error or lacking)


def zone_word_row(word: ZoneWord) -> ZoneWordRow:
    """Return a word of the time zone column."""
    return ZoneWordRow(
        word=word.word,
        people=f"{word.people:,}",
        zone=word.confirmed or word.suggestion,
        asked=bool(word.confirmed or word.suggestion),
        message=word.message,
    )


def file_line(view: ImportView) -> FileLine:
    """Return an ended import for the list of earlier files."""
    skipped = view.rejected + view.duplicates + view.suppressed
    outcome = f"{view.accepted:,} added" + (f", {skipped:,} not" if skipped else "")
    stopped = "Cancelled: " if view.status is ImportStatus.CANCELLED else ""
    return FileLine(view.id, view.file_name, stopped + outcome)


def _pace(view: ImportView) -> str:
    if view.seconds_left is None:
        return ""
    minutes = round(view.seconds_left / 60)
    left = f"{view.seconds_left} seconds" if view.seconds_left < _SOON else f"{minutes} minutes"
    return f"{view.rows_per_second:,.0f} rows a second · about {left} left"


def _size(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE else f"{max(1, round(size / 1000)):,} kB"
