"""What pages and programs are shown of an import."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.models import ImportStatus
from app.services.imports.classes import IssueKind


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
class ImportPreview:
    """What would become of the file's rows. Nothing has been written."""

    total: int
    """Rows in the file."""
    examined: int
    """Rows the counts speak of: all of them, or the first 20,000 of a longer file."""
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    suppressed: int = 0
    warnings: int = 0
    first_accepted: list[PreviewRow] = field(default_factory=list)
    first_rejected: list[IssueRow] = field(default_factory=list)
    first_duplicates: list[IssueRow] = field(default_factory=list)
    first_suppressed: list[IssueRow] = field(default_factory=list)
    first_warnings: list[IssueRow] = field(default_factory=list)

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
    issues: list[IssueRow]
    """The first hundred; `list_issues` has all."""
