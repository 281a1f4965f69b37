"""The country of a phone number, several times faster than `phonenumbers` tells it; its tests compare them."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_LONGEST_CALLING_CODE: Final = 3
_NO_COUNTRY: Final = "001"
"""How `phonenumbers` calls the calling codes of no country, such as satellites."""


class CallingCode(NamedTuple):
    """A calling code, and the countries (ISO 3166) that share it, the main one first."""

    code: str
    countries: tuple[str, ...]


@lru_cache(maxsize=1_000)
def calling_code_of(digits: str) -> CallingCode | None:
    """Return the calling code that begins these digits: give the first three. None for a code of no country."""
    for length in range(1, _LONGEST_CALLING_CODE + 1):
        code = digits[:length]
        countries = COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code.isdecimal() else None
        if countries is not None:
            return CallingCode(code, countries) if countries != (_NO_COUNTRY,) else None
    return None


def country_among(countries: tuple[str, ...], national: str) -> str:
    """Return which of the countries of one calling code has the number; for a number of no plan the main one.

    `national`: the digits after the calling code.
    """
    if len(countries) == 1:
        return countries[0]
    for country in countries:
        leading, numbers = _plan_of(country)
        if leading.match(national) if leading is not None else numbers.fullmatch(national):
            return country
    return countries[0]


@lru_cache(maxsize=100)
def _plan_of(country: str) -> tuple[re.Pattern[str] | None, re.Pattern[str]]:
    """Return the leading digits that decide alone, if there are any, and the land lines and mobile numbers."""
    plan = PhoneMetadata.metadata_for_region(country)
    assert plan is not None
    kinds = [plan.fixed_line, plan.mobile]
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    leading = re.compile(plan.leading_digits) if plan.leading_digits else None
    return leading, re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")
