"""A campaign and its parts: number pool, runs, steps, and the history of its status."""

from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, Numeric, UniqueConstraint, Uuid
from sqlmodel import Field, text

from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.calling_hours import HoursClock
from app.domain.campaign import CampaignStatus, Channel, CompanyMeaning, Purpose, ScheduleType
from app.domain.pool import NumberStrategy
from app.domain.templates import Missing
from app.models import sql
from app.models.columns import (
    Row,
    identity,
    json_list,
    json_object,
    list_of,
    moment,
    one_of,
    reference,
    word,
)


class Campaign(Row, table=True):
    """One outbound effort: audience, channel, content, schedule, pacing."""

    __table_args__ = (
        one_of("channel", Channel),
        one_of("status", CampaignStatus),
        one_of("schedule_type", ScheduleType),
        one_of("calling_clock", HoursClock),
        one_of("purpose", Purpose),
        one_of("missing", Missing),
        one_of("company_meaning", CompanyMeaning),
        one_of("number_strategy", NumberStrategy),
        CheckConstraint("weight BETWEEN 1 AND 100", name="weight"),
        CheckConstraint("max_attempts BETWEEN 1 AND 20", name="max_attempts"),
        CheckConstraint("concurrent_limit BETWEEN 1 AND 100000", name="concurrent_limit"),
        CheckConstraint("rate_limit_per_minute BETWEEN 0 AND 100000", name="rate_limit"),
        Index("ix_campaign_list", "organization_id", text("id DESC")),
        Index(
            "ix_campaign_dialing",
            "status",
            postgresql_where=text(f"status IN {sql.UNDER_WAY}"),
        ),
    )

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    organization_id: int = reference("organization.id")
    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    channel: Channel = word(Channel, default=Channel.CALL)
    status: CampaignStatus = word(CampaignStatus, default=CampaignStatus.DRAFT)
    status_reason: str = Field(default="", max_length=1000)
    """Why it is paused or failed, in words for users."""

    agent_id: int | None = reference("agent.id", nullable=True, on_delete="RESTRICT", index=True)
    phone_number_id: int | None = reference(
        "phone_number.id", nullable=True, on_delete="RESTRICT", index=True
    )
    """The caller ID; None with a pool, or to use that of the agent, else of the organization."""
    carrier_account_id: int | None = reference(
        "carrier_account.id", nullable=True, on_delete="RESTRICT", index=True
    )
    """Set at start. A campaign started on one carrier resumes on another only after a new confirmation."""

    fallback_values: dict[str, Any] = json_object()
    variable_mappings: dict[str, Any] = json_object()
    missing: Missing = word(Missing, default=Missing.FALLBACK)
    company_meaning: CompanyMeaning = word(CompanyMeaning, default=CompanyMeaning.ORGANIZATION)

    schedule_type: ScheduleType = word(ScheduleType, default=ScheduleType.IMMEDIATE)
    scheduled_at: datetime | None = moment(nullable=True)
    time_zone: str = Field(default="America/New_York", max_length=64)
    allowed_start: time | None = Field(default=None)
    """The start of the calling hours in the campaign's zone; None, like `allowed_end`, allows any hour."""
    allowed_end: time | None = Field(default=None)
    allowed_days: list[str] = list_of(str)
    """ISO weekdays as text, "1" is Monday; empty means every day."""

    calling_windows: list[dict[str, Any]] = json_list()
    """Several windows, each with `days` (ISO), `start` and `end`; empty: the one of `allowed_start`."""
    calling_clock: HoursClock = word(HoursClock, default=HoursClock.CAMPAIGN)
    """Whose clock the calling hours are read on."""
    purpose: Purpose = word(Purpose, default=Purpose.INFORMATIONAL)
    recurring_config: dict[str, Any] = json_object()
    """When the occurrences of a recurring campaign are, and for whom."""

    concurrent_limit: int = Field(default=5)
    rate_limit_per_minute: int = Field(default=10)
    """0 is no limit."""
    throttle_delay_ms: int = Field(default=0, ge=0)
    messages_per_second: int = Field(default=1, ge=1)
    max_attempts: int = Field(default=3)
    """The most attempts, including the first."""
    retry_delay_minutes: int = Field(default=30, ge=0)
    retry_on: list[str] = list_of(str)
    """The dispositions that are retried."""
    retry_delays: list[int] = list_of(int)
    """Minutes before the 2nd, 3rd ... attempt; the last value repeats. Empty: `retry_delay_minutes`."""
    retry_delays_by_outcome: dict[str, Any] = json_object()
    """Retry outcome (`no_answer`, `busy`, `failed`, `voicemail`) -> its own list of delays."""
    retry_back_off: bool = Field(default=False)
    """After the end of the list each delay is twice the one before."""
    retry_other_number: bool = Field(default=False)
    """A retry shows a different number of the pool than the attempt before, if possible."""
    number_strategy: NumberStrategy = word(NumberStrategy, default=NumberStrategy.ROUND_ROBIN)
    weight: int = Field(default=1)
    """Its share of the organization's slots, relative to other campaigns."""
    breaker: dict[str, Any] = json_object()
    """The signs that pause it (`domain.breaker.BreakerPolicy`); missing fields have their defaults."""
    breaker_since: datetime | None = moment(nullable=True)
    """The breaker ignores earlier attempts. Set when a user resumes after it tripped."""
    pilot_size: int = Field(default=0, ge=0)
    """Dial this many recipients, then pause for a user; 0 is no pilot."""
    pilot_passed_at: datetime | None = moment(nullable=True)
    ramp: bool = Field(default=False)
    """Guarded: 2 %, 10 %, 50 %, then all; a step begins only if the breaker's rates are kept."""
    ramp_step: int = Field(default=0, ge=0)
    budget_cap: Decimal | None = Field(default=None, sa_type=Numeric(12, 2))
    """The most it may cost, with calls in flight, in the carrier account's currency; None is no cap."""
    room_left: int | None = Field(default=None)
    """How many attempts pilot, ramp and budget allow until they are counted again; None: count now."""
    room_at: datetime | None = moment(nullable=True)
    """When they were last counted."""
    ring_timeout_seconds: int = Field(default=30, ge=15, le=120)
    time_limit_seconds: int = Field(default=600, ge=30, le=14400)
    enable_voicemail_detection: bool = Field(default=True)

    gate_rule: str | None = Field(default=None, max_length=50)
    """The gate's last verdict on the whole campaign: which rule blocks it, until when, and why."""
    gate_until: datetime | None = moment(nullable=True)
    gate_why: str | None = Field(default=None, max_length=500)

    next_position: int = Field(default=1)
    """The position of the next recipient, in the order of the file."""
    pool_cursor: int = Field(default=0)
    created_by: str = Field(default="", max_length=200)
    created_at: datetime = moment()
    updated_at: datetime = moment()
    started_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)


