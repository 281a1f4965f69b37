"""Bulk changes of the address book: the action, its progress, and the contacts that it could not change."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, text

from app.domain.bulk_change import BulkAction, BulkStatus
from app.models.columns import Row, identity, json_object, moment, one_of, reference, word


class BulkChange(Row, table=True):
    """One change of all contacts that match a filter, in order of ids: each changes once, even after a crash."""

    __table_args__ = (
        one_of("action", BulkAction),
        one_of("status", BulkStatus),
        Index("ix_bulk_change_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    organization_id: int = reference("organization.id", index=True)
    action: BulkAction = word(BulkAction)
    arguments: dict[str, Any] = json_object()
    """The tags, the scope and reason of a suppression, or the consent."""
    rule: dict[str, Any] = json_object()
    """The filter as JSON."""
    status: BulkStatus = word(BulkStatus, default=BulkStatus.RUNNING)
    cursor_id: int = Field(default=0, sa_type=BigInteger)
    """Contacts up to this id are done. Committed together with their changes: after a crash the job resumes here."""
    until_id: int = Field(default=0, sa_type=BigInteger)
    """The newest contact at the request. Later contacts are not changed."""
    matched: int = Field(default=0)
    """How many contacts were processed so far."""
    changed: int = Field(default=0)
    refused: int = Field(default=0)
    refusals: list[dict[str, Any]] = Field(default_factory=list, nullable=False, sa_type=JSONB)
    """The first contacts that were not changed: id, number and reason."""
    created_by: str = Field(default="", max_length=200)
    created_at: datetime = moment()
    next_at: datetime | None = moment(nullable=True)
    """When a worker should continue; None if it is over."""
    ended_at: datetime | None = moment(nullable=True)
