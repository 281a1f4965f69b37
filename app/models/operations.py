"""Rows the system keeps for itself: repeated requests, which workers are alive, whose secret signs."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from app.models.columns import Row, identity, json_value, moment, reference


class IdempotencyKey(Row, table=True):
    """The answer to a POST that carried an `Idempotency-Key`, replayed when it is repeated."""

    __table_args__ = (UniqueConstraint("organization_id", "key"),)

    id: int = identity()
    organization_id: int = reference("organization.id")
    key: str = Field(max_length=255)
    request_hash: str
    status_code: int | None = Field(default=None)
    """None while the first request is still being answered."""
    body: dict[str, Any] | None = json_value()
    created_at: datetime = moment()


class WorkerHeartbeat(Row, table=True):
    """A worker process that was alive at `seen_at`."""

    worker: str = Field(primary_key=True, max_length=100)
    queue: str = Field(max_length=20)
    started_at: datetime = moment()
    seen_at: datetime = moment()


class Installation(Row, table=True):
    """What is so once for the whole database: one row, made by the first process that starts on it."""

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    secret_digest: str = Field(max_length=64)
    """Tells one CALLSHEET_SECRET from another, and nothing of either."""
    secret_since: datetime = moment()
