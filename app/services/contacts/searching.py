"""Searching by the start of a name, of its last word or of a phone number: what indexes of the address book answer."""

import re
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, bindparam, collate, false, func, literal_column, not_, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.models import Contact

LOWER_NAME: Final[ColumnElement[str]] = collate(func.lower(col(Contact.name)), "C")
"""The expression of `ix_contact_name`: any case, in the order of the characters' codes."""

LAST_WORD: Final[ColumnElement[str]] = collate(
    func.lower(func.split_part(col(Contact.name), literal_column("' '"), literal_column("-1"))), "C"
)
"""The expression of `ix_contact_last_word`: what the name ends with, mostly the last name."""

HAS_WORDS: Final[ColumnElement[bool]] = func.strpos(
    col(Contact.name), literal_column("' '")
) > literal_column("0")
"""The names in `ix_contact_last_word`: those of more than one word."""

_HIGHEST: Final = "\U0010ffff"
_MOST_DIGITS: Final = 15
_ONLY_A_NUMBER: Final = re.compile(r"[\d\s()+./-]*\d[\d\s()+./-]*", re.ASCII)

Found = tuple[ColumnElement[bool], ColumnElement[Any] | Mapped[Any]]
"""A condition that one index answers, and the expression by which that index is sorted."""


def matches_search(search: str) -> ColumnElement[bool]:
    """Return the condition of a contact whose name, its last word or number starts with the text."""
    return or_(*(condition for condition, _ in search_ways(search)))


def search_ways(search: str) -> list[Found]:
    """Return the conditions that together are `matches_search`, no contact in two of them."""
    text = search.strip()
    ways: list[Found] = [(name_starts_with(text), LOWER_NAME)]
    if text and " " not in text:
        ways.append((and_(HAS_WORDS, _starts_with(LAST_WORD, text)), LAST_WORD))
    ways += [(span, col(Contact.number)) for span in number_spans(col(Contact.number), text)]
    return [
        (and_(condition, *(not_(earlier) for earlier, _ in ways[:place])), key)
        for place, (condition, key) in enumerate(ways)
    ]


def name_starts_with(text: str) -> ColumnElement[bool]:
    """Return the condition of a contact whose name starts with the text, in any case."""
    return _starts_with(LOWER_NAME, text)


def number_starts_with(column: Mapped[str], text: str) -> ColumnElement[bool]:
    """Return the condition of a number that starts with these digits, with or without North America's 1."""
    spans = number_spans(column, text)
    return or_(*spans) if spans else false()


def _starts_with(folded: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Return the span of a folded text in the order of codes: unlike LIKE's, its plan holds for every text."""
    start: ColumnElement[str] = func.lower(bindparam(None, text, type_=Text()), type_=Text())
    return and_(folded >= start, folded < start + bindparam(None, _HIGHEST, type_=Text()))


def number_spans(column: Mapped[str], text: str) -> list[ColumnElement[bool]]:
    """Return the spans of numbers that start so, none within another; an index answers each by itself."""
    digits = _digits(text.strip())
    if not digits or len(digits) > _MOST_DIGITS:
        return []
    whole = text.strip().startswith("+") or f"1{digits}".startswith(digits)
    starts = [digits] if whole else [digits, f"1{digits}"]
    return [column.between(f"+{start}", f"+{start.ljust(_MOST_DIGITS, '9')}") for start in starts]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text) if _ONLY_A_NUMBER.fullmatch(text) else ""
