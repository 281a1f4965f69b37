"""Imports: the stored file, its mapping, progress, and rejected rows."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field

from app.domain.contact_import import ImportStatus
from app.models.columns import (
    Row,
    identity,
    json_object,
    list_of,
    moment,
    one_of,
    reference,
    word,
)


class ContactImport(Row, table=True):
    """One file of people, imported into the address book and, if given, a campaign."""

    __table_args__ = (one_of("status", ImportStatus),)

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    organization_id: int = reference("organization.id", index=True)
    campaign_id: int | None = reference("campaign.id", nullable=True, index=True)
    status: ImportStatus = word(ImportStatus, default=ImportStatus.UPLOADED)
    file_name: str = Field(max_length=255)
    file_bytes: int
    format: str = Field(default="csv", max_length=10)
    encoding: str = Field(default="utf-8", max_length=20)
    delimiter: str = Field(default=",", max_length=1)
    sheet: str = Field(default="", max_length=100)
    """The sheet of a workbook that is imported."""
    sheets: list[str] = list_of(str)
    """The names of the sheets of a workbook."""
    head: dict[str, Any] = json_object()
    """`headers`, `samples` of each column, and `headerless`: shown after the file is deleted."""
    mapping: dict[str, Any] = json_object()
    """Column header -> contact field, or `variable:<name>`, or `ignore`."""
    zone_words: dict[str, str] = json_object()
    """Words of the time zone column that a person has confirmed -> the zone they mean."""
    zone_counts: dict[str, Any] = json_object()
    """How many people are in which zone: zone -> people; "" are those without any, joined names have several."""
    start_when_read: bool = Field(default=False)
    """It was started before the file was converted."""
    rows_done: int = Field(default=0)
    """Committed together with the rows: after a crash the import resumes here."""
    rows_total: int | None = Field(default=None)
    accepted: int = Field(default=0)
    rejected: int = Field(default=0)
    duplicates: int = Field(default=0)
    suppressed: int = Field(default=0)
    warnings: int = Field(default=0)
    in_campaign: int = Field(default=0)
    """The duplicates that were in the campaign already."""
    known: int = Field(default=0)
    """Rows whose number was already in the address book."""
    opted_out: int = Field(default=0)
    """Rows of people who refused to be contacted."""
    rows_per_second: float = Field(default=0)
    """Its last measured speed."""
    created: int = Field(default=0)
    """How many contacts it created."""
    updated: int = Field(default=0)
    """How many contacts it changed."""
    recipients_added: int = Field(default=0)
    undone_at: datetime | None = moment(nullable=True)
    undone_by: str | None = Field(default=None, max_length=200)
    undo: dict[str, Any] = json_object()
    """The result of the undo: removed and restored contacts, and those it could not change, with reasons."""
    error: str | None = Field(default=None, max_length=1000)
    created_by: str = Field(default="", max_length=200)
    created_at: datetime = moment()
    started_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)


class ImportChunk(Row, table=True):
    """A chunk of an import's file. It is stored in PostgreSQL, so that any worker can read it."""

    __table_args__ = (UniqueConstraint("import_id", "raw", "position"),)

    id: int = identity()
    import_id: int = reference("contact_import.id")
    raw: bool = Field(default=False)
    """The chunk belongs to the workbook or JSON as uploaded, not to the table converted from it."""
    position: int
    data: bytes = Field(sa_type=LargeBinary)


class ImportBatch(Row, table=True):
    """A committed batch: its phone numbers, to find repeated ones, and where to resume after a crash."""

    __table_args__ = (UniqueConstraint("import_id", "position"),)

    id: int = identity()
    import_id: int = reference("contact_import.id")
    position: int
    """How many rows of the file come before this batch."""
    numbers: bytes = Field(sa_type=LargeBinary)
    """Eight bytes per number."""
    place: dict[str, Any] = json_object()
    """The chunk, how many of its rows are committed, and the state of the reader before the chunk."""


class ImportChange(Row, table=True):
    """What an import changed in an existing contact, to restore it."""

    __table_args__ = (UniqueConstraint("import_id", "contact_id"),)

    id: int = identity()
    import_id: int = reference("contact_import.id")
    contact_id: int = reference("contact.id", index=True)
    before: dict[str, Any] = json_object()
    """The changed columns before the import."""
    after: dict[str, Any] = json_object()
    """The changed columns after the import. If they have been changed since, they are not restored."""


class ImportMapping(Row, table=True):
    """The mapping last used for files with these headers. It is suggested for the next such file."""

    __table_args__ = (UniqueConstraint("organization_id", "headers_hash"),)

    id: int = identity()
    organization_id: int = reference("organization.id")
    headers_hash: str = Field(max_length=64)
    mapping: dict[str, Any] = json_object()
    """Position of the column, from 0 -> its target."""
    used_at: datetime = moment()


class ImportIssue(Row, table=True):
    """A row that was rejected, skipped, or accepted with a warning, and the reason."""

    id: int = identity()
    import_id: int = reference("contact_import.id", index=True)
    row_number: int
    """The row number as in a spreadsheet: the header is row 1."""
    kind: str = Field(max_length=20)
    """A value of `services.imports.issues.IssueKind`."""
    reason: str = Field(max_length=500)
    row: dict[str, Any] = json_object()
