"""What callers send as a campaign's settings, read into values or explained field by field.

Each field has one reader: it takes whatever a form or a JSON body may hold and gives the value, or raises
`Unacceptable` with what to change. None puts a field back to its default.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from app.domain.attempt import Disposition
from app.domain.breaker import BreakerInvalid, BreakerPolicy
from app.domain.calling_hours import DAY_NAMES, EVERY_DAY
from app.domain.campaign import Channel, CompanyMeaning, ScheduleType
from app.domain.pool import NumberStrategy
from app.domain.retry import DISPOSITIONS_OF, RETRIABLE, RetryOutcome
from app.domain.templates import Missing, TemplateInvalid, check, variable_name
from app.domain.text import is_blank
from app.services.campaigns.field_readers import (
    Reader,
    Unacceptable,
    amount,
    items,
    plain_text,
    text_of,
    whole,
    whole_list,
    word,
    yes_no,
)
from app.services.campaigns.settings import DEFAULTS, NAMES

REFERENCES: Final = frozenset({"agent_id", "phone_number_id", "number_pool"})
"""Read by the operation: they name rows of the organization."""

FIELD_PATHS: Final[Mapping[str, str]] = {
    "allowed_start": "allowed_hours.start",
    "allowed_end": "allowed_hours.end",
    "allowed_days": "allowed_hours.days",
}
"""Settings that the API calls otherwise."""

MOST_FALLBACKS: Final = 100
LONGEST_FALLBACK: Final = 500
LONGEST_RETRY_DELAY_MINUTES: Final = 43_200
MOST_ATTEMPTS: Final = 20
MOST_BUDGET: Final = Decimal(1000000000)
LONGEST_THROTTLE_MS: Final = 3_600_000


def read_changes(changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return (values by setting, errors by API field) of everything but the references to other rows."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, raw in changes.items():
        if name in REFERENCES:
            continue
        try:
            values[name] = read_setting(name, raw)
        except Unacceptable as problem:
            errors |= problem.by_path(field_path(name))
    return values, errors


def read_setting(name: str, raw: Any) -> Any:
    """Return one setting's value. Raises `Unacceptable`."""
    if name not in NAMES:
        raise Unacceptable("A campaign has no such setting.")
    if raw is None and name != "name":
        return getattr(DEFAULTS, name)
    return _READERS[name](raw)


def field_path(name: str) -> str:
    """Return what the API calls a setting."""
    return FIELD_PATHS.get(name, name)


def template_problem(error: TemplateInvalid) -> str:
    """Return a template's error with its place."""
    place = f"Column {error.column}" if error.line == 1 else f"Line {error.line}, column {error.column}"
    return f"{place}: {error.message}"


@lru_cache(maxsize=1)
def known_time_zones() -> frozenset[str]:
    """Return every zone a campaign may be in."""
    return frozenset(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


def moment_in(at: datetime, time_zone: str) -> datetime:
    """Return the moment in UTC; one without an offset is a wall clock's in the campaign's zone."""
    return (at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)


def _template(raw: Any) -> str:
    """Read a template as it is written; a blank one is none."""
    text = plain_text(raw)
    if is_blank(text):
        return ""
    try:
        check(text)
    except TemplateInvalid as error:
        raise Unacceptable(template_problem(error)) from None
    return text


def _channel(raw: Any) -> Channel:
    if raw == Channel.MIXED:
        raise Unacceptable("Campaigns that both call and text are not available yet: choose call or sms.")
    return word(Channel)(raw)


def _schedule_type(raw: Any) -> ScheduleType:
    if raw == "recurring":
        raise Unacceptable("Recurring campaigns are not available yet: choose immediate or scheduled.")
    return word(ScheduleType)(raw)


def _moment(raw: Any) -> datetime | None:
    """Read a time, or text in ISO 8601. Whether it is past, the operation knows."""
    try:
        at = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw).strip())
        return at if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unacceptable("Enter a date and time such as 2026-03-01T09:00:00-05:00.") from None


def _time_zone(raw: Any) -> str:
    zone = raw.strip().replace(" ", "_") if isinstance(raw, str) else ""
    if zone not in known_time_zones():
        raise Unacceptable(f"There is no time zone “{raw}”. Choose one such as America/New_York.")
    return zone


def _time_of_day(raw: Any) -> str | None:
    """Read a wall-clock time; the end of a day, 24:00, is kept as 00:00."""
    if raw == "":
        return None
    if isinstance(raw, str) and raw.strip() in {"24:00", "24:00:00"}:
        return "00:00"
    try:
        at = raw if isinstance(raw, time) else time.fromisoformat(_padded(str(raw).strip()))
    except ValueError:
        raise Unacceptable("Enter a time such as 09:00 or 17:30.") from None
    if at.tzinfo is not None:
        raise Unacceptable(
            "Enter a time without an offset, such as 09:00: it is in the campaign's time zone."
        )
    return at.strftime("%H:%M")


def _padded(text: str) -> str:
    return f"0{text}" if re.fullmatch(r"\d:\d\d(:\d\d)?", text) else text


def _days(raw: Any) -> tuple[int, ...]:
    return tuple(sorted({_day(item) for item in items(raw)}))


_DAY_NUMBERS: Final = {str(day): day for day in EVERY_DAY}


def _day(raw: Any) -> int:
    name = str(raw).strip().lower()
    if name in DAY_NAMES:
        return DAY_NAMES.index(name) + 1
    if name in _DAY_NUMBERS:
        return _DAY_NUMBERS[name]
    raise Unacceptable(f"“{name[:40]}” is no day of the week: use monday to sunday, or 1 (Monday) to 7.")


