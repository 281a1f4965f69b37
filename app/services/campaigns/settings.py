"""Everything of a campaign that a person may set, with its defaults, as one flat value."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from app.domain.attempt import Disposition
from app.domain.breaker import BreakerPolicy
from app.domain.calling_hours import ALWAYS, EVERY_DAY, CallingHours, is_zone
from app.domain.campaign import Channel, CompanyMeaning, ScheduleType
from app.domain.pool import NumberStrategy
from app.domain.retry import RetryOutcome, delays_from
from app.domain.templates import Missing
from app.models import Campaign, Step

RETRY_ON_DEFAULT: Final = (Disposition.NO_ANSWER, Disposition.BUSY, Disposition.CARRIER_ERROR)
"""Tried again unless the campaign says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """All editable fields. Times of day are "HH:MM" in `time_zone`; days are ISO (1 = Monday)."""

    name: str = ""
    description: str = ""
    channel: Channel = Channel.CALL
    agent_id: int | None = None
    phone_number_id: int | None = None
    """The caller ID; None with a pool, or to use the agent's default, else the organization's."""
    number_pool: tuple[int, ...] = ()
    number_strategy: NumberStrategy = NumberStrategy.ROUND_ROBIN
    """Which number of the pool a call shows."""
    welcome_message_template: str = ""
    agenda_template: str = ""
    question_template: str = ""
    end_call_message_template: str = ""
    sms_message_template: str = ""
    fallback_values: Mapping[str, str] = field(default_factory=dict)
    missing: Missing = Missing.FALLBACK
    company_meaning: CompanyMeaning = CompanyMeaning.ORGANIZATION
    schedule_type: ScheduleType = ScheduleType.IMMEDIATE
    scheduled_at: datetime | None = None
    time_zone: str = "America/New_York"
    allowed_start: str | None = None
    allowed_end: str | None = None
    """An end at or before the start is on the next day; 00:00 to 00:00 is all day."""
    allowed_days: tuple[int, ...] = ()
    """Empty is every day."""
    concurrent_limit: int = 5
    rate_limit_per_minute: int = 10
    throttle_delay_ms: int = 0
    messages_per_second: int = 1
    max_attempts: int = 3
    """In all, the first try included."""
    retry_delay_minutes: int = 30
    """Before every retry while there are no `retry_delays`; with them, the first of the list."""
    retry_delays: tuple[int, ...] = ()
    """Minutes before the 2nd, 3rd ... attempt, the last for all that follow."""
    retry_delays_by_outcome: Mapping[RetryOutcome, tuple[int, ...]] = field(default_factory=dict)
    """Lists of their own; an outcome without one waits as all do."""
    retry_back_off: bool = False
    """Each delay past the list's end is twice the one before."""
    retry_other_number: bool = False
    """A retry shows another number of the pool than the attempt before, when there is one."""
    retry_on: tuple[Disposition, ...] = RETRY_ON_DEFAULT
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    """The signs that pause it."""
    weight: int = 1
    """Its share of the organization's slots beside other campaigns that want them."""
    pilot_size: int = 0
    """Dial so many, then wait for a person; 0 is no pilot."""
    ramp: bool = False
    """Guarded: a small share of the people first, the rest only if the rates hold."""
    budget_cap: Decimal | None = None
    """Most it may cost, in the carrier account's currency, calls in flight counted; None is no cap."""
    ring_timeout_seconds: int = 30
    time_limit_seconds: int = 600
    enable_voicemail_detection: bool = True


NAMES: Final = tuple(part.name for part in fields(CampaignSettings))
DEFAULTS: Final = CampaignSettings()
"""What a campaign has unless it is told otherwise: by the API, and in the browser but for `WORKING_HOURS`."""
WORKING_HOURS: Final[Mapping[str, Any]] = {
    "allowed_start": "09:00",
    "allowed_end": "18:00",
    "allowed_days": (1, 2, 3, 4, 5),
}
"""The calling hours of a campaign begun in the browser, where any time is by choice only.

One that the API makes without hours is open at any hour.
"""

_ON_STEP: Final = frozenset(
    {
        "welcome_message_template",
        "agenda_template",
        "question_template",
        "end_call_message_template",
        "sms_message_template",
    }
)


