"""A campaign's settings as sentences, as a form holds them, and as the changes a form asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.attempt import Disposition
from app.domain.campaign import Channel, ScheduleType
from app.domain.retry import DISPOSITIONS_OF, RetryOutcome
from app.domain.templates import Missing
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail
from app.web.forms import chosen_id, ticked, written
from app.web.options import Option
from app.web.pages.campaign.advanced.presenter import (
    ON,
    OUTCOMES,
    Fact,
    finer_changes,
    finer_facts,
    finer_values,
    retry_facts,
)
from app.web.words import NOTHING, counted, moment

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TEMPLATES: Final[Mapping[str, str]] = {
    "welcome_message_template": "Greeting",
    "agenda_template": "Agenda",
    "question_template": "Question",
    "end_call_message_template": "Closing",
}
SMS_TEMPLATE: Final = "sms_message_template"

MISSING: Final[Mapping[Missing, str]] = {
    Missing.FALLBACK: "Use the fallback",
    Missing.SKIP: "Skip the contact",
    Missing.BLANK: "Leave it out",
    Missing.KEEP: "Keep the placeholder",
}
"""What becomes of a variable without a value, in words."""

_SHARED: Final = ("name", "description", "time_zone", "missing", "max_attempts")
_OF_CALLS: Final = (
    "concurrent_limit",
    "rate_limit_per_minute",
    "throttle_delay_ms",
    "ring_timeout_seconds",
    "time_limit_seconds",
    *TEMPLATES,
)
_OF_TEXTS: Final = ("messages_per_second", SMS_TEMPLATE)


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    title: str
    facts: list[Fact]


def groups(detail: CampaignDetail, *, now: datetime) -> list[Group]:
    """Return every setting in words."""
    settings = detail.settings
    return [
        Group("Basics", _basics(detail)),
        Group("Message", _message(settings)),
        Group("Pace", _texts_pace(settings) if settings.channel is Channel.SMS else _calls_pace(settings)),
        Group("Retries", _retries(settings)),
        Group("When", _when(settings, now)),
        Group("More", finer_facts(settings)),
    ]


def form_of(settings: CampaignSettings) -> dict[str, str]:
    """Return the settings as the texts of a form."""
    names = (*_SHARED, *(_OF_TEXTS if settings.channel is Channel.SMS else _OF_CALLS))
    texts = {name: str(getattr(settings, name)) for name in names}
    at = settings.scheduled_at
    return (
        finer_values(settings)
        | texts
        | {
            "agent_id": str(settings.agent_id or ""),
            "phone_number_id": str(settings.phone_number_id or ""),
            "allowed_start": settings.allowed_start or "",
            "allowed_end": settings.allowed_end or "",
            "schedule_type": settings.schedule_type.value,
            "scheduled_at": f"{at.astimezone(ZoneInfo(settings.time_zone)):%Y-%m-%dT%H:%M}" if at else "",
            "fallback_values": "\n".join(
                f"{name} = {text}" for name, text in settings.fallback_values.items()
            ),
        }
    )


def day_options(settings: CampaignSettings) -> list[Option]:
    """Return the days of the week, ticked as set."""
    days = settings.allowed_days or range(1, 8)
    return [Option(f"day_{day}", name, day in days) for day, name in enumerate(DAYS, start=1)]


def retry_options(settings: CampaignSettings) -> list[Option]:
    """Return the outcomes that may be retried, ticked as set."""
    return [
        Option(f"retry_{outcome.value}", words, outcome in _retried(settings))
        for outcome, words in OUTCOMES.items()
    ]


def changes_asked(
    form: Mapping[str, Any], settings: CampaignSettings, pool_ids: Sequence[int]
) -> dict[str, Any]:
    """Return what the form changes, and nothing else: what others changed meanwhile stays."""
    before, finer = form_of(settings), finer_values(settings)
    changes: dict[str, Any] = {
        name: written(form, name) or None
        for name, text in before.items()
        if name not in finer and name in form and written(form, name) != text.strip()
    }
    for name in changes.keys() & {"agent_id", "phone_number_id"}:
        changes[name] = chosen_id(form, name)
    for name in changes.keys() & {"description", SMS_TEMPLATE, *TEMPLATES}:
        changes[name] = written(form, name)
    if "fallback_values" in changes:
        changes["fallback_values"] = _pairs(written(form, "fallback_values"))
    if "scheduled_at" in changes and written(form, "schedule_type") != ScheduleType.SCHEDULED.value:
        del changes["scheduled_at"]
    return changes | _ticks_asked(form, settings, pool_ids) | _finer_asked(form, finer)


def _finer_asked(form: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form asks for beside what it would ask for untouched."""
    untouched = finer_changes(
        {name: text for name, text in before.items() if name in form or text == ON}, before
    )
    return {
        name: value for name, value in finer_changes(form, before).items() if untouched.get(name) != value
    }


