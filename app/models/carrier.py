"""Carrier accounts, and our phone numbers."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, text

from app.domain.number_health import NumberRest
from app.models.columns import Row, identity, moment, one_of, reference, word


class CarrierAccount(Row, table=True):
    """One account at a carrier. Its row is the lock for reserving rates and phone numbers."""

    __table_args__ = (UniqueConstraint("kind", "account_sid", "api_url"),)

    id: int = identity()
    kind: str
    """Which provider dials through it."""
    account_sid: str
    api_url: str
    simulated: bool
    """The carrier is the simulator: no real calls."""
    calls_per_second: int = Field(default=1, ge=1)
    """The account's limit at the carrier. The provider declares that of a new account."""
    created_at: datetime = moment()


class PhoneNumber(Row, table=True):
    """One of our numbers: a caller ID and a sender of texts.

    While it is active it is no other organization's: whose a STOP is, that is texted to it, is never a question.
    """

    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        Index("uq_phone_number_active", "number", unique=True, postgresql_where=text("active")),
        one_of("rest", NumberRest),
    )

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    organization_id: int = reference("organization.id")
    carrier_account_id: int | None = reference("carrier_account.id", nullable=True, on_delete="SET NULL")
    number: str = Field(max_length=16)
    """E.164."""
    label: str = Field(default="", max_length=200)
    voice: bool = Field(default=True)
    sms: bool = Field(default=True)
    active: bool = Field(default=True)
    inactive_why: str = Field(default="", max_length=500)
    """Why it was deactivated, as a sentence; empty if a user did it, or if it is active."""
    daily_cap: int = Field(default=0, ge=0)
    """The most calls in any 24 hours, in all campaigns together; 0 is no cap."""
    burst_cap: int = Field(default=0, ge=0)
    """The most calls within `burst_minutes`; after them it cools down. 0 is no cap."""
    burst_minutes: int = Field(default=10, ge=1)
    cool_down_minutes: int = Field(default=30, ge=0)
    """How long it rests after the last call of a burst."""
    rest: NumberRest | None = word(NumberRest, nullable=True)
    """Why it makes no calls until `resting_until`; None if it does not rest."""
    rest_why: str = Field(default="", max_length=500)
    """The evidence, as a sentence for users."""
    rested_at: datetime | None = moment(nullable=True)
    resting_until: datetime | None = moment(nullable=True)
    """None with a `rest`: it rests until a user puts it back."""
    inbound_problem: str = Field(default="", max_length=500)
    """Why texts to this number do not reach us, in words for users; empty if they do, or if it was not checked."""
    inbound_checked_at: datetime | None = moment(nullable=True)
    """When the webhook for texts was last checked at the carrier."""
    created_at: datetime = moment()
    updated_at: datetime = moment()
