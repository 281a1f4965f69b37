"""How pages of the address book are read: by an index in its own order, a page's worth of rows from each.

Answered by an index, in a time that does not grow with the address book:

- sorted by when they were added, by name, by number, by last contact, and by what a search found;
- the search (start of the name, of its last word, of the number), in the order of what it found;
- `name` is or starts with, `phone_number` starts with: sorted by that;
- `last_outcome` is or is any of, `import_id` is or is any of, `created_at`: newest first;
- `last_contacted_at`, never included: sorted by last contact;
- `id` any of.

`tags` (any of, all of) and `suppressed` have an index too, but its answer is not sorted: what takes time is sorting
it when neither few nor many match. A filter that names no sort is shown in the order above. Every other condition is
looked up row by row along the order of the page: at once when many match, longer the rarer they are.
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
from app.services.contacts.search import search_ways
from app.services.prefix_search import LOWER_NAME, number_spans

Key = ColumnElement[Any] | Mapped[Any]


class Sort(StrEnum):
    """What the address book may be sorted by; ties go by id."""

    CREATED = "created"
    NAME = "name"
    NUMBER = "phone_number"
    LAST_CONTACTED = "last_contacted"
    """Who never was is behind everybody, the newest contact first."""
    MATCH = "match"
    """What a search found: the name, its last word or the number."""


DESCENDING: Final[Mapping[Sort, bool]] = {
    Sort.CREATED: True,
    Sort.NAME: False,
    Sort.NUMBER: False,
    Sort.LAST_CONTACTED: True,
    Sort.MATCH: False,
}
"""Which way each is sorted unless asked otherwise."""

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
"""Fields whose index is sorted within each value: one way a value."""


_MOST_WAYS: Final = 20


@dataclass(frozen=True, slots=True)
class Way:
    """Conditions that an index answers, and the expression it is sorted by. No contact is on two ways of a page."""

    where: Sequence[ColumnElement[bool]]
    key: Key
    listed: Mapped[Any] | None = None
    """The column, of one value here, that the index has before the key."""
    value: Any = None
    """Its value. Asked for as a span, and sorted by: for a plain `=` the planner may walk along the newest people
    instead, and far, where those whom it looks for came long ago."""


def natural_sort(wanted: ContactFilter) -> Sort:
    """Return the sort in which the filter is answered at once."""
    if wanted.search:
        return Sort.MATCH
    if wanted.match is Match.ALL:
        for condition in wanted.conditions:
            if condition.op in _ORDERED_OPS.get(condition.field, frozenset()):
                return _SORT_OF_FIELD[condition.field]
    return Sort.CREATED


def ways_to(wanted: ContactFilter, *, organization_id: int, now: datetime, sort: Sort) -> list[Way]:
    """Return the ways that together find everybody the filter means, each in the order of the sort."""
    if sort is Sort.MATCH and wanted.search:
        rest = where(replace(wanted, search=""), organization_id, now)
        return [Way([*rest, found], key) for found, key in search_ways(wanted.search)]
    key = KEYS.get(sort, KEYS[Sort.CREATED])
    if sort is Sort.NUMBER and (started := _started(wanted)) is not None:
        rest = where(_without(wanted, started), organization_id, now)
        return [Way([*rest, span], key) for span in number_spans(col(Contact.number), str(started.value))]
    listed = _listed(wanted) if sort is Sort.CREATED else None
    if listed is None:
        return [Way(where(wanted, organization_id, now), key)]
    rest = where(_without(wanted, listed), organization_id, now)
    values = listed.value if isinstance(listed.value, tuple) else ()
    column = _LISTED[listed.field]
    return [Way([*rest, column >= value, column <= value], key, column, value) for value in values]


def _without(wanted: ContactFilter, condition: Condition) -> ContactFilter:
    return replace(wanted, conditions=tuple(each for each in wanted.conditions if each is not condition))


def _asked_of_everybody(wanted: ContactFilter) -> Sequence[Condition]:
    return () if wanted.match is Match.ANY and len(wanted.conditions) > 1 else wanted.conditions


def _started(wanted: ContactFilter) -> Condition | None:
    """Return a condition on the start of the number that everybody has to meet, if numbers may start so."""
    for each in _asked_of_everybody(wanted):
        if each.field == "phone_number" and each.op is Op.STARTS_WITH:
            return each if number_spans(col(Contact.number), str(each.value)) else None
    return None


def _listed(wanted: ContactFilter) -> Condition | None:
    """Return a condition that is met by one value of a few, and that everybody has to meet."""
    for each in _asked_of_everybody(wanted):
        few = isinstance(each.value, tuple) and len(each.value) <= _MOST_WAYS
        if each.field in _LISTED and each.op is Op.ANY_OF and few:
            return each
    return None