def settings_of(campaign: Campaign, step: Step, pool: Sequence[int]) -> CampaignSettings:
    """Return the settings as the rows hold them; one that cannot be read has its default, and is in `unreadable`."""
    values: dict[str, Any] = {
        name: getattr(step if name in _ON_STEP else campaign, name) for name in NAMES if name != "number_pool"
    }
    return CampaignSettings(
        **values | {"number_pool": tuple(pool)} | {name: _read(name, values[name]) for name in _READ}
    )


def unreadable(campaign: Campaign) -> dict[str, str]:
    """Return which settings the campaign's row does not hold in a way that can be read: field -> what to do.

    Nobody is called by a guess, so such a campaign fails. The product never stores one; what else writes to its
    database may.
    """
    found = {name for name in _READ if not _is_readable(name, getattr(campaign, name))}
    found |= set() if is_zone(campaign.time_zone) else {"time_zone"}
    return {name: f"The {_CALLED[name]} cannot be read. Set it anew." for name in sorted(found)}


def delays_of(settings: CampaignSettings) -> tuple[int, ...]:
    """Return the minutes before the 2nd, 3rd ... attempt: the list, or the single delay."""
    return settings.retry_delays or (settings.retry_delay_minutes,)


def calling_hours_of(settings: CampaignSettings) -> CallingHours:
    """Return the window in which people may be reached. Raises `CallingHoursInvalid`."""
    days = frozenset(settings.allowed_days) or EVERY_DAY
    if settings.allowed_start is None or settings.allowed_end is None:
        return CallingHours(ALWAYS.start, ALWAYS.end, days)
    start, end = map(time.fromisoformat, (settings.allowed_start, settings.allowed_end))
    return CallingHours(start, end, days)


def write_settings(settings: CampaignSettings, campaign: Campaign, step: Step) -> None:
    """Put the settings into the rows; the number pool has rows of its own."""
    for name in NAMES:
        if name != "number_pool":
            setattr(step if name in _ON_STEP else campaign, name, _stored(name, getattr(settings, name)))
    step.channel = settings.channel


_NOT_READABLE: Final = (ValueError, TypeError, AttributeError)


def _days(stored: Iterable[str]) -> tuple[int, ...]:
    days = tuple(int(day) for day in stored)
    if not set(days) <= EVERY_DAY:
        raise ValueError("days are 1 to 7")
    return days


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "allowed_start": lambda at: at and at.strftime("%H:%M"),
    "allowed_end": lambda at: at and at.strftime("%H:%M"),
    "allowed_days": _days,
    "fallback_values": lambda values: dict(values.items()),
    "retry_on": lambda dispositions: tuple(Disposition(disposition) for disposition in dispositions),
    "retry_delays": delays_from,
    "retry_delays_by_outcome": lambda lists: {
        RetryOutcome(outcome): delays_from(delays) for outcome, delays in lists.items()
    },
    "breaker": BreakerPolicy.from_json,
}
"""Settings that are values of their own, from what the columns hold: the other way round than `_STORED`."""

_CALLED: Final[Mapping[str, str]] = {
    "allowed_start": "start of the calling hours",
    "allowed_end": "end of the calling hours",
    "allowed_days": "list of calling days",
    "time_zone": "time zone",
    "fallback_values": "list of fallback values",
    "retry_on": "list of outcomes that are tried again",
    "retry_delays": "list of waits before a retry",
    "retry_delays_by_outcome": "list of waits by outcome",
    "breaker": "list of signs that pause the campaign",
}


def _read(name: str, stored: Any) -> Any:
    try:
        return _READ[name](stored)
    except _NOT_READABLE:
        return getattr(DEFAULTS, name)


def _is_readable(name: str, stored: Any) -> bool:
    try:
        _READ[name](stored)
    except _NOT_READABLE:
        return False
    return True


def _stored(name: str, value: Any) -> Any:
    return _STORED[name](value) if name in _STORED and value is not None else value


_STORED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "allowed_start": time.fromisoformat,
    "allowed_end": time.fromisoformat,
    "allowed_days": lambda days: [str(day) for day in days],
    "retry_on": lambda dispositions: [str(disposition) for disposition in dispositions],
    "fallback_values": dict,
    "breaker": BreakerPolicy.to_json,
    "retry_delays": list,
    "retry_delays_by_outcome": lambda lists: {
        str(outcome): list(delays) for outcome, delays in lists.items()
    },
}
"""What the columns hold of settings that are values of their own."""
