"""Readers of a campaign's settings. Each takes any value of a form or a JSON body, or says what to change."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from app.domain.attempt import Disposition
from app.domain.breaker import BreakerInvalid, BreakerPolicy
from app.domain.calling_hours import DAY_NAMES, EVERY_DAY, CallingHoursInvalid, Window, parse_window
from app.domain.campaign import Channel
from app.domain.recurrence import RecurrenceInvalid, RecurringPlan
from app.domain.retry import DISPOSITIONS_OF, RETRIABLE, RetryOutcome
from app.domain.templates import TemplateInvalid, check, variable_name
from app.domain.text import is_blank
from app.domain.time_zones import ZoneRefused, read_zone
from app.services.field_readers import Reader, Unacceptable, items, plain_text, whole_list, word_of
from app.services.refs import Ref

MOST_FALLBACKS: Final = 100
LONGEST_FALLBACK: Final = 500
LONGEST_RETRY_DELAY_MINUTES: Final = 43_200
MOST_ATTEMPTS: Final = 20
MOST_BUDGET: Final = Decimal(1000000000)
LONGEST_THROTTLE_MS: Final = 3_600_000
MOST_WINDOWS: Final = 28
"""Four a day, each day different."""


def template_problem(error: TemplateInvalid) -> str:
    """Return a template's error with its place."""
    place = f"Column {error.column}" if error.line == 1 else f"Line {error.line}, column {error.column}"
    return f"{place}: {error.message}"


def _as_sent(raw: Any) -> Any:
    return raw


def _template(raw: Any) -> str:
    """Read a template. A blank one becomes empty."""
    text = plain_text(raw)
    if is_blank(text):
        return ""
    try:
        check(text)
    except TemplateInvalid as error:
        raise Unacceptable(template_problem(error)) from None
    return text


def _word_but(words: type[StrEnum], unavailable: str, why: str) -> Reader:
    """Return the reader of one of an enum's values, except a word that is not available yet; `why` says so."""

    def read(raw: Any) -> StrEnum:
        if raw == unavailable:
            raise Unacceptable(why)
        return word_of(words, raw)

    return Reader(read, str)


def _moment(raw: Any) -> datetime | None:
    """Read a time, or text in ISO 8601. The operation checks whether it has passed."""
    try:
        at = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw).strip())
        return at if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unacceptable("Enter a date and time such as 2026-03-01T09:00:00-05:00.") from None


def _time_zone(raw: Any) -> str:
    try:
        return read_zone(raw if isinstance(raw, str) else "")
    except ZoneRefused as refused:
        raise Unacceptable(str(refused)) from None


def _time_of_day(raw: Any) -> str | None:
    """Read a wall-clock time. 24:00, the end of a day, becomes 00:00."""
    if raw == "":
        return None
    if isinstance(raw, str) and raw.strip() in {"24:00", "24:00:00"}:
        return "00:00"
    text = str(raw).strip()
    padded = f"0{text}" if re.fullmatch(r"\d:\d\d(:\d\d)?", text) else text
    try:
        at = raw if isinstance(raw, time) else time.fromisoformat(padded)
    except ValueError:
        raise Unacceptable("Enter a time such as 09:00 or 17:30.") from None
    if at.tzinfo is not None:
        raise Unacceptable(
            "Enter a time without an offset, such as 09:00: it is on the clock that calling hours go by."
        )
    return at.strftime("%H:%M")


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


def _windows(raw: Any) -> tuple[Window, ...]:
    """Read several windows. What is wrong is named by its place in the list: `0.start`."""
    given = list(items(raw))
    if len(given) > MOST_WINDOWS:
        raise Unacceptable(f"At most {MOST_WINDOWS} windows; these are {len(given)}.")
    windows: list[Window] = []
    wrong: dict[str, str] = {}
    for place, each in enumerate(given):
        try:
            windows.append(_window(each))
        except CallingHoursInvalid as problem:
            wrong[f"{place}.{problem.field}"] = str(problem)
        except Unacceptable as problem:
            wrong[str(place)] = str(problem)
    if wrong:
        raise Unacceptable("Some of these windows cannot be taken.", parts=wrong)
    return tuple(windows)


