"""Everything of a campaign that a person may set: each setting is declared here, and nowhere else.

A new one needs its column, a migration, its declaration, and a box in a form.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from app.domain.attempt import Disposition
from app.domain.breaker import BreakerPolicy
from app.domain.calling_hours import (
    EVERY_DAY,
    CallingHours,
    CallingHoursInvalid,
    HoursClock,
    Window,
    one_window,
)
from app.domain.campaign import Channel, CompanyMeaning, Purpose, ScheduleType
from app.domain.pool import NumberStrategy
from app.domain.recurrence import RecurringPlan
from app.domain.retry import RetryOutcome
from app.domain.templates import Missing
from app.services.campaigns import setting_readers as read
from app.services.campaigns import setting_storage as storage
from app.services.campaigns.setting_declaration import KEY, Group, Setting, setting
from app.services.field_readers import Unacceptable, amount, text_of, whole, word, yes_or_no

RETRY_ON_DEFAULT: Final = (Disposition.NO_ANSWER, Disposition.BUSY, Disposition.CARRIER_ERROR)
"""Tried again unless the campaign says otherwise."""

_CAMPAIGN, _MESSAGE, _START, _HOURS, _PACE = (
    Group.CAMPAIGN,
    Group.MESSAGE,
    Group.START,
    Group.HOURS,
    Group.PACE,
)
_SPOKEN: Final[Mapping[str, Any]] = {"on_step": True, "blank_is_null": True, "channel": Channel.CALL}
_WRITTEN: Final[Mapping[str, Any]] = {"on_step": True, "blank_is_null": True, "channel": Channel.SMS}
_NONE_OF_THEIR_OWN: Final[Mapping[RetryOutcome, tuple[int, ...]]] = MappingProxyType({})
_NO_FALLBACKS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """All editable fields. Times of day are "HH:MM" on the clock of the calling hours; days are ISO (1 = Monday)."""

    name: str = setting(
        "",
        text_of(200, required="Give the campaign a name."),
        _CAMPAIGN,
        "{limits}.",
        null_is_default=False,
    )
    description: str = setting("", text_of(2_000), _CAMPAIGN, blank_is_null=True)
    channel: Channel = setting(Channel.CALL, read.CHANNEL, _CAMPAIGN, examples=("call", "sms"))
    purpose: Purpose = setting(
        Purpose.INFORMATIONAL,
        word(Purpose),
        _CAMPAIGN,
        "`informational`: everybody who did not refuse consent. `marketing`: only people whose consent is on record. "
        "Default {default}.",
        examples=tuple(Purpose),
    )
    agent_id: int | None = setting(None, read.ROW, _CAMPAIGN, "The agent who speaks.", names_rows=True)
    phone_number_id: int | None = setting(
        None,
        read.ROW,
        _CAMPAIGN,
        "The caller ID; without one the assistant's, else the organization's default.",
        names_rows=True,
    )
    """None also with a pool."""
    number_pool: tuple[int, ...] = setting(
        (), read.ROWS, _CAMPAIGN, "Caller IDs to rotate over.", names_rows=True, own_rows=True
    )
    welcome_message_template: str = setting(
        "",
        read.TEMPLATE,
        _MESSAGE,
        "The greeting. Without one the assistant's greeting is said.",
        part="welcome",
        **_SPOKEN,
    )
    agenda_template: str = setting("", read.TEMPLATE, _MESSAGE, part="agenda", **_SPOKEN)
    question_template: str = setting("", read.TEMPLATE, _MESSAGE, part="question", **_SPOKEN)
    end_call_message_template: str = setting("", read.TEMPLATE, _MESSAGE, part="closing", **_SPOKEN)
    sms_message_template: str = setting("", read.TEMPLATE, _MESSAGE, part="body", **_WRITTEN)
    fallback_values: Mapping[str, str] = setting(
        _NO_FALLBACKS, read.FALLBACKS, _MESSAGE, stored=storage.FALLBACKS
    )
    missing: Missing = setting(
        Missing.FALLBACK,
        word(Missing),
        _MESSAGE,
        "Missing values. Default {default}.",
        examples=("fallback", "keep", "blank", "skip"),
    )
    company_meaning: CompanyMeaning = setting(
        CompanyMeaning.ORGANIZATION, word(CompanyMeaning), Group.NOT_OFFERED
    )
    schedule_type: ScheduleType = setting(
        ScheduleType.IMMEDIATE, word(ScheduleType), _START, examples=tuple(ScheduleType)
    )
    scheduled_at: datetime | None = setting(
        None,
        read.MOMENT,
        _START,
        "ISO 8601 with an offset, in the future. Of a recurring campaign: its next occurrence, not to be sent.",
        examples=("2030-02-15T09:00:00-05:00",),
    )
    recurring_config: RecurringPlan | None = setting(
        None,
        read.PLAN,
        _START,
        "When a recurring campaign runs, and for whom. Sent as a whole: what is left out has its default.",
        examples=(
            {
                "frequency": "weekly",
                "interval": 1,
                "days_of_week": [1, 2, 3, 4, 5],
                "time": "09:00",
                "time_zone": "America/New_York",
                "end_date": "2030-12-31",
            },
        ),
        stored=storage.PLAN,
    )
    time_zone: str = setting("America/New_York", read.TIME_ZONE, _START, examples=("America/New_York",))
    allowed_start: str | None = setting(
        None, read.TIME_OF_DAY, _HOURS, examples=("09:00",), stored=storage.START_OF_HOURS
    )
    allowed_end: str | None = setting(
        None,
        read.TIME_OF_DAY,
        _HOURS,
        "At or before `start`: on the next day.",
        examples=("17:00",),
        stored=storage.END_OF_HOURS,
    )
    """00:00 to 00:00 is all day."""
    allowed_days: tuple[int, ...] = setting(
        (),
        read.DAYS,
        _HOURS,
        "Names, or ISO numbers: 1 is Monday.",
        examples=(["monday", "tuesday"],),
        stored=storage.DAYS,
    )
    """Empty is every day."""
    calling_windows: tuple[Window, ...] = setting(
        (),
        read.WINDOWS,
        _HOURS,
        "Several windows, each with `start`, `end` and `days`. Empty: the one of `start`, `end` and `days`, which are "
        "else the first of them.",
        examples=([{"start": "10:00", "end": "12:00"}, {"start": "14:00", "end": "16:00"}],),
        stored=storage.WINDOWS,
    )
    calling_clock: HoursClock = setting(
        HoursClock.CAMPAIGN,
        word(HoursClock),
        _HOURS,
        "Whose clock these hours are on: the `campaign`'s time zone, or each `contact`'s own. Default {default}.",
        examples=tuple(HoursClock),
    )
    max_attempts: int = setting(
        3, whole(1, read.MOST_ATTEMPTS), _PACE, "In all, the first included. Default {default}."
    )
    retry_delay_minutes: int = setting(
        30,
        whole(0, read.LONGEST_RETRY_DELAY_MINUTES),
        _PACE,
        "Before every retry. Default {default}. Sent without `retry_delays`, it replaces them.",
    )
    retry_delays: tuple[int, ...] = setting(
        (),
        read.DELAYS,
        _PACE,
        "Minutes before the 2nd, 3rd ... attempt, the last for all that follow. Empty: "
        "`retry_delay_minutes`, which is else the first of them.",
        examples=([30, 60, 120],),
        stored=storage.DELAYS,
    )
    retry_delays_by_outcome: Mapping[RetryOutcome, tuple[int, ...]] = setting(
        _NONE_OF_THEIR_OWN,
        read.DELAYS_BY_OUTCOME,
        _PACE,
        "Lists of their own for no_answer, busy, failed or voicemail.",
        examples=({"busy": [5, 15], "no_answer": [60]},),
        stored=storage.DELAYS_BY_OUTCOME,
    )
    retry_back_off: bool = setting(
        False,
        yes_or_no(),
        _PACE,
        "Each delay past the list's end is twice the one before. Default {default}.",
    )
    retry_other_number: bool = setting(
        False,
        yes_or_no(),
        _PACE,
        "A retry shows another number of the pool, when there is one. Default {default}.",
    )
    """Another than the attempt before."""
    retry_on: tuple[Disposition, ...] = setting(
        RETRY_ON_DEFAULT,
        read.RETRY_ON,
        _PACE,
        examples=(["no_answer", "busy", "failed"],),
        stored=storage.RETRY_ON,
    )
    number_strategy: NumberStrategy = setting(
        NumberStrategy.ROUND_ROBIN,
        word(NumberStrategy),
        _PACE,
        "Which number of the pool a call shows. Default {default}.",
        examples=tuple(NumberStrategy),
    )
    weight: int = setting(
        1,
        whole(1, 100),
        _PACE,
        "{limits}: its share of the organization's slots beside campaigns that want them too. "
        "Default {default}.",
    )
    pilot_size: int = setting(
        0, whole(0, 1_000_000), _PACE, "Dial so many, then wait for a person. Default {default}: none."
    )
    ramp: bool = setting(
        False,
        yes_or_no(),
        _PACE,
        "Dial 2%, 10%, 50%, then all, each step only if the rates hold. Default {default}.",
    )
    budget_cap: Decimal | None = setting(
        None,
        amount(read.MOST_BUDGET),
        _PACE,
        "Most it may cost, all runs together, in the carrier account's currency, calls in flight counted. "
        "Default {default}: no cap.",
        examples=(99.5,),
    )
    breaker: BreakerPolicy = setting(
        BreakerPolicy(),
        read.BREAKER,
        _PACE,
        "Sent as a whole: what is left out has its default, as has null.",
        stored=storage.BREAKER,
    )
    """The signs that pause it."""
    concurrent_limit: int = setting(
        5, whole(1, 1_000), _PACE, "Calls at once. Default {default}.", channel=Channel.CALL
    )
    rate_limit_per_minute: int = setting(
        10, whole(1, 10_000), _PACE, "Calls per minute. Default {default}.", channel=Channel.CALL
    )
    throttle_delay_ms: int = setting(
        0,
        whole(0, read.LONGEST_THROTTLE_MS),
        _PACE,
        "Pause between starts. Default {default}.",
        channel=Channel.CALL,
    )
    messages_per_second: int = setting(1, whole(1, 100), _PACE, "Default {default}.", channel=Channel.SMS)
    ring_timeout_seconds: int = setting(
        30,
        whole(15, 120),
        _PACE,
        "Ring for so long before it counts as no answer. Default {default}.",
        channel=Channel.CALL,
    )
    time_limit_seconds: int = setting(
        600, whole(30, 14_400), _PACE, "Longest call. Default {default}.", channel=Channel.CALL
    )
    enable_voicemail_detection: bool = setting(
        True,
        yes_or_no(),
        Group.VOICEMAIL,
        channel=Channel.CALL,
    )


SETTINGS: Final[Mapping[str, Setting]] = {
    part.name: replace(part.metadata[KEY], name=part.name) for part in fields(CampaignSettings)
}
"""The declaration of every setting, by its name."""
DEFAULTS: Final = CampaignSettings()
"""What a campaign has unless it is told otherwise: by the API, and in the browser but for `WORKING_HOURS`."""
WORKING_HOURS: Final[Mapping[str, Any]] = {
    "allowed_start": "09:00",
    "allowed_end": "18:00",
    "allowed_days": (1, 2, 3, 4, 5),
    "calling_clock": HoursClock.CONTACT,
}
"""The calling hours of a campaign begun in the browser, where any time is by choice only: by each contact's own clock.

