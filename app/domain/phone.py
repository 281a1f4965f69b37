"""Phone numbers: from a spreadsheet's text to E.164, or the reason in plain words.

Possible but unassigned numbers (such as the samples of manuals, `+15551234567`) are accepted with a warning unless
the caller is strict: number plans change faster than libraries.
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

from app.domain.phone_shapes import SATELLITE, read_plain


class RejectReason(StrEnum):
    """Why a text is not a phone number that we can call."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    SCIENTIFIC = "scientific"
    DATE = "date"
    SEVERAL_NUMBERS = "several_numbers"
    NO_COUNTRY = "no_country"
    UNKNOWN_COUNTRY_CODE = "unknown_country_code"
    MISSING_AREA_CODE = "missing_area_code"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    IMPOSSIBLE = "impossible"
    NOT_ASSIGNED = "not_assigned"


_ADVICE: Final = {
    RejectReason.EMPTY: "There is no phone number. Fill in the cell or remove the row.",
    RejectReason.NOT_A_NUMBER: "{raw} is not a phone number. Use digits only, such as +12025550143.",
    RejectReason.SCIENTIFIC: (
        "{raw} was shortened by a spreadsheet and its last digits are lost. "
        "Format the column as text, enter the number again and save the file anew."
    ),
    RejectReason.DATE: (
        "{raw} is a date: a spreadsheet took the number for one. Format the column as text and enter it again."
    ),
    RejectReason.SEVERAL_NUMBERS: (
        "{raw} holds more than one phone number. Keep one, or give each its own row."
    ),
    RejectReason.NO_COUNTRY: "{raw} has no country code. Begin it with + and the country code, such as +1.",
    RejectReason.UNKNOWN_COUNTRY_CODE: (
        "{raw} begins with a country code that does not exist. Check the digits after +."
    ),
    RejectReason.MISSING_AREA_CODE: "{raw} has no area code. Add it in front of the number.",
    RejectReason.TOO_SHORT: "{raw} has too few digits. Check that none is missing.",
    RejectReason.TOO_LONG: "{raw} has too many digits. Check the number and its country code.",
    RejectReason.IMPOSSIBLE: (
        "{raw} has a number of digits that its country does not use. Check it digit by digit."
    ),
    RejectReason.NOT_ASSIGNED: (
        "{raw} has the right length, but no phone company uses such numbers. Check its digits."
    ),
}

_SCIENTIFIC: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?e[+-]?\d+", re.IGNORECASE)
_DATE: Final = re.compile(
    r"(?:19|20)\d\d-[01]\d-[0-3]\d(?:[ T]\d\d:\d\d(?::\d\d)?)?|[0-3]?\d/[0-3]?\d/(?:19|20)\d\d"
)
_SPREADSHEET_DECIMAL: Final = re.compile(r"(\+?\d+)[.,]0+")
_GROUPED_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3}){2,}")
_BETWEEN_NUMBERS: Final = re.compile(r"[/;,|&\n]|\bor\b|\band\b", re.IGNORECASE)
_SATELLITE: Final = tuple(f"+{code}" for code in sorted(SATELLITE))
_WRAPPING: Final = "'\"`=\u2018\u2019\u201c\u201d "
_INVISIBLE_CATEGORIES: Final = frozenset({"Cf", "Cc", "Co", "Cn"})
_SPACE_BUT_NEWLINE: Final = re.compile(r"[^\S\n]")
_LEAST_DIGITS: Final = 7
"""Two parts with at least this many digits each are two numbers, not one with an extension."""
_FULL_NUMBER: Final = 10
"""In nearly every country, this many digits include the area code."""
_SHORTEST_LOCAL: Final = 4
"""Fewer digits are an emergency or service number, or a mistake, but not a number without its area code."""
_NORTH_AMERICAN: Final = re.compile(r"\+1[2-9][0-9]{9}")
_LONGEST_INPUT: Final = 80
_MOST_DIGITS: Final = 15
"""E.164's limit, with the country code. Some national plans exceed it, and carriers refuse those numbers."""

_NOT_POSSIBLE: Final = {
    ValidationResult.TOO_SHORT: RejectReason.TOO_SHORT,
    ValidationResult.TOO_LONG: RejectReason.TOO_LONG,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: RejectReason.MISSING_AREA_CODE,
    ValidationResult.INVALID_COUNTRY_CODE: RejectReason.UNKNOWN_COUNTRY_CODE,
}


