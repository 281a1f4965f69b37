"""How columns store the settings that are not plain values."""

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any, Final

from app.domain.attempt import Disposition
from app.domain.breaker import BreakerPolicy
from app.domain.calling_hours import EVERY_DAY, Window, parse_window
from app.domain.recurrence import RecurringPlan
from app.domain.retry import RetryOutcome, delays_from
from app.services.campaigns.setting_declaration import Stored, as_json


def _time_of_day(stored: time | None) -> str | None:
    return None if stored is None else stored.strftime("%H:%M")


def _days(stored: Iterable[str]) -> tuple[int, ...]:
    days = tuple(int(day) for day in stored)
    if not set(days) <= EVERY_DAY:
        raise ValueError("days are 1 to 7")
    return days


def _windows(stored: Iterable[Mapping[str, object]]) -> tuple[Window, ...]:
    return tuple(parse_window(dict(each.items())) for each in stored)


def _stored_windows(windows: Iterable[Window]) -> list[dict[str, Any]]:
    return [
        {"days": sorted(each.days), "start": f"{each.start:%H:%M}", "end": f"{each.end:%H:%M}"}
        for each in windows
    ]


START_OF_HOURS: Final = Stored("start of the calling hours", _time_of_day, time.fromisoformat)
END_OF_HOURS: Final = Stored("end of the calling hours", _time_of_day, time.fromisoformat)
DAYS: Final = Stored("list of calling days", _days, lambda days: [str(day) for day in days])
WINDOWS: Final = Stored("list of calling hours", _windows, _stored_windows)
FALLBACKS: Final = Stored("list of fallback values", lambda values: dict(values.items()), dict)
RETRY_ON: Final = Stored(
    "list of outcomes that are tried again",
    lambda dispositions: tuple(Disposition(disposition) for disposition in dispositions),
    lambda dispositions: [str(disposition) for disposition in dispositions],
)
DELAYS: Final = Stored("list of waits before a retry", delays_from, list)
DELAYS_BY_OUTCOME: Final = Stored(
    "list of waits by outcome",
    lambda lists: {RetryOutcome(outcome): delays_from(delays) for outcome, delays in lists.items()},
    as_json,
)
PLAN: Final = Stored(
    "schedule",
    lambda stored: RecurringPlan.from_json(stored) if stored else None,
    RecurringPlan.to_json,
    absent={},
)
BREAKER: Final = Stored(
    "list of signs that pause the campaign", BreakerPolicy.from_json, BreakerPolicy.to_json
)
