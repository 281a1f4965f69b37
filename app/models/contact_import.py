"""Imports: the stored file, its mapping, its progress, and the rows it refused."""

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
    moment,
    one_of,
    reference,
    word,
    words_list,
)


class ContactImport(Row, table=True):
    """One file of people, into the address book and, if one is named, into a campaign."""

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
    """Of a workbook: the sheet that is read."""
    sheets: list[str] = words_list()
    """Of a workbook: the names of the sheets that can be chosen."""
    head: dict[str, Any] = json_object()
    """`headers`, `samples` of each column, and `headerless`: what is shown once the file is gone."""
    mapping: dict[str, Any] = json_object()
    """Column header -> contact field, or `variable:<name>`, or `ignore`."""
    start_when_read: bool = Field(default=False)
    """It was started while it was being read."""
    rows_done: int = Field(default=0)
    """Committed with the rows themselves: a crash resumes after them."""
    rows_total: int | None = Field(default=None)
    accepted: int = Field(default=0)
    rejected: int = Field(default=0)
    duplicates: int = Field(default=0)
    suppressed: int = Field(default=0)
    warnings: int = Field(default=0)
    in_campaign: int = Field(default=0)
    """Of the duplicates: those that were in the campaign already."""
    known: int = Field(default=0)
    """Rows whose number was in the address book already."""
    opted_out: int = Field(default=0)
    """Rows of people who once said that they do not want to be contacted."""
    rows_per_second: float = Field(default=0)
    """How fast it went last."""
    created: int = Field(default=0)
    """Contacts that were new."""
    updated: int = Field(default=0)
    """Contacts of which something was changed."""
    recipients_added: int = Field(default=0)
    undone_at: datetime | None = moment(nullable=True)
    undone_by: str | None = Field(default=None, max_length=200)
    undo: dict[str, Any] = json_object()
    """What the undo did: removed, restored, and what it had to leave and why."""
    error: str | None = Field(default=None, max_length=1000)
    created_by: str = Field(default="", max_length=200)
    created_at: datetime = moment()
    started_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)


class ImportChunk(Row, table=True):
    """A piece of an import's file: PostgreSQL is the only state, so any worker can read it."""

    __table_args__ = (UniqueConstraint("import_id", "raw", "position"),)

    id: int = identity()
    import_id: int = reference("contact_import.id")
    raw: bool = Field(default=False)
    """Of the workbook or JSON as it came, not of the table that was read from it."""
    position: int
    data: bytes = Field(sa_type=LargeBinary)


class ImportBatch(Row, table=True):
    """Rows that are in: their numbers, to know those that come again, and where to read on after a crash."""

    __table_args__ = (UniqueConstraint("import_id", "position"),)

    id: int = identity()
    import_id: int = reference("contact_import.id")
    position: int
    """Rows of the file that come before them."""
    numbers: bytes = Field(sa_type=LargeBinary)
    """Eight bytes for each."""
    place: dict[str, Any] = json_object()
    """Chunk, rows of it that are in, and the reader as it stood before the chunk."""


class ImportChange(Row, table=True):
    """What an import changed of a contact that was there: what it was before, to put it back."""

    __table_args__ = (UniqueConstraint("import_id", "contact_id"),)

    id: int = identity()
    import_id: int = reference("contact_import.id")
    contact_id: int = reference("contact.id", index=True)
    before: dict[str, Any] = json_object()
    """The changed columns as they were."""
    after: dict[str, Any] = json_object()
    """The changed columns as the import left them: a later change by someone else is not undone."""


class ImportMapping(Row, table=True):
    """The mapping last used for files with these headers: the next such file begins with it."""

    __table_args__ = (UniqueConstraint("organization_id", "headers_hash"),)

    id: int = identity()
    organization_id: int = reference("organization.id")
    headers_hash: str = Field(max_length=64)
    mapping: dict[str, Any] = json_object()
    """Position of the column, from 0 -> what it is used as."""
    used_at: datetime = moment()


class ImportIssue(Row, table=True):
    """A row that was refused, skipped or accepted with a warning, and why."""

    id: int = identity()
    import_id: int = reference("contact_import.id", index=True)
    row_number: int
    """As a spreadsheet shows it: the header is row 1."""
    kind: str = Field(max_length=20)
    """The word of `services.imports.classes.IssueKind`."""
    reason: str = Field(max_length=500)
    row: dict[str, Any] = json_object()
