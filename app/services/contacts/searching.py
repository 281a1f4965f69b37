"""Searching by the start of a name or of a phone number: what the indexes of the address book can answer."""

import re
import string
from typing import Final

from sqlalchemy import ColumnElement, false, func, literal_column, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.models import Contact

LOWER_NAME: Final[ColumnElement[str]] = func.lower(literal_column('contact.name COLLATE "C"'))
"""The expression of `ix_contact_name`. In collation C it folds A to Z alone."""

_FOLD: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_MOST_DIGITS: Final = 15
_ONLY_A_NUMBER: Final = re.compile(r"[\d\s()+./-]*\d[\d\s()+./-]*", re.ASCII)


def matches_search(search: str) -> ColumnElement[bool]:
    """Return the condition of a contact whose name or number starts with the text."""
    text = search.strip()
    by_name = name_starts_with(text)
    return or_(by_name, number_starts_with(col(Contact.number), text)) if _digits(text) else by_name


def name_starts_with(text: str) -> ColumnElement[bool]:
    """Return the condition of a contact whose name starts with the text; `%` and `_` stand for themselves."""
    return LOWER_NAME.startswith(text.translate(_FOLD), autoescape=True)


def number_starts_with(column: Mapped[str], text: str) -> ColumnElement[bool]:
    """Return the condition of a number that starts with these digits, with or without North America's 1.

    Ranges, because a pattern needs an index of its own in most collations.
    """
    digits = _digits(text.strip())
    if not digits or len(digits) > _MOST_DIGITS:
        return false()
    starts = [digits] if text.strip().startswith("+") else [digits, f"1{digits}"]
    return or_(*(column.between(f"+{start}", f"+{start.ljust(_MOST_DIGITS, '9')}") for start in starts))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text) if _ONLY_A_NUMBER.fullmatch(text) else ""
