"""How pages of the address book are read: from an index in its own order, one page of rows from each scan.

An index serves these, in a time that does not grow with the address book:

- the orders: added, name, number, last contact, and match of a search;
- the search (start of the name, of its last word, of the number), in the order of the match;
- `name` is or starts with, `phone_number` starts with: sorted by that;
- `last_outcome` is or is any of, `import_id` is or is any of, `created_at`: newest first;
- `last_contacted_at`, never included: sorted by last contact;
- `id` any of.

`tags` (any of, all of) and `suppressed` have an index too, but its rows are not sorted, and sorting takes time. A
filter without a sort uses the order above. All other conditions are checked row by row in the order of the page: that
is fast when many rows match, and slow when few do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.domain.contact_filter import Condition, ContactFilter, Match, Op
from app.models import Contact
from app.services.contacts.filter_sql import LAST_CONTACTED, where
from app.services.contacts.search import search_conditions
from app.services.prefix_search import LOWER_NAME, number_spans

Key = ColumnElement[Any] | Mapped[Any]


class Sort(StrEnum):
    """The orders of the address book; equal rows are sorted by id."""

    CREATED = "created"
    NAME = "name"
    NUMBER = "phone_number"
    LAST_CONTACTED = "last_contacted"
    """By last contact, the newest first; people never contacted come last."""
    MATCH = "match"
    """By the match of a search: the name, its last word or the number."""


DESCENDING: Final[Mapping[Sort, bool]] = {
    Sort.CREATED: True,
    Sort.NAME: False,
    Sort.NUMBER: False,
    Sort.LAST_CONTACTED: True,
    Sort.MATCH: False,
}
"""The usual direction of each order."""

KEYS: Final[Mapping[Sort, Key]] = {
    Sort.CREATED: col(Contact.created_at),
    Sort.NAME: LOWER_NAME,
    Sort.NUMBER: col(Contact.number),
    Sort.LAST_CONTACTED: LAST_CONTACTED,
}

_SORT_OF_FIELD: Final[Mapping[str, Sort]] = {
    "last_contacted_at": Sort.LAST_CONTACTED,
    "name": Sort.NAME,
    "phone_number": Sort.NUMBER,
}
_ORDERED_OPS: Final[Mapping[str, frozenset[Op]]] = {
    "last_contacted_at": frozenset(Op),
    "name": frozenset({Op.IS, Op.STARTS_WITH}),
    "phone_number": frozenset({Op.STARTS_WITH}),
}
_LISTED: Final[Mapping[str, Mapped[Any]]] = {
    "last_outcome": col(Contact.last_outcome),
    "import_id": col(Contact.import_id),
}
"""Fields whose index is sorted within each value: one scan for each value."""


_MOST_SCANS: Final = 20


@dataclass(frozen=True, slots=True)
class IndexScan:
    """Conditions that an index serves, and its sort expression. No contact is in two scans of a page."""

    where: Sequence[ColumnElement[bool]]
    key: Key
    listed: Mapped[Any] | None = None
    """The column before the key in the index; it has one value here."""
    value: Any = None
    """Its value. It is asked for as a range and sorted by. With a plain `=` the planner may read the newest people
    first, which is slow if the matching ones are old."""


def natural_sort(wanted: ContactFilter) -> Sort:
    """Return the order in which an index serves the filter."""
    if wanted.search:
        return Sort.MATCH
    if wanted.match is Match.ALL:
        for condition in wanted.conditions:
            if condition.op in _ORDERED_OPS.get(condition.field, frozenset()):
                return _SORT_OF_FIELD[condition.field]
    return Sort.CREATED


def scans_for(wanted: ContactFilter, *, organization_id: int, now: datetime, sort: Sort) -> list[IndexScan]:
    """Return the scans that together find all matches of the filter, each in the order of the sort."""
    if sort is Sort.MATCH and wanted.search:
        rest = where(replace(wanted, search=""), organization_id, now)
        return [IndexScan([*rest, found], key) for found, key in search_conditions(wanted.search)]
    key = KEYS.get(sort, KEYS[Sort.CREATED])
    if sort is Sort.NUMBER and (started := _started(wanted)) is not None:
        rest = where(_without(wanted, started), organization_id, now)
        return [
            IndexScan([*rest, span], key) for span in number_spans(col(Contact.number), str(started.value))
        ]
    listed = _listed(wanted) if sort is Sort.CREATED else None
    if listed is None:
        return [IndexScan(where(wanted, organization_id, now), key)]
    rest = where(_without(wanted, listed), organization_id, now)
    values = listed.value if isinstance(listed.value, tuple) else ()
    column = _LISTED[listed.field]
    return [IndexScan([*rest, column >= value, column <= value], key, column, value) for value in values]


def _without(wanted: ContactFilter, condition: Condition) -> ContactFilter:
    return replace(wanted, conditions=tuple(each for each in wanted.conditions if each is not condition))


def _met_by_all(wanted: ContactFilter) -> Sequence[Condition]:
    return () if wanted.match is Match.ANY and len(wanted.conditions) > 1 else wanted.conditions


def _started(wanted: ContactFilter) -> Condition | None:
    """Return a condition on the start of the number that all matches meet, if numbers may start so."""
    for each in _met_by_all(wanted):
        if each.field == "phone_number" and each.op is Op.STARTS_WITH:
            return each if number_spans(col(Contact.number), str(each.value)) else None
    return None


def _listed(wanted: ContactFilter) -> Condition | None:
    """Return a condition with a short list of values that all matches meet."""
    for each in _met_by_all(wanted):
        few = isinstance(each.value, tuple) and len(each.value) <= _MOST_SCANS
        if each.field in _LISTED and each.op is Op.ANY_OF and few:
            return each
    return None
