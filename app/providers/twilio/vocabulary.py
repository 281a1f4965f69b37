"""Translates Twilio's words into ours, with a table for each vocabulary. An unknown word is `UNKNOWN`, not an error."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Final

from app.domain.events import AnsweredBy, EventKind

CALL_STATUS: Final[Mapping[str, EventKind]] = {
    "queued": EventKind.QUEUED,
    "initiated": EventKind.INITIATED,
    "ringing": EventKind.RINGING,
    "in-progress": EventKind.ANSWERED,
    "completed": EventKind.COMPLETED,
    "busy": EventKind.BUSY,
    "no-answer": EventKind.NO_ANSWER,
    "failed": EventKind.FAILED,
    "canceled": EventKind.CANCELLED,
}
"""`CallStatus` of callbacks and `status` of the REST API (which has no `initiated`)."""

MESSAGE_STATUS: Final[Mapping[str, EventKind]] = {
    "queued": EventKind.QUEUED,
    "accepted": EventKind.QUEUED,
    "scheduled": EventKind.QUEUED,
    "sending": EventKind.SENDING,
    "sent": EventKind.SENT,
    "partially_delivered": EventKind.SENT,
    "delivered": EventKind.DELIVERED,
    "read": EventKind.DELIVERED,
    "undelivered": EventKind.UNDELIVERED,
    "failed": EventKind.FAILED,
    "canceled": EventKind.CANCELLED,
}
"""`MessageStatus` of callbacks and `status` of the REST API; words for inbound texts (`received`) are left out."""

ANSWERED_BY: Final[Mapping[str, AnsweredBy]] = {
    "human": AnsweredBy.HUMAN,
    "machine_start": AnsweredBy.MACHINE,
    "machine_end_beep": AnsweredBy.MACHINE,
    "machine_end_silence": AnsweredBy.MACHINE,
    "machine_end_other": AnsweredBy.MACHINE,
    "fax": AnsweredBy.FAX,
    "unknown": AnsweredBy.UNKNOWN,
}
"""`AnsweredBy` of answering-machine detection."""


_COUNT: Final = re.compile("[0-9]{1,9}")


def answered_by(word: str | None) -> AnsweredBy | None:
    """Return who picked up; None if detection did not run, UNKNOWN for an unknown word."""
    return ANSWERED_BY.get(word, AnsweredBy.UNKNOWN) if word else None


def parse_time(text: str | None) -> datetime | None:
    """Return an RFC 2822 time as UTC; None if there is none or it cannot be read."""
    if not text:
        return None
    try:
        parsed = parsedate_to_datetime(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_count(text: str | None) -> int | None:
    """Return a small non-negative whole number; None if there is none or it is something else."""
    return int(text) if text and _COUNT.fullmatch(text) else None


def positive_price(text: str | None) -> str | None:
    """Return Twilio's price (negative: a charge) as the positive decimal text of `AttemptEvent`."""
    try:
        price = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return None if price is None or not price.is_finite() else f"{abs(price):f}"
