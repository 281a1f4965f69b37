"""Attempts, their transcripts, and the webhooks of the carrier."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, Index, Numeric, SmallInteger, UniqueConstraint
from sqlmodel import Field, text

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import Channel
from app.domain.events import AnsweredBy, EventKind, FailureClass
from app.models import sql
from app.models.columns import (
    Row,
    identity,
    json_object,
    moment,
    one_of,
    reference,
    word,
)

_LIVE = text(f"status IN {sql.LIVE}")

_UNPRICED = text(f"price IS NULL AND provider_id IS NOT NULL AND status IN {sql.CHARGED}")

# As in `domain.sms`, except accents: nearly all of them make a message UCS-2.
_PARTS = Computed(
    "CASE WHEN channel <> 'sms' THEN 0"
    " WHEN octet_length(rendered ->> 'body') = length(rendered ->> 'body')"
    " THEN CASE WHEN length(rendered ->> 'body') <= 160 THEN 1"
    " ELSE (length(rendered ->> 'body') + 152) / 153 END"
    " WHEN length(rendered ->> 'body') <= 70 THEN 1"
    " ELSE coalesce((length(rendered ->> 'body') + 66) / 67, 1) END",
    persisted=True,
)


class Attempt(Row, table=True):
    """One try to reach a recipient: exactly one call or message at the carrier. Append-only."""

    __table_args__ = (
        UniqueConstraint("recipient_id", "ordinal"),
        one_of("channel", Channel),
        one_of("status", AttemptStatus),
        one_of("ended_as", EventKind),
        one_of("answered_by", AnsweredBy),
        one_of("failure", FailureClass),
        one_of("disposition", Disposition),
        # Protects the person: one live attempt per carrier account and phone number, in all campaigns.
        Index(
            "uq_attempt_live_number",
            "carrier_account_id",
            "number_to",
            unique=True,
            postgresql_where=_LIVE,
        ),
        Index(
            "uq_attempt_provider_id",
            "carrier_account_id",
            "provider_id",
            unique=True,
            postgresql_where=text("provider_id IS NOT NULL"),
        ),
        # Slots are counted from these, not stored.
        Index("ix_attempt_live_campaign", "campaign_id", postgresql_where=_LIVE),
        Index("ix_attempt_live_organization", "organization_id", postgresql_where=_LIVE),
        Index(
            "ix_attempt_deadline",
            "deadline_at",
            postgresql_where=text("deadline_at IS NOT NULL"),
        ),
        # Rates are counted in sliding windows over these.
        Index("ix_attempt_campaign_reserved", "campaign_id", "reserved_at"),
        Index("ix_attempt_carrier_reserved", "carrier_account_id", "reserved_at"),
        Index("ix_attempt_number_reserved", "organization_id", "number_to", "reserved_at"),
        # Prices are available late and must be fetched.
        Index(
            "ix_attempt_unpriced",
            "carrier_account_id",
            text("coalesce(ended_at, placed_at)"),
            postgresql_where=_UNPRICED,
        ),
        # Counts the calls of each of our numbers.
        Index("ix_attempt_phone_number", "phone_number_id", "channel", "status"),
        # Counts caps, bursts and turns of our own numbers.
        Index("ix_attempt_phone_number_reserved", "phone_number_id", "reserved_at"),
        # The last outcomes of a campaign, for its circuit breaker.
        Index(
            "ix_attempt_settled",
            "campaign_id",
            text("ended_at DESC"),
            postgresql_where=text("disposition IS NOT NULL"),
        ),
        # The number that a contact saw last.
        Index("ix_attempt_contact", "contact_id", "reserved_at"),
        # Calls that wait in the carrier's queue when their calling hours end.
        Index("ix_attempt_closes", "closes_at", postgresql_where=text("status = 'queued'")),
        Index("ix_attempt_hang_up", "hang_up_at", postgresql_where=text("hang_up_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    # The recipient implies these five. A foreign key for each would make a reservation 5 % slower.
    organization_id: int = Field(sa_type=BigInteger)
    campaign_id: int = Field(sa_type=BigInteger)
    run_id: int = Field(sa_type=BigInteger)
    step_id: int = Field(sa_type=BigInteger)
    contact_id: int = Field(sa_type=BigInteger)
    recipient_id: int = reference("recipient.id")
    agent_id: int | None = reference("agent.id", nullable=True, on_delete="RESTRICT")
    carrier_account_id: int = reference("carrier_account.id", on_delete="RESTRICT")
    phone_number_id: int = reference("phone_number.id", on_delete="RESTRICT")
    channel: Channel = word(Channel)
    number_from: str = Field(max_length=16)
    number_to: str = Field(max_length=16)
    ordinal: int
    """1, 2, 3 ... for its recipient."""
    rendered: dict[str, Any] = json_object()
    """The text rendered at reservation: welcome, agenda, question, closing, or body; language and voice."""

    status: AttemptStatus = word(AttemptStatus, default=AttemptStatus.PLACING)
    disposition: Disposition | None = word(Disposition, nullable=True)
    provider_id: str | None = Field(default=None, max_length=64)
    reserved_at: datetime = moment()
    reserved_by: str = Field(default="", max_length=100)
    """The worker that made the reservation; only this worker may place it."""
    placed_at: datetime | None = moment(nullable=True)
    responded_at: datetime | None = moment(nullable=True)
    """When the carrier answered our request, or we stopped waiting: it accepted the request by then, if at all."""
    ringing_at: datetime | None = moment(nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    last_event_at: datetime | None = moment(nullable=True)
    deadline_at: datetime | None = moment(nullable=True)
    """When to ask the carrier if nothing was reported; None once settled."""
    closes_at: datetime | None = moment(nullable=True)
    """When the calling hours of this contact end; None if they do not."""
    place_id: int | None = Field(default=None, sa_type=BigInteger)
    """The contact's place when it was reserved: the calling hours were checked there."""
    legal_hours: str = Field(default="", max_length=60)
    """The version of the legal hours that were checked, and the organization's policy."""
    queued_for_ms: int | None = Field(default=None)
    """How long the carrier queues the call, as it reported (Twilio `queue_time`)."""
    hang_up_at: datetime | None = moment(nullable=True)
    """When to ask the carrier (again) to end the call; None if it need not end, or has ended."""
    hang_up_why: str = Field(default="", max_length=200)
    """Why we asked the carrier to end it. A call that we cancel before it rings does not count as an attempt."""
    looks: int = Field(default=0)
    """How often the reconciler looked it up without a result."""
    looked_at: datetime | None = moment(nullable=True)

    ended_as: EventKind | None = word(EventKind, nullable=True)
    answered_by: AnsweredBy | None = word(AnsweredBy, nullable=True)
    duration_seconds: int | None = Field(default=None)
    sip_code: int | None = Field(default=None)
    error_code: int | None = Field(default=None)
    error_message: str | None = Field(default=None, max_length=1000)
    failure: FailureClass | None = word(FailureClass, nullable=True)
    reply: str | None = Field(default=None, max_length=1000)
    replied_at: datetime | None = moment(nullable=True)
    opted_out: bool = Field(default=False)
    conflict: bool = Field(default=False)
    parts: int = Field(default=None, nullable=False, sa_type=SmallInteger, sa_column_args=[_PARTS])
    """How many parts of a message are billed, estimated from its length; 0 for a call."""
    price: Decimal | None = Field(default=None, sa_type=Numeric(12, 5))
    price_unit: str | None = Field(default=None, max_length=3)
    price_asked_at: datetime | None = moment(nullable=True)
    """When the carrier was last asked for the price."""