def _ticks_asked(
    form: Mapping[str, Any], settings: CampaignSettings, pool_ids: Sequence[int]
) -> dict[str, Any]:
    days = tuple(day for day in range(1, 8) if ticked(form, f"day_{day}"))
    outcomes = {outcome for outcome in OUTCOMES if ticked(form, f"retry_{outcome.value}")}
    pool = tuple(number for number in pool_ids if ticked(form, f"pool_{number}"))
    asked: dict[str, Any] = {}
    if days != (settings.allowed_days or tuple(range(1, 8))):
        asked["allowed_days"] = days
    if outcomes != _retried(settings):
        asked["retry_on"] = _retry_on(settings, outcomes)
    if set(pool) != set(settings.number_pool):
        asked["number_pool"] = pool
    detection = ticked(form, "enable_voicemail_detection")
    if settings.channel is Channel.CALL and detection != settings.enable_voicemail_detection:
        asked["enable_voicemail_detection"] = detection
    return asked


def _retried(settings: CampaignSettings) -> set[RetryOutcome]:
    return {outcome for outcome in OUTCOMES if DISPOSITIONS_OF[outcome] & set(settings.retry_on)}


def _retry_on(settings: CampaignSettings, outcomes: set[RetryOutcome]) -> tuple[Disposition, ...]:
    """Return the dispositions of these ticks; those that no tick covers stay."""
    covered = frozenset[Disposition]().union(*DISPOSITIONS_OF.values())
    kept = {one for one in settings.retry_on if one not in covered}
    return tuple(sorted(kept.union(*(DISPOSITIONS_OF[outcome] for outcome in outcomes))))


def _pairs(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _basics(detail: CampaignDetail) -> list[Fact]:
    settings, labels = detail.settings, detail.number_labels
    pool = ", ".join(labels.get(number, "") for number in settings.number_pool)
    chosen = labels.get(settings.phone_number_id or 0, "The agent's default, else the organization's")
    inactive = "" if detail.agent_active is not False else " (switched off)"
    return [
        Fact("Name", settings.name),
        Fact("Description", settings.description or NOTHING),
        Fact("Channel", "Text message" if settings.channel is Channel.SMS else "Call"),
        Fact("Agent", f"{detail.agent_name}{inactive}" if detail.agent_name else "None chosen"),
        Fact("Number pool", pool) if pool else Fact("Caller ID", chosen),
    ]


def _message(settings: CampaignSettings) -> list[Fact]:
    names = {SMS_TEMPLATE: "Text message"} if settings.channel is Channel.SMS else TEMPLATES
    facts = [Fact(words, getattr(settings, name) or NOTHING) for name, words in names.items()]
    fallbacks = "\n".join(f"{name} = {text}" for name, text in settings.fallback_values.items())
    return [
        *facts,
        Fact("Missing values", MISSING[settings.missing]),
        Fact("Fallback values", fallbacks or NOTHING),
    ]


def _calls_pace(settings: CampaignSettings) -> list[Fact]:
    throttle = f"{settings.throttle_delay_ms:,} ms" if settings.throttle_delay_ms else "None"
    return [
        Fact("Calls at once", f"{settings.concurrent_limit:,}"),
        Fact("Calls per minute", f"{settings.rate_limit_per_minute:,}"),
        Fact("Pause between starts", throttle),
        Fact("Ring for", f"{settings.ring_timeout_seconds} seconds"),
        Fact("Longest call", f"{settings.time_limit_seconds:,} seconds"),
        Fact("Voicemail detection", "On" if settings.enable_voicemail_detection else "Off"),
    ]


def _texts_pace(settings: CampaignSettings) -> list[Fact]:
    return [Fact("Messages per second", f"{settings.messages_per_second:,}")]


def _retries(settings: CampaignSettings) -> list[Fact]:
    retried = [OUTCOMES[outcome] for outcome in OUTCOMES if outcome in _retried(settings)]
    return [
        Fact("Attempts in all", counted(settings.max_attempts, "attempt", "attempts")),
        *retry_facts(settings),
        Fact("Retry after", ", ".join(retried) or "Nothing"),
    ]


def _when(settings: CampaignSettings, now: datetime) -> list[Fact]:
    open_all_day = settings.allowed_start == settings.allowed_end
    hours = "Any time" if open_all_day else f"{settings.allowed_start} to {settings.allowed_end}"
    days = ", ".join(DAYS[day - 1] for day in settings.allowed_days) or "Every day"
    start = "When somebody presses Start"
    if settings.schedule_type is ScheduleType.SCHEDULED:
        at = moment(settings.scheduled_at, settings.time_zone, now=now)
        start = f"{at.text} {at.zone}" if at.text else "Scheduled, no time chosen"
    return [
        Fact("Time zone", settings.time_zone),
        Fact("Calling hours", hours),
        Fact("Days", days),
        Fact("Start", start),
    ]
