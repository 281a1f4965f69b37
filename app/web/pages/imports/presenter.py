"""The history of imports, worded for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.domain.contact_import import ImportStatus
from app.services.imports.issues import IssueKind
from app.services.imports.views import ImportView, IssueRow, Undo
from app.web.components.status import Look
from app.web.words import Moment, counted, duration, moment
from app.web.zone_words import ZoneLine, zone_lines

LOOKS: Final[Mapping[str, Look]] = {
    ImportStatus.READING: Look("blue", "hourglass", "Being read"),
    ImportStatus.UPLOADED: Look("gray", "pencil-line", "Not started"),
    ImportStatus.QUEUED: Look("blue", "hourglass", "Queued"),
    ImportStatus.RUNNING: Look("indigo", "activity", "Running", live=True),
    ImportStatus.COMPLETED: Look("green", "circle-check", "Completed"),
    ImportStatus.FAILED: Look("red", "circle-x", "Failed"),
    ImportStatus.CANCELLED: Look("gray", "ban", "Cancelled"),
    ImportStatus.UNDOING: Look("indigo", "undo-2", "Being undone", live=True),
    ImportStatus.UNDONE: Look("gray", "undo-2", "Undone"),
}

ISSUE_CLASSES: Final[Mapping[str, tuple[IssueKind, ...]]] = {
    "rejected": (IssueKind.REJECTED,),
    "duplicate": (IssueKind.DUPLICATE, IssueKind.IN_CAMPAIGN),
    "suppressed": (IssueKind.SUPPRESSED, IssueKind.OPTED_OUT),
    "warning": (IssueKind.WARNING,),
    "known": (IssueKind.KNOWN,),
    "kept": (IssueKind.KEPT,),
}
"""A class of rows that the sheet can filter by -> the kinds of issues in it."""

ISSUE_WORDS: Final[Mapping[IssueKind, str]] = {
    IssueKind.REJECTED: "Rejected",
    IssueKind.DUPLICATE: "Duplicate",
    IssueKind.IN_CAMPAIGN: "Already in the campaign",
    IssueKind.SUPPRESSED: "Do not contact",
    IssueKind.OPTED_OUT: "Opted out",
    IssueKind.WARNING: "To check",
    IssueKind.KNOWN: "Already in the address book",
    IssueKind.KEPT: "Kept after the undo",
}

_LONGEST_CELLS: Final = 200
_STOPPABLE: Final = frozenset(
    {
        *(ImportStatus.READING, ImportStatus.UPLOADED, ImportStatus.QUEUED),
        *(ImportStatus.RUNNING, ImportStatus.FAILED),
    }
)
_STARTABLE: Final = frozenset({ImportStatus.UPLOADED, ImportStatus.FAILED})
_UNDOABLE: Final = frozenset({ImportStatus.COMPLETED, ImportStatus.CANCELLED, ImportStatus.FAILED})


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A file in the list."""

    id: int
    name: str
    note: str
    """The person who uploaded it."""
    status: str
    progress: str
    """Its progress while it runs; why it failed."""
    result: str
    not_in: int
    """Rows that were not imported."""
    at: Moment
    campaign_id: int
    can_undo: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A count with its name."""

    name: str
    count: str


@dataclass(frozen=True, slots=True)
class ImportDetails:
    """A file in its sheet."""

    id: int = 0
    name: str = ""
    status: str = ""
    progress: str = ""
    """Progress and speed while it runs; why it failed; what an undo did."""
    percent: int = 0
    """Percent of the rows done, while it runs."""
    file: str = ""
    by: str = ""
    uploaded: str = ""
    took: str = ""
    figures: list[Figure] = field(default_factory=list)
    zones: list[ZoneLine] = field(default_factory=list)
    """How many people are in which time zone."""
    not_in: int = 0
    campaign_id: int = 0
    can_cancel: bool = False
    can_go_on: bool = False
    is_new: bool = False
    """True: it was never started, so the button says "Import"."""


@dataclass(frozen=True, slots=True)
class IssueLine:
    """A row with an issue."""

    row: str
    """"Row 12"; empty for what an undo left."""
    kind: str
    cells: str
    reason: str


def import_details(view: ImportView, *, zone: str, now: datetime) -> ImportDetails:
    """Return a file as its sheet shows it."""
    at = moment(view.created_at, zone, now=now)
    return ImportDetails(
        id=view.id,
        name=view.file_name,
        status=view.status.value,
        progress=_speed(view) or _progress(view),
        percent=100 * view.rows_done // view.rows_total if view.rows_total else 0,
        file=_file(view),
        by=view.created_by,
        uploaded=f"{at.text} {at.zone}",
        took=_took(view),
        figures=_figures(view),
        zones=zone_lines(view.zones),
        not_in=view.rejected + view.duplicates + view.suppressed,
        campaign_id=view.campaign_id or 0,
        can_cancel=view.status in _STOPPABLE,
        can_go_on=view.status in _STARTABLE,
        is_new=view.status is ImportStatus.UPLOADED,
    )


def _took(view: ImportView) -> str:
    if view.started_at is None or view.ended_at is None:
        return ""
    seconds = (view.ended_at - view.started_at).total_seconds()
    return duration(seconds) if seconds >= 1 else "Less than a second"


def issue_line(issue: IssueRow) -> IssueLine:
    """Return a row as the sheet shows it."""
    return IssueLine(
        row=f"Row {issue.row_number:,}" if issue.row_number else "",
        kind=ISSUE_WORDS[issue.kind],
        cells=" \N{MIDDLE DOT} ".join(cell for cell in issue.cells if cell.strip())[:_LONGEST_CELLS],
        reason=issue.reason,
    )


def import_row(view: ImportView, *, zone: str, now: datetime) -> ImportRow:
    """Return a file as the list shows it."""
    not_in = view.rejected + view.duplicates + view.suppressed
    return ImportRow(
        id=view.id,
        name=view.file_name,
        note=view.created_by,
        status=view.status.value,
        progress=_progress(view),
        result=_result(view),
        not_in=not_in,
        at=moment(view.created_at, zone, now=now),
        campaign_id=view.campaign_id or 0,
        can_undo=view.status in _UNDOABLE and view.rows_done > 0,
    )


def _progress(view: ImportView) -> str:
    match view.status:
        case ImportStatus.RUNNING if view.rows_total:
            return f"{view.rows_done:,} of {view.rows_total:,} rows"
        case ImportStatus.FAILED:
            return view.error or ""
        case ImportStatus.UNDOING | ImportStatus.UNDONE:
            return _undone(view.undo, view.undone_by)
        case _:
            return ""


def _speed(view: ImportView) -> str:
    """Return "1,000 of 5,000 rows, 2,000 a second, 0:02 left" while it runs; else an empty text."""
    if view.status is not ImportStatus.RUNNING or not view.rows_total:
        return ""
    parts = [
        f"{view.rows_done:,} of {view.rows_total:,} rows",
        f"{view.rows_per_second:,.0f} a second" if view.rows_per_second else "",
        f"{duration(view.seconds_left)} left" if view.seconds_left is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _file(view: ImportView) -> str:
    rows = counted(view.rows_total, "row", "rows") if view.rows_total is not None else ""
    parts = [view.format.upper(), f"{max(1, round(view.file_bytes / 1000)):,} KB", rows, view.sheet]
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def _figures(view: ImportView) -> list[Figure]:
    counts = {
        "Rows read": view.rows_done,
        "Imported": view.accepted,
        "New contacts": view.created,
        "Changed contacts": view.updated,
        "Already in the address book": view.known,
        "Added to the campaign": view.recipients_added if view.campaign_id else None,
        "Rejected": view.rejected,
        "Duplicates": view.duplicates,
        "Already in the campaign": view.in_campaign if view.campaign_id else None,
        "Do not contact": view.suppressed,
        "Opted out before": view.opted_out,
        "To check": view.warnings,
    }
    return [Figure(name, f"{count:,}") for name, count in counts.items() if count is not None]


def _undone(undo: Undo, by: str | None) -> str:
    parts = [
        f"{counted(undo.contacts_removed, 'contact', 'contacts')} removed" if undo.contacts_removed else "",
        f"{undo.contacts_restored:,} restored" if undo.contacts_restored else "",
        f"{undo.recipients_removed:,} removed from the campaign" if undo.recipients_removed else "",
        f"{undo.kept:,} kept" if undo.kept else "",
    ]
    who = f" By {by}." if by else ""
    said = ", ".join(part for part in parts if part)
    return f"{said[:1].upper()}{said[1:]}.{who}" if said else who.strip()


def _result(view: ImportView) -> str:
    """Return "31 imported (29 new, 2 changed), 1 duplicate, 3 rejected"."""
    new = f"{view.created:,} new" if view.created else ""
    changed = f"{view.updated:,} changed" if view.updated else ""
    of_these = ", ".join(part for part in (new, changed) if part)
    parts = [
        f"{view.accepted:,} imported{f' ({of_these})' if of_these else ''}" if view.rows_done else "",
        f"{view.duplicates:,} duplicate" if view.duplicates else "",
        f"{view.suppressed:,} blocked" if view.suppressed else "",
        f"{view.rejected:,} rejected" if view.rejected else "",
    ]
    return ", ".join(part for part in parts if part)
