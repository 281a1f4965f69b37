"""Search by the start of a name, of its last word or of a phone number. Indexes of the address book serve these."""

from typing import Any, Final

from sqlalchemy import ColumnElement, and_, collate, func, literal_column, not_, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.models import Contact
from app.services.prefix_search import LOWER_NAME, name_starts_with, number_spans, starts_with

LAST_WORD: Final[ColumnElement[str]] = collate(
    func.lower(func.split_part(col(Contact.name), literal_column("' '"), literal_column("-1"))), "C"
)
"""The expression of `ix_contact_last_word`: the last word of the name, mostly the last name."""

HAS_WORDS: Final[ColumnElement[bool]] = func.strpos(
    col(Contact.name), literal_column("' '")
) > literal_column("0")
"""The names in `ix_contact_last_word`: those with more than one word."""

Found = tuple[ColumnElement[bool], ColumnElement[Any] | Mapped[Any]]
"""A condition that one index serves, and the sort expression of that index."""


def matches_search(search: str) -> ColumnElement[bool]:
    """Return the condition of a contact whose name, its last word or number starts with the text."""
    return or_(*(condition for condition, _ in search_conditions(search)))


def search_conditions(search: str) -> list[Found]:
    """Return the conditions that together are `matches_search`. No contact meets two of them."""
    text = search.strip()
    ways: list[Found] = [(name_starts_with(text), LOWER_NAME)]
    if text and " " not in text:
        ways.append((and_(HAS_WORDS, starts_with(LAST_WORD, text)), LAST_WORD))
    ways += [(span, col(Contact.number)) for span in number_spans(col(Contact.number), text)]
    return [
        (and_(condition, *(not_(earlier) for earlier, _ in ways[:place])), key)
        for place, (condition, key) in enumerate(ways)
    ]