class PhoneNumber(NamedTuple):
    """A number in E.164, and warnings about how it was read."""

    e164: str
    warnings: tuple[str, ...] = ()


class NumberRejected(ValueError):
    """The text is not a number that can be called. The message says what to change."""

    def __init__(self, reason: RejectReason, raw: str) -> None:
        shown = raw if len(raw) <= _LONGEST_INPUT else raw[:_LONGEST_INPUT] + "…"
        super().__init__(_ADVICE[reason].format(raw=f"“{shown}”"))
        self.reason, self.raw = reason, raw


def normalize(raw: str, *, region: str, strict: bool = False) -> PhoneNumber:
    """Return the number in E.164; one without a country code is read as dialed from `region` (ISO 3166).

    Raises `NumberRejected`; with `strict`, also for numbers that are possible but not in their number plan.
    """
    plain = read_plain(raw, _known_region(region))
    if plain is None:
        return normalize_slowly(raw, region=region, strict=strict)
    if plain.assigned and not plain.premium and not plain.e164.startswith(_SATELLITE):
        return PhoneNumber(plain.e164)
    if strict and not plain.assigned:
        raise NumberRejected(RejectReason.NOT_ASSIGNED, raw)
    satellite = plain.e164.startswith(_SATELLITE)
    return PhoneNumber(plain.e164, _warnings(plain.assigned, premium=plain.premium, satellite=satellite))


def normalize_slowly(raw: str, *, region: str, strict: bool = False) -> PhoneNumber:
    """Return the same as `normalize`, by `phonenumbers` alone: slower, and the reference for tests."""
    text = _clean(raw)
    _require_single_number(text, raw)
    number, warnings = _read(text, raw, _known_region(region))
    if number.extension:
        warnings.append(f"The extension {number.extension} was left out: it cannot be dialed.")
    kind = phonenumbers.number_type(number)
    # `is_valid_number` is false exactly for numbers of unknown type.
    assigned = kind != PhoneNumberType.UNKNOWN
    if strict and not assigned:
        raise NumberRejected(RejectReason.NOT_ASSIGNED, raw)
    premium = kind == PhoneNumberType.PREMIUM_RATE
    more = _warnings(assigned, premium=premium, satellite=number.country_code in SATELLITE)
    return PhoneNumber(_e164(number), (*warnings, *more))


@lru_cache(maxsize=8)
def _warnings(assigned: bool, *, premium: bool, satellite: bool) -> tuple[str, ...]:  # noqa: FBT001 - private
    told = {
        "The length is right, but no phone company uses such numbers. It was kept as it is.": not assigned,
        "This is a premium-rate number: a call can cost many times the usual price.": premium,
        "This is a satellite or world-wide number: a call can cost several dollars a minute.": satellite,
    }
    return tuple(text for text, applies in told.items() if applies)


def mask(e164: str) -> str:
    """Return the number with its middle hidden, for logs: `+1201•••0123`. Any other text is hidden completely."""
    digits = e164.removeprefix("+")
    if not (e164.startswith("+") and digits.isascii() and digits.isdigit()):
        return "•••"
    shown_last = 4 if len(digits) >= _FULL_NUMBER else 2
    shown_first = max(0, min(4, len(digits) - shown_last - 3))
    return f"+{digits[:shown_first]}•••{digits[len(digits) - shown_last :]}"


@lru_cache(maxsize=20_000)
def pretty(e164: str) -> str:
    """Return the number in international format: `+1 201-555-0123`. Text that is no number stays as it is."""
    if _NORTH_AMERICAN.fullmatch(e164):  # the library gives the same, 30 times slower
        return f"+1 {e164[2:5]}-{e164[5:8]}-{e164[8:]}"
    number = _parsed(e164, None)
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) if number else e164


@lru_cache(maxsize=20_000)
def local_format(e164: str) -> str:
    """Return the number as written locally: `(201) 555-0123` in North America, elsewhere like `pretty`."""
    number = _parsed(e164, None)
    if number is None or number.country_code != 1:
        return pretty(e164)
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)


def is_region(region: str) -> bool:
    """Tell whether the text is the code of a country or territory with phone numbers (`US`, `GB`)."""
    return _known_region(region) is not None


@lru_cache(maxsize=1_000)
def _known_region(region: str) -> str | None:
    code = region.strip().upper()
    return code if code in phonenumbers.SUPPORTED_REGIONS else None