def _retry_on(raw: Any) -> tuple[Disposition, ...]:
    asked = {disposition for item in items(raw) for disposition in _outcome(item)}
    return tuple(disposition for disposition in Disposition if disposition in asked)


def _outcome(raw: Any) -> frozenset[Disposition]:
    if raw in set(RetryOutcome):
        return DISPOSITIONS_OF[RetryOutcome(raw)]
    if raw in set(RETRIABLE):
        return frozenset({Disposition(raw)})
    offered = ", ".join(sorted({*RetryOutcome, *RETRIABLE}))
    raise Unacceptable(f"“{raw}” is never retried. Choose from: {offered}.")


_delays: Final = whole_list(0, LONGEST_RETRY_DELAY_MINUTES, longest=MOST_ATTEMPTS - 1, example="30, 60, 120")


def _delays_by_outcome(raw: Any) -> dict[RetryOutcome, tuple[int, ...]]:
    """Read lists by outcome; an empty one is none."""
    if not isinstance(raw, Mapping):
        raise Unacceptable("Enter an object of outcomes and lists of minutes.")
    read: dict[RetryOutcome, tuple[int, ...]] = {}
    wrong: dict[str, str] = {}
    for name, given in raw.items():
        try:
            read[_retry_outcome(name)] = _delays(given) if given is not None else ()
        except Unacceptable as problem:
            wrong[str(name)[:40]] = str(problem)
    if wrong:
        raise Unacceptable("Some of these delays cannot be taken.", parts=wrong)
    return {outcome: read[outcome] for outcome in RetryOutcome if read.get(outcome)}


def _retry_outcome(raw: Any) -> RetryOutcome:
    if raw not in set(RetryOutcome):
        raise Unacceptable(f"This is no outcome. Choose from: {', '.join(RetryOutcome)}.")
    return RetryOutcome(raw)


def _breaker(raw: Any) -> BreakerPolicy:
    """Read the signs' limits: numbers, or the texts of a form."""
    if isinstance(raw, BreakerPolicy):
        return raw
    if not isinstance(raw, Mapping):
        raise Unacceptable("Enter an object of limits.")
    given = {str(name)[:40]: _limit(value) for name, value in raw.items() if value is not None}
    try:
        return BreakerPolicy.from_json(given)
    except BreakerInvalid as problem:
        raise Unacceptable(str(problem), parts=problem.errors) from None


def _limit(raw: Any) -> Any:
    """Return the number a text of a form means; anything else as it is, for the policy to judge."""
    try:
        number = float(raw) if isinstance(raw, str) else raw
    except ValueError:
        return raw
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _fallbacks(raw: Any) -> dict[str, str]:
    if not isinstance(raw, Mapping):
        raise Unacceptable("Enter an object of variable names and texts.")
    if len(raw) > MOST_FALLBACKS:
        raise Unacceptable(f"At most {MOST_FALLBACKS} fallback values.")
    return {_variable(name): _fallback(name, value) for name, value in raw.items()}


def _variable(raw: Any) -> str:
    name = variable_name(raw) if isinstance(raw, str) else ""
    if not name:
        raise Unacceptable(f"“{raw}” cannot be the name of a variable: use letters and underscores.")
    return name


def _fallback(name: str, raw: Any) -> str:
    if not isinstance(raw, str | int | float) or isinstance(raw, bool):
        raise Unacceptable(f"The fallback of {name} must be text.")
    text = plain_text(str(raw))
    if len(text) > LONGEST_FALLBACK:
        raise Unacceptable(f"The fallback of {name} is longer than {LONGEST_FALLBACK} characters.")
    return text


_READERS: Final[Mapping[str, Reader]] = {
    "name": text_of(200, required="Give the campaign a name."),
    "description": text_of(2_000),
    "channel": _channel,
    "welcome_message_template": _template,
    "agenda_template": _template,
    "question_template": _template,
    "end_call_message_template": _template,
    "sms_message_template": _template,
    "fallback_values": _fallbacks,
    "missing": word(Missing),
    "company_meaning": word(CompanyMeaning),
    "schedule_type": _schedule_type,
    "scheduled_at": _moment,
    "time_zone": _time_zone,
    "allowed_start": _time_of_day,
    "allowed_end": _time_of_day,
    "allowed_days": _days,
    "concurrent_limit": whole(1, 1_000),
    "rate_limit_per_minute": whole(1, 10_000),
    "throttle_delay_ms": whole(0, LONGEST_THROTTLE_MS),
    "messages_per_second": whole(1, 100),
    "max_attempts": whole(1, MOST_ATTEMPTS),
    "retry_delay_minutes": whole(0, LONGEST_RETRY_DELAY_MINUTES),
    "retry_delays": _delays,
    "retry_delays_by_outcome": _delays_by_outcome,
    "retry_back_off": yes_no,
    "retry_other_number": yes_no,
    "retry_on": _retry_on,
    "number_strategy": word(NumberStrategy),
    "weight": whole(1, 100),
    "pilot_size": whole(0, 1_000_000),
    "ramp": yes_no,
    "budget_cap": amount(MOST_BUDGET),
    "breaker": _breaker,
    "ring_timeout_seconds": whole(15, 120),
    "time_limit_seconds": whole(30, 14_400),
    "enable_voicemail_detection": yes_no,
}
