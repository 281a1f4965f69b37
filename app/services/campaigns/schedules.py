"""The schedule of a recurring campaign: what is wrong with it, and when its runs are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import ScheduleType
from app.domain.recurrence import (
    Recurrence,
    RecurrenceInvalid,
    RecurringPlan,
    next_occurrence,
    occurrences,
    why_it_has_ended,
)
from app.models import Campaign, Segment
from app.services.campaigns.settings import CampaignSettings
from app.services.places.hours import NOWHERE, opening_at, rules_of_campaign
from app.services.places.openings import waiting_places

PLAN: Final = "recurring_config"
"""The name of the setting with the schedule."""

STORED_PLAN: Final = col(Campaign.recurring_config)
"""The column with the plan, as the JSON of `RecurringPlan`."""

SHOWN_OCCURRENCES: Final = 5
_COMPARED_WITH_HOURS: Final = 30


def plan_of(campaign: Campaign) -> RecurringPlan | None:
    """Return the plan of a recurring campaign; None for others, and for one that cannot be read."""
    return stored_plan(campaign) if campaign.schedule_type is ScheduleType.RECURRING else None


def stored_plan(campaign: Campaign) -> RecurringPlan | None:
    """Return the plan as `plan_of`, also of a campaign that no longer recurs: its last run has the plan's people."""
    if not campaign.recurring_config:
        return None
    try:
        return RecurringPlan.from_json(campaign.recurring_config)
    except RecurrenceInvalid:
        return None


def zone_of_plan(campaign: Mapping[Any, Any]) -> str:
    """Return the time zone of a recurring campaign's schedule, from its row; empty for other campaigns."""
    if campaign["schedule_type"] != ScheduleType.RECURRING:
        return ""
    return str(campaign[PLAN].get("time_zone", ""))


def recurs(settings: CampaignSettings) -> bool:
    """Tell whether the campaign runs again and again."""
    return settings.schedule_type is ScheduleType.RECURRING


def start_time(campaign: Campaign, now: datetime) -> datetime | None:
    """Return the time that a start of the campaign waits for; None: it begins at once."""
    if plan := plan_of(campaign):
        return next_occurrence(plan.schedule, now)
    return campaign.scheduled_at if campaign.schedule_type is ScheduleType.SCHEDULED else None


def why_start_time_is_wrong(campaign: Campaign, now: datetime) -> dict[str, str]:
    """Return what to change in the time of a scheduled start: setting -> why; nothing if it is good."""
    if campaign.schedule_type is not ScheduleType.SCHEDULED:
        return {}
    if campaign.scheduled_at is None:
        return {"scheduled_at": "Choose when the campaign starts."}
    if campaign.scheduled_at <= now:
        return {"scheduled_at": "This time has passed. Choose one in the future, or start at once."}
    return {}


def write_plan(campaign: Campaign, plan: RecurringPlan) -> None:
    """Write the plan into the campaign's row."""
    campaign.recurring_config = plan.to_json()


def next_times(schedule: Recurrence, after: datetime) -> list[datetime]:
    """Return the next occurrences later than `after`, at most `SHOWN_OCCURRENCES`."""
    times = occurrences(schedule, after)
    return [at for at, _ in zip(times, range(SHOWN_OCCURRENCES), strict=False)]


def why_over(settings: CampaignSettings, now: datetime) -> dict[str, str]:
    """Return what to change in a schedule without an occurrence to come: field of the setting -> why."""
    plan = settings.recurring_config
    ended = why_it_has_ended(plan.schedule, now) if plan is not None else {}
    return {f"{PLAN}.{field}": why for field, why in ended.items()}


async def why_it_cannot_recur(
    session: AsyncSession, campaign: Campaign, settings: CampaignSettings, *, now: datetime
) -> dict[str, str]:
    """Return what to change before a recurring campaign can start: field of the setting -> why."""
    plan = settings.recurring_config
    if not recurs(settings):
        return {}
    if plan is None:
        return {PLAN: "Say when it runs: how often, at what time, and in which time zone."}
    if plan.segment_id is not None:
        segment = await session.get(Segment, plan.segment_id)
        if segment is None or segment.organization_id != campaign.organization_id:
            return {f"{PLAN}.segment_id": "This segment has been deleted. Choose another."}
    return why_over(settings, now) or await _why_outside_hours(session, campaign, plan, now)


async def _why_outside_hours(
    session: AsyncSession, campaign: Campaign, plan: RecurringPlan, now: datetime
) -> dict[str, str]:
    """Return the problem of a schedule at whose every occurrence nobody of the campaign may be contacted."""
    rules = await rules_of_campaign(session, campaign)
    if rules is None:
        return {}  # Another field says so.
    places = [each.opening for each in await waiting_places(session, {campaign.id: rules}, now=now)]
    times = occurrences(plan.schedule, now)
    for at, _ in zip(times, range(_COMPARED_WITH_HOURS), strict=False):
        if any(each.is_open(at) for each in places or [opening_at(rules, NOWHERE, now=at)]):
            return {}
    why = (
        "At every one of these times the calling hours are closed for all the people. "
        "Change this time, or the calling hours."
    )
    return {f"{PLAN}.time": why}