class CampaignNumber(Row, table=True):
    """A caller ID in a campaign's number pool."""

    campaign_id: int = Field(
        foreign_key="campaign.id",
        primary_key=True,
        ondelete="CASCADE",
        sa_type=BigInteger,
    )
    phone_number_id: int = Field(
        foreign_key="phone_number.id",
        primary_key=True,
        ondelete="CASCADE",
        sa_type=BigInteger,
    )
    position: int


class BreakerTrip(Row, table=True):
    """The circuit breaker paused a campaign: the sign, its rate, and the attempts that show it."""

    id: int = identity()
    campaign_id: int = reference("campaign.id", index=True)
    sign: str = Field(max_length=30)
    measured: float
    """Percent of the window."""
    threshold: float
    window: int
    """How many attempts were looked at."""
    attempt_ids: list[UUID] = Field(default_factory=list, nullable=False, sa_type=ARRAY(Uuid))
    at: datetime = moment()


class Audience(Row, table=True):
    """An audience: a rule that adds contacts of the address book to a campaign."""

    __table_args__ = (
        one_of("mode", AudienceMode),
        one_of("status", AudienceStatus),
        Index("ix_audience_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    organization_id: int = reference("organization.id")
    campaign_id: int = reference("campaign.id", index=True)
    mode: AudienceMode = word(AudienceMode)
    status: AudienceStatus = word(AudienceStatus, default=AudienceStatus.ADDING)
    segment_id: int | None = reference("segment.id", nullable=True, on_delete="RESTRICT", index=True)
    """The segment whose current filter is used; None: `rule` is the filter."""
    rule: dict[str, Any] = json_object()
    exclude: dict[str, Any] = json_object()
    """Whom to leave out: contacted in the last N days, or present in campaigns."""
    cursor_id: int = Field(default=0, sa_type=BigInteger)
    """Contacts up to this id are processed. Committed with the added ones: after a crash the job resumes here."""
    until_id: int = Field(default=0, sa_type=BigInteger)
    """The newest contact when this pass began. Later ones are left to the next pass of a standing audience."""
    added: int = Field(default=0)
    already_in: int = Field(default=0)
    """How many matching contacts were in the campaign already; they stay as they are."""
    suppressed: int = Field(default=0)
    """How many were added as skipped, because they must not be contacted."""
    last_at: datetime | None = moment(nullable=True)
    """When the last pass ended."""
    next_at: datetime | None = moment(nullable=True)
    """When a worker should continue; None if it is over."""
    created_by: str = Field(default="", max_length=200)
    created_at: datetime = moment()


class Run(Row, table=True):
    """One execution of a campaign."""

    __table_args__ = (
        UniqueConstraint("campaign_id", "number"),
        UniqueConstraint("campaign_id", "occurrence_at"),
    )

    id: int = identity()
    campaign_id: int = reference("campaign.id")
    number: int = Field(default=1)
    occurrence_at: datetime | None = moment(nullable=True)
    """The time of the schedule that it executes; None for a campaign that does not recur."""
    fill_cursor: int = Field(default=0, sa_type=BigInteger)
    """People are copied up to this id. Committed with the copies: after a crash the job goes on here."""
    filled_at: datetime | None = moment(nullable=True)
    """When all its people had been added; None while a job adds them. The first run is filled by hand."""
    created_at: datetime = moment()
    started_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)


class Step(Row, table=True):
    """One touch of a campaign's sequence, with its templates. An ordinary campaign has one."""

    __table_args__ = (
        UniqueConstraint("campaign_id", "position"),
        one_of("channel", Channel),
    )

    id: int = identity()
    campaign_id: int = reference("campaign.id")
    position: int = Field(default=1)
    channel: Channel = word(Channel, default=Channel.CALL)
    welcome_message_template: str = Field(default="", max_length=10000)
    agenda_template: str = Field(default="", max_length=10000)
    question_template: str = Field(default="", max_length=10000)
    """Asked after the agenda, answered by key or speech; empty: no question (key 9 still opts out)."""
    end_call_message_template: str = Field(default="", max_length=10000)
    sms_message_template: str = Field(default="", max_length=10000)


class CampaignTransition(Row, table=True):
    """One change of a campaign's status, written in the same transaction."""

    id: int = identity()
    campaign_id: int = reference("campaign.id", index=True)
    old: str
    new: str
    actor: str = Field(max_length=200)
    reason: str = Field(default="", max_length=1000)
    at: datetime = moment()
