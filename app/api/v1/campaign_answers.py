"""A campaign as `/api/v1` answers it: the fields of seed `001`, the objects of `000`, and our own."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from app.api.v1.fields import Moment
from app.api.v1.progress_answers import Progress, progress_of
from app.domain.calling_hours import DAY_NAMES
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail, CampaignRow, Counts


class Hours(BaseModel):
    """Calling hours; `start` and `end` null is any hour."""

    start: str | None
    end: str | None
    days: list[str] = Field(description="Empty is every day.")


class Breaker(BaseModel):
    """The signs that pause the campaign: rates in percent of the last attempts; 0 is switched off."""

    window: int
    minimum: int
    failure_rate: float
    refusal_rate: float
    refusals_in_a_row: int
    opt_out_rate: float
    hang_up_rate: float


class Execution(BaseModel):
    """Pace, retries and calling hours."""

    max_attempts: int
    retry_delay_minutes: int
    retry_delays: list[int]
    retry_delays_by_outcome: dict[str, list[int]]
    retry_back_off: bool
    retry_other_number: bool
    number_strategy: str
    weight: int
    pilot_size: int
    ramp: bool
    budget_cap: float | None
    breaker: Breaker
    concurrent_limit: int
    rate_limit_per_minute: int
    throttle_delay_ms: int
    messages_per_second: int
    allowed_hours: Hours
    time_zone: str


class Advanced(BaseModel):
    """Detection of voicemail."""

    enable_voicemail_detection: bool


class CampaignAnswer(BaseModel):
    """A campaign with all its settings."""

    id: int
    public_id: UUID
    name: str
    description: str | None
    campaign_type: str
    status: str
    status_reason: str | None
    assistant_id: int | None
    assistant_name: str | None
    phone_number_id: int | None
    phone_number: str | None
    number_pool: list[int]
    number_strategy: str
    number_warnings: list[str]
    welcome_message_template: str | None
    agenda_template: str | None
    question_template: str | None
    end_call_message_template: str | None
    sms_message_template: str | None
    fallback_values: dict[str, str]
    variable_mappings: dict[str, Any]
    available_variables: list[str]
    missing: str
    schedule_type: str
    scheduled_at: Moment | None
    timezone: str
    max_attempts: int
    retry_delay_minutes: int
    retry_delays: list[int]
    retry_delays_by_outcome: dict[str, list[int]]
    retry_back_off: bool
    retry_other_number: bool
    retry_on: list[str]
    weight: int
    pilot_size: int
    ramp: bool
    budget_cap: float | None
    breaker: Breaker
    concurrent_limit: int
    rate_limit_per_minute: int
    throttle_delay_ms: int
    messages_per_second: int
    ring_timeout_seconds: int
    time_limit_seconds: int
    enable_voicemail_detection: bool
    execution_settings: Execution
    advanced_settings: Advanced
    total_contacts: int
    completed_contacts: int
    failed_contacts: int
    contact_counts: dict[str, int]
    actions: list[str]
    locked_because: str | None = Field(description="Why the settings cannot be changed now.")
    carrier_simulated: bool | None = Field(description="Nobody is really called; null before the start.")
    created_at: Moment
    updated_at: Moment
    started_at: Moment | None
    ended_at: Moment | None


class CampaignItem(BaseModel):
    """A campaign in a list."""

    id: int
    public_id: UUID
    name: str
    description: str | None
    campaign_type: str
    status: str
    status_reason: str | None
    assistant_id: int | None
    assistant_name: str | None
    scheduled_at: Moment | None
    total_contacts: int
    completed_contacts: int
    failed_contacts: int
    progress: Progress
    progress_percent: float = Field(description="As `completion_rate` of its stats.")
    success_rate: float = Field(description="Contacts completed, of those that ended and were attempted.")
    calls_made: int
    actions: list[str]
    carrier_simulated: bool | None
    created_at: Moment
    updated_at: Moment


def campaign_answer(detail: CampaignDetail, *, counts: Counts, variables: list[str]) -> CampaignAnswer:
    """Return a campaign as it is answered, with the counts and variables of its people.

    A text that is not set is null, as in seed `001`.
    """
    settings, rolled = detail.settings, progress_of(counts)
    return CampaignAnswer(
        id=detail.id,
        public_id=detail.public_id,
        status=detail.status,
        status_reason=detail.status_reason or None,
        assistant_name=detail.agent_name,
        phone_number=detail.phone_number,
        number_warnings=detail.number_warnings,
        variable_mappings=detail.variable_mappings,
        available_variables=variables,
        total_contacts=sum(counts.values()),
        completed_contacts=rolled.completed,
        failed_contacts=rolled.failed,
        contact_counts={status.value: count for status, count in counts.items()},
        actions=sorted(detail.actions),
        locked_because=detail.locked_because,
        carrier_simulated=detail.carrier_simulated,
        created_at=detail.created_at,
        updated_at=detail.updated_at,
        started_at=detail.started_at,
        ended_at=detail.ended_at,
        **_settings(settings),
    )


def _settings(settings: CampaignSettings) -> dict[str, Any]:
    cap, by_outcome = settings.budget_cap, settings.retry_delays_by_outcome
    pace: dict[str, Any] = {
        "max_attempts": settings.max_attempts,
        "retry_delay_minutes": settings.retry_delay_minutes,
        "retry_delays": list(settings.retry_delays),
        "retry_delays_by_outcome": {outcome.value: list(delays) for outcome, delays in by_outcome.items()},
        "retry_back_off": settings.retry_back_off,
        "retry_other_number": settings.retry_other_number,
        "number_strategy": settings.number_strategy,
        "weight": settings.weight,
        "pilot_size": settings.pilot_size,
        "ramp": settings.ramp,
        "budget_cap": float(cap) if cap is not None else None,
        "breaker": settings.breaker.to_json(),
        "concurrent_limit": settings.concurrent_limit,
        "rate_limit_per_minute": settings.rate_limit_per_minute,
        "throttle_delay_ms": settings.throttle_delay_ms,
        "messages_per_second": settings.messages_per_second,
    }
    return pace | {
        "name": settings.name,
        "description": settings.description or None,
        "campaign_type": settings.channel,
        "assistant_id": settings.agent_id,
        "phone_number_id": settings.phone_number_id,
        "number_pool": list(settings.number_pool),
        "welcome_message_template": settings.welcome_message_template or None,
        "agenda_template": settings.agenda_template or None,
        "question_template": settings.question_template or None,
        "end_call_message_template": settings.end_call_message_template or None,
        "sms_message_template": settings.sms_message_template or None,
        "fallback_values": dict(settings.fallback_values),
        "missing": settings.missing,
        "schedule_type": settings.schedule_type,
        "scheduled_at": settings.scheduled_at,
        "timezone": settings.time_zone,
        "retry_on": list(settings.retry_on),
        "ring_timeout_seconds": settings.ring_timeout_seconds,
        "time_limit_seconds": settings.time_limit_seconds,
        "enable_voicemail_detection": settings.enable_voicemail_detection,
        "execution_settings": pace | {"allowed_hours": _hours(settings), "time_zone": settings.time_zone},
        "advanced_settings": {"enable_voicemail_detection": settings.enable_voicemail_detection},
    }


def _hours(settings: CampaignSettings) -> Hours:
    days = [DAY_NAMES[day - 1] for day in settings.allowed_days]
    return Hours(start=settings.allowed_start, end=settings.allowed_end, days=days)


def campaign_item(row: CampaignRow) -> CampaignItem:
    """Return a campaign of a list."""
    rolled = progress_of(row.counts)
    return CampaignItem(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        description=row.description or None,
        campaign_type=row.channel,
        status=row.status,
        status_reason=row.status_reason or None,
        assistant_id=row.agent_id,
        assistant_name=row.agent_name,
        scheduled_at=row.scheduled_at,
        total_contacts=row.standing.total,
        completed_contacts=rolled.completed,
        failed_contacts=rolled.failed,
        progress=rolled,
        progress_percent=row.standing.completion_rate,
        success_rate=row.success_rate,
        calls_made=row.calls_made,
        actions=sorted(row.actions),
        carrier_simulated=row.simulated,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
