"""Search by the start of a name or phone number, with conditions that use an index."""

import re
from typing import Final

from sqlalchemy import ColumnElement, Text, and_, bindparam, collate, false, func, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.models import Contact

LOWER_NAME: Final[ColumnElement[str]] = collate(func.lower(col(Contact.name)), "C")
"""The expression of `ix_contact_name`: any case, ordered by the characters' codes."""

_HIGHEST: Final = "\U0010ffff"
_MOST_DIGITS: Final = 15
_ONLY_A_NUMBER: Final = re.compile(r"[\d\s()+./-]*\d[\d\s()+./-]*", re.ASCII)


def name_starts_with(text: str) -> ColumnElement[bool]:
    """Return the condition of a contact whose name starts with the text, in any case."""
    return starts_with(LOWER_NAME, text)


def number_starts_with(column: Mapped[str], text: str) -> ColumnElement[bool]:
    """Return the condition of a number that starts with these digits, with or without North America's 1."""
    spans = number_spans(column, text)
    return or_(*spans) if spans else false()


def starts_with(folded: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Return the range of a folded text in code order. Unlike LIKE, its query plan is good for every text."""
    start: ColumnElement[str] = func.lower(bindparam(None, text, type_=Text()), type_=Text())
    return and_(folded >= start, folded < start + bindparam(None, _HIGHEST, type_=Text()))


def number_spans(column: Mapped[str], text: str) -> list[ColumnElement[bool]]:
    """Return the ranges of numbers that start so. They do not overlap, and an index serves each."""
    digits = _digits(text.strip())
    if not digits or len(digits) > _MOST_DIGITS:
        return []
    whole = text.strip().startswith("+") or f"1{digits}".startswith(digits)
    starts = [digits] if whole else [digits, f"1{digits}"]
    return [column.between(f"+{start}", f"+{start.ljust(_MOST_DIGITS, '9')}") for start in starts]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text) if _ONLY_A_NUMBER.fullmatch(text) else ""
