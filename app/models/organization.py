"""The tenant."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger
from sqlmodel import Field

from app.models.columns import Row, identity, moment


class Organization(Row, table=True):
    """A tenant. Every other row but a user belongs to one."""

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    slug: str = Field(unique=True, max_length=63)
    """Its name in URLs: `/acme/campaigns`."""
    name: str = Field(max_length=200)
    outbound_limit: int = Field(default=10, ge=1)
    """Live attempts at once over all campaigns (seed 003: outbound_rate_limit)."""
    frequency_cap: int = Field(default=3, ge=0)
    """Most attempts to one phone number within `frequency_cap_hours`, over all campaigns; 0 is no cap."""
    frequency_cap_hours: int = Field(default=24, ge=1)
    default_region: str = Field(default="US", max_length=2)
    """ISO country that numbers without a country code are read in."""
    time_zone: str = Field(default="America/New_York")
    strict_numbers: bool = Field(default=False)
    """Reject numbers that are possible but not valid, instead of warning."""
    default_phone_number_id: int | None = Field(default=None, sa_type=BigInteger)
    """Caller ID of campaigns whose agent has none; checked in services (a cycle of tables otherwise)."""
    dialing_stopped_at: datetime | None = moment(nullable=True)
    """The switch that stops all dialing at once; None while dialing is allowed."""
    dialing_stopped_by: str | None = Field(default=None)
    created_at: datetime = moment()
