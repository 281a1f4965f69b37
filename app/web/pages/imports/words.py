"""The history of imports, worded for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.models import ImportStatus
from app.services.imports.views import ImportView, Undo
from app.web.components.status import Look
from app.web.pages.campaign.words import Moment, counted, moment

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

_UNDOABLE: Final = frozenset({ImportStatus.COMPLETED, ImportStatus.CANCELLED, ImportStatus.FAILED})


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A file in the list."""

    id: int
    name: str
    note: str
    """Who uploaded it."""
    status: str
    progress: str
    """How far it is, while it runs; why it failed."""
    result: str
    not_in: int
    """Rows that did not go in."""
    at: Moment
    campaign_id: int
    can_undo: bool


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


def _undone(undo: Undo, by: str | None) -> str:
    parts = [
        f"{counted(undo.contacts_removed, 'contact', 'contacts')} removed" if undo.contacts_removed else "",
        f"{undo.contacts_restored:,} put back" if undo.contacts_restored else "",
        f"{undo.recipients_removed:,} taken off the campaign" if undo.recipients_removed else "",
        f"{undo.kept:,} had to stay" if undo.kept else "",
    ]
    who = f" By {by}." if by else ""
    said = ", ".join(part for part in parts if part)
    return f"{said[:1].upper()}{said[1:]}.{who}" if said else who.strip()


def _result(view: ImportView) -> str:
    parts = [
        f"{view.accepted:,} in" if view.rows_done else "",
        f"{view.created:,} new" if view.created else "",
        f"{view.updated:,} changed" if view.updated else "",
        f"{view.duplicates:,} duplicate" if view.duplicates else "",
        f"{view.suppressed:,} suppressed" if view.suppressed else "",
        f"{view.rejected:,} rejected" if view.rejected else "",
    ]
    return ", ".join(part for part in parts if part)