def _clean(raw: str) -> str:
    """Undo changes by spreadsheets and copying: invisible marks, wide digits, `'`, `="…"`, `.0`, `1,202,…`."""
    plain = unicodedata.normalize("NFKC", raw)
    visible = "".join(
        char for char in plain if char.isspace() or unicodedata.category(char) not in _INVISIBLE_CATEGORIES
    )
    text = _SPACE_BUT_NEWLINE.sub(" ", visible).strip().strip(_WRAPPING).strip()
    if decimal := _SPREADSHEET_DECIMAL.fullmatch(text):
        text = decimal[1]
    return text.replace(",", "") if _GROUPED_THOUSANDS.fullmatch(text) else text


def _require_single_number(text: str, raw: str) -> None:
    if not text:
        raise NumberRejected(RejectReason.EMPTY, raw)
    if _SCIENTIFIC.fullmatch(text):
        raise NumberRejected(RejectReason.SCIENTIFIC, raw)
    if _DATE.fullmatch(text):
        raise NumberRejected(RejectReason.DATE, raw)
    parts = _BETWEEN_NUMBERS.split(text)
    if sum(_digit_count(part) >= _LEAST_DIGITS for part in parts) > 1 or text.count("+") > 1:
        raise NumberRejected(RejectReason.SEVERAL_NUMBERS, raw)
    if len(text) > _LONGEST_INPUT or not _digit_count(text):
        raise NumberRejected(RejectReason.NOT_A_NUMBER, raw)


def _digit_count(text: str) -> int:
    return sum(char.isdigit() for char in text)


def _read(text: str, raw: str, region: str | None) -> tuple[phonenumbers.PhoneNumber, list[str]]:
    """Read the number as written; else with `00` as `+`, or with a missing `+` added."""
    if text.startswith("00") and (abroad := _possible("+" + text[2:], None)):
        return abroad, []
    number = _parsed(text, region)
    verdict = _verdict(number)
    if number is not None and verdict is None:
        return number, _letter_warning(text, number, raw)
    if text[0].isdigit() and (abroad := _possible("+" + text, None)) and phonenumbers.is_valid_number(abroad):
        return abroad, [f"Read as {_e164(abroad)}: begin the number with + to be sure."]
    if sum(_digit_count(part) >= _FULL_NUMBER for part in text.split()) > 1:
        raise NumberRejected(RejectReason.SEVERAL_NUMBERS, raw)
    raise NumberRejected(_reason(text, region, verdict), raw)


def _letter_warning(text: str, number: phonenumbers.PhoneNumber, raw: str) -> list[str]:
    """Return a warning about letters as keys: `1-800-FLOWERS` is a number, `ask 2025550143` is rejected."""
    written = text.split(";", maxsplit=1)[0].removeprefix("tel:")
    if number.extension or not any(char.isalpha() for char in written):
        return []
    if not phonenumbers.is_alpha_number(written) or not phonenumbers.is_valid_number(number):
        raise NumberRejected(RejectReason.NOT_A_NUMBER, raw)
    return [f"The letters were read as the keys of a phone: {_e164(number)}."]


def _possible(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    number = _parsed(text, region)
    return number if _verdict(number) is None else None


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _verdict(number: phonenumbers.PhoneNumber | None) -> RejectReason | None:
    """Return why the parsed number cannot be dialed; None if it can."""
    if number is None:
        return RejectReason.NOT_A_NUMBER
    result = phonenumbers.is_possible_number_with_reason(number)
    if result != ValidationResult.IS_POSSIBLE:
        return _NOT_POSSIBLE.get(result, RejectReason.IMPOSSIBLE)
    return RejectReason.TOO_LONG if len(_e164(number)) > _MOST_DIGITS + 1 else None


def _reason(text: str, region: str | None, verdict: RejectReason | None) -> RejectReason:
    """Return a more precise reason than "not a number" where the digits allow it."""
    digits = _digit_count(text)
    if any(char.isalpha() for char in text):
        return RejectReason.NOT_A_NUMBER
    if digits < _SHORTEST_LOCAL:
        return RejectReason.TOO_SHORT
    if verdict is not RejectReason.NOT_A_NUMBER:
        return verdict or RejectReason.IMPOSSIBLE
    if not _LEAST_DIGITS <= digits <= _MOST_DIGITS:
        return RejectReason.TOO_SHORT if digits < _LEAST_DIGITS else RejectReason.TOO_LONG
    if "+" in text:
        return RejectReason.UNKNOWN_COUNTRY_CODE
    return RejectReason.NO_COUNTRY if region is None else RejectReason.NOT_A_NUMBER


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
