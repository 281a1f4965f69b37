"""The answers of `/api/v1` for campaigns: the fields of seed `001`, the objects of `000`, and our own."""

from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from app.api.v1.fields import Moment
from app.api.v1.progress_answers import Progress, progress_of
from app.api.v1.setting_fields import (
    ADVANCED,
    ALLOWED_HOURS,
    EXECUTION,
    answered_fields,
    answered_values,
    with_fields,
)
from app.domain.calling_hours import DAY_NAMES
from app.services.campaigns.setting_declaration import Group
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail, CampaignRow, Counts

_FLAT: Final = tuple(group for group in Group if group not in {Group.HOURS, Group.NOT_OFFERED})
"""The groups whose settings are fields of the answer itself, not of an object in it."""


class HoursWindow(BaseModel):
    """One of several windows of calling hours."""

    start: str
    end: str
    days: list[str]


class Hours(BaseModel):
    """Calling hours; `start` and `end` null is any hour."""

    start: str | None
    end: str | None
    days: list[str] = Field(description="Empty is every day.")
    windows: list[HoursWindow] = Field(
        description="If there are several windows, all of them; `start`, `end` and `days` are the first. Else empty."
    )
    clock: str = Field(description="Whose clock: the `campaign`'s time zone, or each `contact`'s own.")


@with_fields(answered_fields(Group.PACE))
class Pace(BaseModel):
    """How fast, how often, and when to stop."""


class Execution(Pace):
    """Pace, retries and calling hours."""

    allowed_hours: Hours
    time_zone: str


@with_fields(answered_fields(Group.VOICEMAIL))
class Advanced(BaseModel):
    """Detection of voicemail."""


class _Identity(BaseModel):
    id: int
    public_id: UUID


@with_fields(answered_fields(*_FLAT))
class _Settings(_Identity):
    """The settings that are fields of the answer itself."""


class CampaignAnswer(_Settings):
    """A campaign with all its settings."""

    status: str
    status_reason: str | None
    assistant_name: str | None
    phone_number: str | None
    number_warnings: list[str]
    schedule_warning: str | None = Field(
        description="A start that is more than a year ahead: is the year right?"
    )
    variable_mappings: dict[str, Any]
    available_variables: list[str]
    execution_settings: Execution
    advanced_settings: Advanced
    total_contacts: int
    completed_contacts: int
    failed_contacts: int
    contact_counts: dict[str, int]
    actions: list[str]
    locked_because: str | None = Field(description="Why the settings cannot be changed now.")
    carrier_simulated: bool | None = Field(
        description="No real calls are made: the carrier is simulated; null before the start."
    )
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
    """Return the answer for a campaign, with the counts and variables of its contacts.

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
        schedule_warning=detail.schedule_warning,
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
    execution = answered_values(settings, Group.PACE) | {
        "allowed_hours": _hours(settings),
        "time_zone": settings.time_zone,
    }
    return answered_values(settings, *_FLAT) | {
        EXECUTION: execution,
        ADVANCED: answered_values(settings, Group.VOICEMAIL),
    }


def _hours(settings: CampaignSettings) -> Hours:
    parts = {
        path.removeprefix(f"{ALLOWED_HOURS}."): value
        for path, value in answered_values(settings, Group.HOURS).items()
    }
    return Hours(**parts | {"days": [DAY_NAMES[day - 1] for day in parts["days"]]})


def campaign_item(row: CampaignRow) -> CampaignItem:
    """Return the answer for a campaign in a list."""
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
