"""The views of an import for pages and the API."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.domain.contact_import import ImportStatus
from app.services.imports.issues import IssueKind
from app.services.imports.zones import ZoneCount, ZoneWord


class StoredImport(NamedTuple):
    """An import as a write has left it."""

    id: int
    needs_worker: bool
    """A worker has to go on with it: after the commit give a hint of `RUN_IMPORT`."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file and its target."""

    header: str
    target: str
    """A contact field (`phone_number`, `name`, …), `variable:<name>` or `ignore`."""
    variable_name: str
    """The name to write in a template if this column is a variable."""
    samples: list[str]


@dataclass(frozen=True, slots=True)
class Undo:
    """The progress of an undo."""

    recipients_removed: int = 0
    contacts_removed: int = 0
    contacts_restored: int = 0
    kept: int = 0
    """People with something that had to stay; the issues of the kind `kept` say why."""


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import. Always: accepted + rejected + duplicates + suppressed = rows_done."""

    id: int
    public_id: UUID
    campaign_id: int | None
    status: ImportStatus
    file_name: str
    file_bytes: int
    format: str
    encoding: str
    delimiter: str
    columns: list[Column]
    rows_done: int
    rows_total: int | None
    accepted: int
    rejected: int
    duplicates: int
    suppressed: int
    warnings: int
    """Accepted rows with something to check."""
    in_campaign: int
    """Duplicates that were in the campaign already; the other duplicates come twice in the file."""
    known: int
    """Rows whose number was in the address book already."""
    opted_out: int
    """Rows of people who once asked not to be contacted. Those who still must not be are suppressed too."""
    created: int
    """New contacts."""
    updated: int
    """Changed contacts."""
    recipients_added: int
    """Added to the campaign, including those listed as skipped."""
    rows_per_second: float
    seconds_left: int | None
    """Only while it runs, at its present speed."""
    sheet: str
    sheets: list[str]
    """Sheets of a workbook to choose from before the start."""
    zones: list[ZoneCount]
    """Where its people may be."""
    undone_at: datetime | None
    undone_by: str | None
    undo: Undo
    error: str | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssueRow:
    """A row of the file with an issue."""

    row_number: int
    kind: IssueKind
    reason: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row that would be accepted, as it was read."""

    row_number: int
    number: str
    pretty: str
    name: str
    variables: dict[str, str]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class SampleText:
    """The campaign's texts for one row."""

    row_number: int
    number: str
    texts: dict[str, str]
    """Part of the call or message (`welcome`, `agenda`, `question`, `closing`, `body`) -> its text."""
    missing: list[str]
    """Variables without a value for this row and without a fallback."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What the import would do with the file's rows. Nothing is written."""

    total: int
    """Rows in the file."""
    examined: int
    """Rows that were counted: all of them, or the first 100,000 of a longer file."""
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    suppressed: int = 0
    warnings: int = 0
    in_campaign: int = 0
    known: int = 0
    opted_out: int = 0
    first_accepted: list[PreviewRow] = field(default_factory=list)
    first_issues: dict[IssueKind, list[IssueRow]] = field(default_factory=dict)
    samples: list[SampleText] = field(default_factory=list)
    """For an import into a campaign: the texts for the first people."""
    zones: list[ZoneCount] = field(default_factory=list)
    """Where the accepted people may be, by what the file says."""
    zone_words: list[ZoneWord] = field(default_factory=list)
    """What the time zone column says that is no time zone by itself, the most frequent first."""

    def first(self, *kinds: IssueKind) -> list[IssueRow]:
        """Return the first rows of these kinds, in the file's order."""
        found = [row for kind in kinds for row in self.first_issues.get(kind, [])]
        return sorted(found, key=lambda row: row.row_number)

    @property
    def sampled(self) -> bool:
        """Tell whether the file has more rows than were examined; the page says so."""
        return self.examined < self.total


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of a small import that was done at once."""

    import_id: int
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    suppressed: int
    warnings: int
    in_campaign: int
    known: int
    opted_out: int
    zones: list[ZoneCount]
    issues: list[IssueRow]
    """The first hundred; `list_issues` has all."""