class SecondCall(Row, table=True):
    """A second call or message for one attempt at the carrier: it is ended, and shown to users."""

    __table_args__ = (
        UniqueConstraint("carrier_account_id", "provider_id"),
        Index("ix_second_call_hang_up", "hang_up_at", postgresql_where=text("hang_up_at IS NOT NULL")),
    )

    id: int = identity()
    organization_id: int = reference("organization.id")
    campaign_id: int = reference("campaign.id", index=True)
    attempt_id: UUID = Field(foreign_key="attempt.id", ondelete="CASCADE")
    carrier_account_id: int = reference("carrier_account.id")
    provider_id: str = Field(max_length=64)
    found_at: datetime = moment()
    hang_up_at: datetime | None = moment(nullable=True)
    """When to ask the carrier (again) to end it; None if it has ended."""
    ended_at: datetime | None = moment(nullable=True)
    """When the carrier reported its end."""


class AttemptTurn(Row, table=True):
    """One line of a conversation's transcript."""

    __table_args__ = (UniqueConstraint("attempt_id", "dedupe_key"),)

    id: int = identity()
    attempt_id: UUID = Field(foreign_key="attempt.id", ondelete="CASCADE", index=True)
    dedupe_key: str = Field(max_length=100)
    """Prevents a second line when TwiML is fetched again."""
    speaker: str = Field(max_length=20)
    """`agent` or `contact`."""
    text: str = Field(max_length=10000)
    at: datetime = moment()


class ProviderEvent(Row, table=True):
    """A provider's webhook: stored as received, then applied."""

    __table_args__ = (
        UniqueConstraint("carrier_account_id", "dedupe_key"),
        Index("ix_provider_event_attempt", "attempt_id", "id"),
    )

    id: int = identity()
    carrier_account_id: int = reference("carrier_account.id")
    attempt_id: UUID | None = Field(default=None, foreign_key="attempt.id", ondelete="CASCADE")
    kind: str = Field(max_length=40)
    dedupe_key: str = Field(max_length=200)
    payload: dict[str, Any] = json_object()
    received_at: datetime = moment()
