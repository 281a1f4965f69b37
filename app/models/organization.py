"""The tenant."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger
from sqlmodel import Field

from app.domain.legal_policy import LegalPolicy, ZoneTrust
from app.models.columns import Row, identity, json_list, moment, one_of, reference, word


class Organization(Row, table=True):
    """A tenant. Every row except users belongs to one."""

    __table_args__ = (one_of("zone_trust", ZoneTrust), one_of("legal_policy", LegalPolicy))

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    slug: str = Field(unique=True, max_length=63)
    """Its name in URLs: `/acme/campaigns`."""
    name: str = Field(max_length=200)
    outbound_limit: int = Field(default=10, ge=1)
    """The most live attempts at once, in all campaigns together (seed 003: outbound_rate_limit)."""
    frequency_cap: int = Field(default=3, ge=0)
    """The most attempts to one phone number within `frequency_cap_hours`, in all campaigns; 0 is no cap."""
    frequency_cap_hours: int = Field(default=24, ge=1)
    default_region: str = Field(default="US", max_length=2)
    """The ISO country for numbers without a country code."""
    time_zone: str = Field(default="America/New_York")
    strict_numbers: bool = Field(default=False)
    """Reject numbers that are possible but not valid, instead of warning."""
    default_phone_number_id: int | None = Field(default=None, sa_type=BigInteger)
    """The caller ID of campaigns whose agent has none. Checked in services: a foreign key would make a cycle."""
    dialing_stopped_at: datetime | None = moment(nullable=True)
    """When all dialing was stopped; None while dialing is allowed."""
    dialing_stopped_by: str | None = Field(default=None)
    zone_trust: ZoneTrust = word(ZoneTrust, default=ZoneTrust.OWN)
    """Whether a contact's own zone or state replaces what its number says, or both must hold."""
    legal_policy: LegalPolicy = word(LegalPolicy, default=LegalPolicy.LAW)
    blackout_dates: list[dict[str, Any]] = json_list()
    """Dates without any attempt: `from`, `until` (inclusive, ISO), `name`."""
    created_at: datetime = moment()


class LegalPolicyChange(Row, table=True):
    """One change of an organization's policy on legal hours, with the reason that its owner gave."""

    id: int = identity()
    organization_id: int = reference("organization.id", index=True)
    old: LegalPolicy = word(LegalPolicy)
    new: LegalPolicy = word(LegalPolicy)
    reason: str = Field(max_length=500)
    actor: str = Field(max_length=200)
    at: datetime = moment()
