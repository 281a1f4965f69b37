"""Rows of the system itself: idempotency keys, worker heartbeats, the registered secret."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.models.columns import Row, identity, moment, reference


class IdempotencyKey(Row, table=True):
    """The answer to a request with an `Idempotency-Key`. It is sent again when the request is repeated."""

    __table_args__ = (UniqueConstraint("organization_id", "key"),)

    id: int = identity()
    organization_id: int = reference("organization.id")
    key: str = Field(max_length=255)
    request_hash: str
    status_code: int | None = Field(default=None)
    """None while the first request is in progress."""
    body: dict[str, Any] | None = Field(default=None, nullable=True, sa_type=JSONB)
    created_at: datetime = moment()


class WorkerHeartbeat(Row, table=True):
    """A worker process that was alive at `seen_at`."""

    worker: str = Field(primary_key=True, max_length=100)
    queue: str = Field(max_length=20)
    started_at: datetime = moment()
    seen_at: datetime = moment()
    problem: str = Field(default="", max_length=500)
    """Why it does nothing, for users; empty: it works."""


class Installation(Row, table=True):
    """Facts of the whole database: one row, written by the first process that starts."""

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    secret_digest: str = Field(max_length=64)
    """A hash that identifies the CALLSHEET_SECRET without revealing it."""
    secret_since: datetime = moment()
