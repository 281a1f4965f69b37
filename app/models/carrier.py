"""The carrier accounts we dial through, and our numbers."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, text

from app.domain.number_health import NumberRest
from app.models.columns import Row, identity, moment, one_of, reference, word


class CarrierAccount(Row, table=True):
    """One account at a carrier. Its row is the lock under which rates and phone numbers are reserved."""

    __table_args__ = (UniqueConstraint("kind", "account_sid", "api_url"),)

    id: int = identity()
    kind: str
    """Which provider dials through it."""
    account_sid: str
    api_url: str
    simulated: bool
    """Nobody is really called."""
    calls_per_second: int = Field(default=1, ge=1)
    """What the carrier lets this account place; a provider says what a new account gets."""
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
    """Why it was switched off, in a sentence; empty: a person did it, or it is active."""
    daily_cap: int = Field(default=0, ge=0)
    """Most calls it makes in any 24 hours, over all campaigns; 0 is no cap."""
    burst_cap: int = Field(default=0, ge=0)
    """Most calls it makes within `burst_minutes`, after which it cools down; 0 is no cap."""
    burst_minutes: int = Field(default=10, ge=1)
    cool_down_minutes: int = Field(default=30, ge=0)
    """How long it rests after a burst, counted from the burst's last call."""
    rest: NumberRest | None = word(NumberRest, nullable=True)
    """Why it makes no calls until `resting_until`; None: it does not rest."""
    rest_why: str = Field(default="", max_length=500)
    """The evidence, in a sentence for a person."""
    rested_at: datetime | None = moment(nullable=True)
    resting_until: datetime | None = moment(nullable=True)
    """None with a `rest`: until a person puts it back to work."""
    inbound_problem: str = Field(default="", max_length=500)
    """Why texts to this number do not reach us, in words for a person; empty: they do, or nobody has looked."""
    inbound_checked_at: datetime | None = moment(nullable=True)
    """When the carrier was last asked where it announces them."""
    created_at: datetime = moment()
    updated_at: datetime = moment()
