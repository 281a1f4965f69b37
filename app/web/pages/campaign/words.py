"""Times, sizes and sums in words: made by the server, in the zone that matters, with the zone beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.attempt import Disposition
from app.domain.gate import Rule
from app.domain.metrics import percent
from app.domain.recipient import RecipientStatus
from app.providers.script import Reply
from app.services.campaigns.views import Counts
from app.services.paging import Page
from app.web.components import ProgressView

_SMALL: Final = 0.01
NOTHING: Final = "\u2013"  # a dash

STATUS_WORDS: Final[Mapping[RecipientStatus, str]] = {
    RecipientStatus.PENDING: "Pending",
    RecipientStatus.IN_PROGRESS: "In progress",
    RecipientStatus.COMPLETED: "Completed",
    RecipientStatus.VOICEMAIL: "Voicemail",
    RecipientStatus.NO_ANSWER: "No answer",
    RecipientStatus.BUSY: "Busy",
    RecipientStatus.FAILED: "Failed",
    RecipientStatus.SKIPPED: "Skipped",
    RecipientStatus.CANCELLED: "Cancelled",
}
"""Every recipient status, in the order in which pages show them."""

REPLY_WORDS: Final[Mapping[str, str]] = {
    Reply.CONFIRM: "Confirmed",
    Reply.DECLINE: "Declined",
    Reply.OPT_OUT: "Asked not to be called again",
    Reply.UNCLEAR: "Said something unclear",
    Reply.NOTHING: "Said nothing",
}
"""What a person's answer meant."""

_REASON_WORDS: Final[Mapping[str, str]] = {
    Disposition.ANSWERED: "The call was answered",
    Disposition.VOICEMAIL: "An answering machine answered",
    Disposition.NO_ANSWER: "Nobody answered",
    Disposition.BUSY: "The line was busy",
    Disposition.REJECTED: "The call was turned away",
    Disposition.INVALID_NUMBER: "The number cannot be reached",
    Disposition.CARRIER_ERROR: "The carrier failed",
    Disposition.DELIVERED: "The message was delivered",
    Disposition.UNDELIVERED: "The message was not delivered",
    Disposition.OPTED_OUT: "Asked not to be called again",
    Disposition.CANCELLED: "The attempt was cancelled",
    Rule.SUPPRESSION: "This number must not be contacted",
    Rule.CONSENT: "This person said no to being contacted",
    "template": "The text could not be filled in",
    "reserved": "An attempt was begun",
    "sent": "The message was sent",
    "misconfigured": "The carrier refused our account or number",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as people read it, its zone, and as machines do; empty texts for none."""

    text: str = ""
    zone: str = ""
    iso: str = ""


def moment(at: datetime | None, zone: str, *, now: datetime) -> Moment:
    """Return "21 Nov, 14:05" in the zone; with the year if it is another than now."""
    if at is None:
        return Moment()
    there = at.astimezone(ZoneInfo(zone))
    year = "" if there.year == now.astimezone(ZoneInfo(zone)).year else f" {there.year}"
    return Moment(f"{there.day} {there:%b}{year}, {there:%H:%M}", zone_word(there), there.isoformat())


def reason_words(reason: str) -> str:
    """Return why a status changed, as a sentence without its full stop."""
    return _REASON_WORDS.get(reason, reason[:1].upper() + reason[1:])


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


def in_both_zones(at: datetime, zone: str, other: str, *, now: datetime) -> str:
    """Return the moment in `zone`, and in `other` too if its clocks show another time."""
    here, there = moment(at, zone, now=now), moment(at, other, now=now)
    text = f"{here.text} {here.zone}"
    return text if here.text == there.text else f"{text} ({there.text} {there.zone})"


def rate(share: float, *, of: int) -> str:
    """Return "72.1%"; a dash while there is nothing to measure."""
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


def progress(counts: Counts) -> ProgressView:
    """Return the progress bar of these recipients."""
    total = sum(counts.values())
    waiting = counts[RecipientStatus.PENDING] + counts[RecipientStatus.IN_PROGRESS]
    ended = total - waiting
    return ProgressView(
        completed=counts[RecipientStatus.COMPLETED],
        voicemail=counts[RecipientStatus.VOICEMAIL],
        unanswered=counts[RecipientStatus.NO_ANSWER] + counts[RecipientStatus.BUSY],
        failed=counts[RecipientStatus.FAILED],
        left_out=counts[RecipientStatus.SKIPPED] + counts[RecipientStatus.CANCELLED],
        in_progress=counts[RecipientStatus.IN_PROGRESS],
        pending=counts[RecipientStatus.PENDING],
        total=total,
        percent=percent(ended, total),
        text=f"{ended:,} of {counted(total, 'contact', 'contacts')}" if total else "No contacts yet",
    )
