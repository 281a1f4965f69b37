"""The address book, and who must never be contacted."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, text

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


class SuppressionScope(StrEnum):
    """Which channels a suppression closes."""

    ALL = "all"
    VOICE = "voice"
    SMS = "sms"


class SuppressionSource(StrEnum):
    """How we learned that a number must not be contacted."""

    KEYPRESS = "keypress"
    SPOKEN = "spoken"
    STOP_MESSAGE = "stop_message"
    MANUAL = "manual"
    IMPORT = "import"
    CARRIER = "carrier"
    API = "api"


class Contact(Row, table=True):
    """A person: one row per E.164 number in an organization."""

    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        Index("ix_contact_name", "organization_id", text('lower(name COLLATE "C")'), "id"),
        Index("ix_contact_newest", "organization_id", text("id DESC")),
    )

    id: int = identity()
    organization_id: int = reference("organization.id")
    number: str = Field(max_length=16)
    """E.164."""
    name: str = Field(default="", max_length=200)
    first_name: str = Field(default="", max_length=100)
    last_name: str = Field(default="", max_length=100)
    email: str = Field(default="", max_length=320)
    company: str = Field(default="", max_length=200)
    time_zone: str = Field(default="", max_length=64)
    language: str = Field(default="", max_length=20)
    country: str = Field(default="", max_length=2)
    state: str = Field(default="", max_length=50)
    notes: str = Field(default="", max_length=4000)
    tags: list[str] = words_list()
    fields: dict[str, Any] = json_object()
    source: str = Field(default="manual", max_length=50)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Suppression(Row, table=True):
    """A number never to contact. Lifting keeps the row: history is evidence."""

    __table_args__ = (
        one_of("scope", SuppressionScope),
        one_of("source", SuppressionSource),
        Index(
            "uq_suppression_standing",
            "organization_id",
            "number",
            "scope",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: int = identity()
    organization_id: int = reference("organization.id")
    number: str = Field(max_length=16)
    scope: SuppressionScope = word(SuppressionScope, default=SuppressionScope.ALL)
    reason: str = Field(default="", max_length=500)
    source: SuppressionSource = word(SuppressionSource)
    actor: str = Field(default="", max_length=200)
    created_at: datetime = moment()
    lifted_at: datetime | None = moment(nullable=True)
    lifted_by: str | None = Field(default=None, max_length=200)
    lift_reason: str | None = Field(default=None, max_length=500)
