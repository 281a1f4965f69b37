"""Times in the campaign's time zone, always with the offset, so that they are unambiguous."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def in_zone(at: datetime, zone: str) -> str:
    """Return "Tue 3 Mar 2026, 09:00 (UTC-05:00)" of the zone."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M} ({offset(there)})"


def for_input(at: datetime | None, zone: str) -> str:
    """Return a time as the value of an input box for date and time, in the zone; empty for none."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}" if at is not None else ""


def offset(at: datetime) -> str:
    """Return the offset of a time from UTC: "UTC-05:00"."""
    minutes = round((at.utcoffset() or timedelta()).total_seconds() / 60)
    sign = "\u2212" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours:02}:{rest:02}"


def spoken_minutes(minutes: int) -> str:
    """Return "about 3 minutes", "about 2 hours", "about 4 days"."""
    if minutes < 90:  # noqa: PLR2004 - an hour and a half is still shown in minutes
        return f"about {minutes} minute{'s' * (minutes != 1)}"
    hours = round(minutes / 60)
    if hours < 48:  # noqa: PLR2004 - two days
        return f"about {hours} hours"
    return f"about {round(hours / 24)} days"
