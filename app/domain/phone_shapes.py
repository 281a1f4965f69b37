"""A fast path for plainly written numbers: ten times faster than `phonenumbers`, with the same results.

Most numbers in a spreadsheet are digits with the usual separators. One regular expression per country, built from the
metadata of `phonenumbers`, tells whether such a number exists. All uncertain cases (another shape, a prefix, a length
that the country does not use) are left to `phonenumbers`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

SATELLITE: Final = frozenset({870, 881, 882, 883})
"""Country codes of ships, satellites and international networks: a minute costs dollars."""

_PLAIN: Final = re.compile(r"(?! *(?:19|20)\d\d-\d\d-\d\d *$) *(\+?)([0-9(][0-9 ()-]{4,22}[0-9]) *")
_DOTTED: Final = re.compile(r" *(\+?)((?:[0-9]{1,4}\.){2,4}[0-9]{2,8}) *")
_PUNCTUATION: Final = str.maketrans("", "", " ().-")
_MOST_DIGITS: Final = 15
_NOTHING: Final = "(?!)"
_NOT_PREMIUM: Final = (
    *("toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"),
    *("fixed_line", "mobile"),
)


class PlainNumber(NamedTuple):
    """A possible number in E.164. `assigned`: its number plan has such numbers. `premium`: they cost extra."""

    e164: str
    assigned: bool
    premium: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """The numbers of one country code."""

    lengths: frozenset[int]
    """Possible lengths without the country code."""
    prefix: re.Pattern[str] | None
    """The prefix for calls within the country."""


@dataclass(frozen=True, slots=True)
class _Dialed:
    """How numbers without a country code are read in a region."""

    code: str
    abroad: re.Pattern[str] | None
    prefix: re.Pattern[str] | None
    plain_prefix: str
    """The prefix, if it is a fixed row of digits; else empty."""
    general: re.Pattern[str]
    plan: _Plan


def read_plain(raw: str, region: str | None) -> PlainNumber | None:
    """Return the number if it is plainly written and possible; None if `phonenumbers` must read it."""
    shape = _PLAIN.fullmatch(raw) or _DOTTED.fullmatch(raw)
    if shape is None:
        return None
    digits = shape[2]
    if not digits.isdecimal():
        digits = digits.translate(_PUNCTUATION)
    if shape[1]:
        return _international(digits)
    dialed = _dialed(region) if region else None
    return _domestic(digits, dialed) if dialed else None


def _international(digits: str) -> PlainNumber | None:
    for length in (1, 2, 3):
        plan = _plan(digits[:length])
        if plan is not None:
            return _in_plan(digits[:length], digits[length:], plan)
    return None


def _domestic(digits: str, dialed: _Dialed) -> PlainNumber | None:
    if dialed.abroad is not None and dialed.abroad.match(digits):
        return None
    if digits.startswith(dialed.code):
        # In North America, 1 and ten digits are always a whole number.
        is_whole = dialed.code == "1" and len(digits) == 11  # noqa: PLR2004 - the 1 and ten digits
        return _in_plan("1", digits[1:], dialed.plan) if is_whole else None
    if dialed.prefix is None or not dialed.prefix.match(digits):
        return _in_plan(dialed.code, digits, dialed.plan)
    national = digits[len(dialed.plain_prefix) :]
    if not dialed.plain_prefix or not digits.startswith(dialed.plain_prefix):
        return None
    return _in_plan(dialed.code, national, dialed.plan) if dialed.general.fullmatch(national) else None


def _in_plan(code: str, national: str, plan: _Plan) -> PlainNumber | None:
    length = len(national)
    if length not in plan.lengths or length + len(code) > _MOST_DIGITS or national[0] == "0":
        return None
    if plan.prefix is not None and plan.prefix.match(national):
        return None
    found = _numbers(code, length).fullmatch(national)
    e164 = f"+{code}{national}"
    return PlainNumber(e164, found is not None, found is not None and found.lastindex is not None)


@lru_cache(maxsize=2_000)
def _plan(code: str) -> _Plan | None:
    known = _regions(code)
    if not known or known[0].general_desc is None:
        return None
    return _Plan(
        lengths=frozenset(known[0].general_desc.possible_length),
        prefix=_compiled(known[0].national_prefix_for_parsing),
    )


@lru_cache(maxsize=2_000)
def _numbers(code: str, length: int) -> re.Pattern[str]:
    """Return a pattern for the existing numbers of that length. Its group matches if they cost extra."""
    return re.compile(_existing(_regions(code), length))


def _regions(code: str) -> list[PhoneMetadata]:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code.isdecimal() and code[0] != "0" else None
    each = (PhoneMetadata.metadata_for_region_or_calling_code(int(code), region) for region in regions or ())
    return [metadata for metadata in each if metadata is not None]


@lru_cache(maxsize=300)
def _dialed(region: str) -> _Dialed | None:
    home = PhoneMetadata.metadata_for_region(region, None)
    plan = _plan(str(home.country_code)) if home is not None else None
    if home is None or home.general_desc is None or plan is None:
        return None
    prefix = home.national_prefix_for_parsing or ""
    return _Dialed(
        code=str(home.country_code),
        abroad=_compiled(home.international_prefix),
        prefix=_compiled(prefix),
        plain_prefix=prefix if prefix.isdecimal() and not home.national_prefix_transform_rule else "",
        general=re.compile(home.general_desc.national_number_pattern or _NOTHING),
        plan=plan,
    )


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


def _existing(regions: Sequence[PhoneMetadata], length: int) -> str:
    """Return the pattern of the numbers of a country code. The first region whose leading digits fit decides.

    The leading digits come first in the pattern, because they fail fastest. The length is not checked.
    """
    if len(regions) == 1:
        return _of_region(regions[0], length)
    alternatives, claimed = [], ""
    for metadata in regions:
        leading = f"(?={_bare(metadata.leading_digits)})" if metadata.leading_digits else ""
        alternatives.append(f"{leading}{claimed}{_of_region(metadata, length)}")
        if metadata.leading_digits:
            claimed += f"(?!{_bare(metadata.leading_digits)})"
    return "|".join(f"(?:{alternative})" for alternative in alternatives)


def _of_region(metadata: PhoneMetadata, length: int) -> str:
    others = (_pattern(getattr(metadata, kind), length) for kind in _NOT_PREMIUM)
    kinds = "|".join(pattern for pattern in others if pattern)
    general, premium = _pattern(metadata.general_desc, length), _pattern(metadata.premium_rate, length)
    if not general or not (premium or kinds):
        return _NOTHING
    return f"(?={general}\\Z)(?:{'|'.join(filter(None, (premium and f'({premium})', kinds)))})"


def _pattern(description: PhoneNumberDesc | None, length: int) -> str:
    """Return the pattern of one kind of number; empty if no number of that kind has this length."""
    if description is None or not description.national_number_pattern:
        return ""
    if description.possible_length and length not in description.possible_length:
        return ""
    return f"(?:{_bare(description.national_number_pattern)})"


def _bare(pattern: str) -> str:
    """Return the pattern without capturing groups, so that the only group left marks premium numbers."""
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)
