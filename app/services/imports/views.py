"""What pages and programs are shown of an import."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.domain.contact_import import ImportStatus
from app.services.imports.issues import IssueKind


class StoredImport(NamedTuple):
    """An import as a write has left it."""

    id: int
    needs_worker: bool
    """A worker has to go on with it: after the commit give a hint of `RUN_IMPORT`."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file and what it is used as."""

    header: str
    target: str
    """A contact field (`phone_number`, `name`, …), `variable:<name>` or `ignore`."""
    variable_name: str
    """What to write in a template for this column when it is a variable."""
    samples: list[str]


@dataclass(frozen=True, slots=True)
class Undo:
    """What an undo has done so far."""

    recipients_removed: int = 0
    contacts_removed: int = 0
    contacts_restored: int = 0
    kept: int = 0
    """People of whom something had to stay; `list_issues` of the kind `kept` says why for each."""


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
    """How many of the accepted have something to check."""
    in_campaign: int
    """Of the duplicates: those that were in the campaign already; the others come twice in the file."""
    known: int
    """Rows whose number was in the address book already."""
    opted_out: int
    """Rows of people who once asked not to be contacted; where that stands, they are among the suppressed."""
    created: int
    """Contacts that were new."""
    updated: int
    """Contacts of which something was changed."""
    recipients_added: int
    """Into the campaign, those listed as skipped among them."""
    rows_per_second: float
    seconds_left: int | None
    """While it runs, at the speed it has now."""
    sheet: str
    sheets: list[str]
    """Of a workbook: those that can be chosen while it is not started."""
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
    """A row of the file that was not, or not quietly, accepted."""

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
    """What the campaign's templates make of one row."""

    row_number: int
    number: str
    texts: dict[str, str]
    """Part of the call or message (`welcome`, `agenda`, `question`, `closing`, `body`) -> what is said."""
    missing: list[str]
    """Variables without a value for this row and nothing to stand in."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What would become of the file's rows. Nothing has been written."""

    total: int
    """Rows in the file."""
    examined: int
    """Rows the counts speak of: all of them, or the first 100,000 of a longer file."""
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
    """Of an import into a campaign: what the first people would hear or read."""

    def first(self, *kinds: IssueKind) -> list[IssueRow]:
        """Return the first rows of these classes, in the file's order."""
        found = [row for kind in kinds for row in self.first_issues.get(kind, [])]
        return sorted(found, key=lambda row: row.row_number)

    @property
    def sampled(self) -> bool:
        """Whether the file has more rows than were examined; the page says so."""
        return self.examined < self.total


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a small import that was done at once."""

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
    issues: list[IssueRow]
    """The first hundred; `list_issues` has all."""
