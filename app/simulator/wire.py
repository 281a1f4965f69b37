"""How Twilio writes ids, dates, numbers, prices and texts."""

import hashlib
import math
import uuid
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import lru_cache

import phonenumbers

API_VERSION = "2010-04-01"

_REMEMBERED = 100_000
"""How many parsed numbers are cached: parsing one costs more than the rest of a callback."""

_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_ESCAPED = set("\f^{}\\[~]|€")


def new_sid(prefix: str) -> str:
    """Return a new id, `prefix` and 32 hex digits. Not seeded: ids must not repeat after a restart."""
    return prefix + uuid.uuid4().hex


def number_sid(number: str) -> str:
    """Return the PN id of an owned number. It is the same at every start."""
    return "PN" + hashlib.md5(number.encode(), usedforsecurity=False).hexdigest()


def rfc2822(moment: datetime | None) -> str | None:
    """Return `Tue, 31 Aug 2010 20:36:28 +0000`, or None for None."""
    return None if moment is None else format_datetime(moment.astimezone(UTC))


def parse_moment(text: str) -> datetime | date | None:
    """Read a list filter: a date, or a time with offset (UTC if it has none). None if it is neither."""
    try:
        if len(text) == len("2026-11-21"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(_REMEMBERED)
def is_e164(number: str) -> bool:
    """Tell whether the number is E.164 and has a possible length. It need not be assigned to anyone."""
    if not number.startswith("+") or not number[1:].isascii() or not number[1:].isdecimal():
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def formatted(number: str) -> str:
    """Return a North American number as `(201) 555-0123`; any other stays E.164."""
    if number.startswith("+1") and len(number) == len("+12015550123"):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number


@lru_cache(_REMEMBERED)
def country(number: str) -> str:
    """Return the two letters of the number's country, blank when it has none."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return region or ("US" if number.startswith("+1") else "")


def billed_minutes(seconds: int) -> int:
    """Return the minutes a call of that length is billed for: a begun minute counts as a whole one."""
    return math.ceil(seconds / 60)


def price(amount: float) -> str:
    """Return a charge as Twilio writes it: negative, five decimals."""
    return f"-{amount:.5f}"


def segments(text: str) -> int:
    """Return how many SMS parts the text takes (GSM 03.38: 160/153 septets, else UCS-2: 70/67 units)."""
    is_gsm = all(char in _GSM or char in _GSM_ESCAPED for char in text)
    single, multiple = (160, 153) if is_gsm else (70, 67)
    sizes = [_units(char, is_gsm=is_gsm) for char in text]
    if sum(sizes) <= single:
        return 1
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > multiple:
            parts, filled = parts + 1, 0
        filled += size
    return parts


def _units(char: str, *, is_gsm: bool) -> int:
    if is_gsm:
        return 2 if char in _GSM_ESCAPED else 1
    return len(char.encode("utf-16-le")) // 2