def _window(raw: Any) -> Window:
    if isinstance(raw, Window):
        return raw
    if not isinstance(raw, Mapping) or (unknown := sorted(map(str, raw.keys() - _OF_A_WINDOW))):
        also = f" Not known: {', '.join(unknown)[:80]}." if isinstance(raw, Mapping) else ""
        raise Unacceptable(f"Give start, end and days.{also}")
    return parse_window(raw)


_OF_A_WINDOW: Final = frozenset({"start", "end", "days"})


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


DELAYS: Final = whole_list(0, LONGEST_RETRY_DELAY_MINUTES, longest=MOST_ATTEMPTS - 1, example="30, 60, 120")


def _delays_by_outcome(raw: Any) -> dict[RetryOutcome, tuple[int, ...]]:
    """Read lists by outcome. An empty list is left out."""
    if not isinstance(raw, Mapping):
        raise Unacceptable("Enter an object of outcomes and lists of minutes.")
    read: dict[RetryOutcome, tuple[int, ...]] = {}
    wrong: dict[str, str] = {}
    for name, given in raw.items():
        if name not in set(RetryOutcome):
            wrong[str(name)[:40]] = f"This is no outcome. Choose from: {', '.join(RetryOutcome)}."
            continue
        try:
            read[RetryOutcome(name)] = DELAYS(given) if given is not None else ()
        except Unacceptable as problem:
            wrong[str(name)[:40]] = str(problem)
    if wrong:
        raise Unacceptable("Some of these delays cannot be taken.", parts=wrong)
    return {outcome: read[outcome] for outcome in RetryOutcome if read.get(outcome)}


def _breaker(raw: Any) -> BreakerPolicy:
    """Read the limits of the signs: numbers, or texts of a form."""
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
    """Return the number that a form's text means. Any other value is returned as it is: the policy refuses it."""
    try:
        number = float(raw) if isinstance(raw, str) else raw
    except ValueError:
        return raw
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _plan(raw: Any) -> RecurringPlan | None:
    """Read the schedule of a recurring campaign: an object, whose numbers may be texts of a form."""
    if raw is None or raw == "" or isinstance(raw, RecurringPlan):
        return raw or None
    if not isinstance(raw, Mapping):
        raise Unacceptable("Enter an object with frequency, time and time_zone.")
    given = {str(name)[:40]: _plain(value) for name, value in raw.items() if value not in (None, "")}
    try:
        return RecurringPlan.from_json(given)
    except RecurrenceInvalid as problem:
        raise Unacceptable(str(problem), parts=problem.errors) from None


def _plain(raw: Any) -> Any:
    """Return the whole numbers that a form's texts mean. Any other value is returned as it is."""
    if isinstance(raw, list | tuple):
        return [_plain(each) for each in raw]
    return int(raw) if isinstance(raw, str) and re.fullmatch(r"\d{1,18}", raw, re.ASCII) else raw


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


ROW: Final = Reader(_as_sent, Ref, int)
"""An id in either form. The operation looks it up."""
ROWS: Final = Reader(_as_sent, list[Ref], list[int])
TEMPLATE: Final = Reader(_template, str)
CHANNEL: Final = _word_but(
    Channel,
    Channel.MIXED,
    "Campaigns that both call and text are not available yet: choose call or sms.",
)
MOMENT: Final = Reader(_moment, datetime)
TIME_ZONE: Final = Reader(_time_zone, str)
TIME_OF_DAY: Final = Reader(_time_of_day, str)
DAYS: Final = Reader(_days, list[Any], list[str])
WINDOWS: Final = Reader(_windows, list[Any], list[dict[str, Any]])
RETRY_ON: Final = Reader(_retry_on, list[str])
DELAYS_BY_OUTCOME: Final = Reader(
    _delays_by_outcome, dict[str, list[int] | None], dict[str, list[int]], limits=DELAYS.limits
)
PLAN: Final = Reader(_plan, RecurringPlan)
BREAKER: Final = Reader(_breaker, BreakerPolicy)
FALLBACKS: Final = Reader(_fallbacks, dict[str, Any], dict[str, str])