One that the API makes without hours is open at any hour that the law allows.
"""


def read_setting(name: str, raw: Any) -> Any:
    """Return one setting's value of what was sent. Raises `Unacceptable`, also for a name that is no setting's."""
    if name not in SETTINGS:
        raise Unacceptable("A campaign has no such setting.")
    return SETTINGS[name].read(raw)


def parts_of(channel: Channel) -> dict[str, str]:
    """Return key of the rendered text -> the setting that is its template, of all that the channel says."""
    return {each.part: name for name, each in SETTINGS.items() if each.part and each.channel is channel}


def delays_of(settings: CampaignSettings) -> tuple[int, ...]:
    """Return the minutes before the 2nd, 3rd ... attempt: the list, or the single delay."""
    return settings.retry_delays or (settings.retry_delay_minutes,)


def calling_hours_of(settings: CampaignSettings) -> CallingHours:
    """Return the hours in which people may be reached. Raises `CallingHoursInvalid`."""
    return CallingHours(settings.calling_windows or _one_window(settings), settings.calling_clock)


def _one_window(settings: CampaignSettings) -> tuple[Window, ...]:
    """Return the window of start, end and days; none if it is open at any hour."""
    start, end = (
        time.fromisoformat(at) if at is not None else None
        for at in (settings.allowed_start, settings.allowed_end)
    )
    return one_window(start, end, frozenset(settings.allowed_days))


def field_of_hours(settings: CampaignSettings) -> str:
    """Return the setting to change if the hours will not do; `contacts` if there are none."""
    if settings.calling_windows:
        return "calling_windows"
    return "allowed_start" if _one_window(settings) else "contacts"


def one_hours(settings: CampaignSettings, changed: Container[str]) -> CampaignSettings:
    """Keep the one window and the list of windows consistent: what was set decides the other."""
    if any(name in changed for name in _OF_ONE_WINDOW):
        return settings if "calling_windows" in changed else replace(settings, calling_windows=())
    if "calling_windows" not in changed or not settings.calling_windows:
        return settings
    first = settings.calling_windows[0]
    return replace(
        settings,
        allowed_start=f"{first.start:%H:%M}",
        allowed_end=f"{first.end:%H:%M}",
        allowed_days=() if first.days == EVERY_DAY else tuple(sorted(first.days)),
    )


_OF_ONE_WINDOW: Final = ("allowed_start", "allowed_end", "allowed_days")


def why_hours_are_wrong(settings: CampaignSettings) -> dict[str, str]:
    """Return what to change in the calling hours: setting -> why; nothing if they are good."""
    start, end = settings.allowed_start, settings.allowed_end
    if (start is None) != (end is None):
        lacking = "allowed_start" if start is None else "allowed_end"
        return {lacking: "Say when calling hours begin and end, or leave both open."}
    try:
        window = _one_window(settings)
    except CallingHoursInvalid as problem:
        return {f"allowed_{problem.field}": str(problem)}
    if settings.calling_windows and window != settings.calling_windows[:1]:
        return {
            "calling_windows": "The first window differs from start, end and days. Send only one of both."
        }
    return {}
