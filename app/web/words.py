"""Times, sizes and amounts as texts. The server makes them, in the right time zone, and names the zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.services.paging import Page

_SMALL: Final = 0.01
NOTHING: Final = "\u2013"  # a dash


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as text, with its zone, and in ISO 8601; all empty for no time."""

    text: str = ""
    zone: str = ""
    iso: str = ""


def moment(at: datetime | None, zone: str, *, now: datetime) -> Moment:
    """Return "21 Nov, 14:05" in the zone, with the year if it is not the present one."""
    if at is None:
        return Moment()
    there = at.astimezone(ZoneInfo(zone))
    year = "" if there.year == now.astimezone(ZoneInfo(zone)).year else f" {there.year}"
    return Moment(f"{there.day} {there:%b}{year}, {there:%H:%M}", zone_word(there), there.isoformat())


def zone_word(at: datetime) -> str:
    """Return "EST", or "UTC+3" for zones that have no letters."""
    name = at.tzname() or "UTC"
    if name[0] not in "+-":
        return name
    hours, minutes = name[1:3].lstrip("0") or "0", name[3:]
    return f"UTC{name[0]}{hours}" + (f":{minutes}" if minutes else "")


def clock_time(at: datetime, zone: str) -> str:
    """Return "14:05:12" in the zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"


YOUR_TIME: Final = "your time"
THEIR_TIME: Final = "their time"
CAMPAIGNS_TIME: Final = "the campaign's time"
"""Whose clock a time is on; said where it could be mistaken: at the head of a column, or after the time."""


def in_both_zones(at: datetime, zone: str, other: str, *, now: datetime, others: str = "") -> str:
    """Return the time in `zone`, and also in `other` if its clock shows a different time.

    `others`: whose time that is, in words.
    """
    here, there = moment(at, zone, now=now), moment(at, other, now=now)
    text = f"{here.text} {here.zone}"
    if here.text == there.text:
        return text
    return f"{text} ({there.text} {there.zone}{f', {others}' if others else ''})"


def there_it_is(zones: Sequence[str], *, now: datetime) -> str:
    """Return "there it is 18:40", or "there it is 15:40\u201318:40" for zones with several clocks; empty for none."""
    clocks = sorted(now.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for zone in zones)
    if not clocks:
        return ""
    first, last = f"{clocks[0]:%H:%M}", f"{clocks[-1]:%H:%M}"
    return f"there it is {first}" if first == last else f"there it is {first}\u2013{last}"


def rate(share: float, *, of: int) -> str:
    """Return "72.1%"; a dash if `of` is 0."""
    return f"{share:g}%" if of else NOTHING


def duration(seconds: float | None) -> str:
    """Return "1:05" or "1:02:05"; a dash for none."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def money(amount: float | None, unit: str | None) -> str:
    """Return "$1.25", or "1.25 EUR"; below one cent with four decimals; a dash for none."""
    if amount is None:
        return NOTHING
    number = f"{amount:,.2f}" if amount >= _SMALL or amount == 0 else f"{amount:.4f}"
    return f"${number}" if unit in {None, "USD"} else f"{number} {unit}"


def counted(count: int, one: str, many: str) -> str:
    """Return "1 contact" or "1,200 contacts"."""
    return f"{count:,} {one if count == 1 else many}"


def page_range(page: Page[Any], one: str, many: str) -> str:
    """Return "1 to 25 of 312 contacts", with a dash for "to"."""
    if not page.items:
        return counted(page.total, one, many)
    first = (page.page - 1) * page.page_size + 1
    last = first + len(page.items) - 1
    return f"{first:,}\u2013{last:,} of {counted(page.total, one, many)}"
