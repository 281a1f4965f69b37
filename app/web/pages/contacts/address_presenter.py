"""The address book's search, filter and sort as parameters of its page's address.

A condition is a parameter `<field>.<op>=<value>`, such as `tags.any_of=vip,new` or `created_at.within_days=30`; several
may have the same name. Within a list a comma of a value is written `%2C`, and a percent sign `%25`. A segment is
named by its id; conditions stand beside it only if its filter was changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import unquote

from app.domain.contact_filter import EMPTINESS, Condition, ContactFilter, FilterInvalid, Match, Op
from app.domain.contact_filter_reading import MOST_CONDITIONS, read_filter
from app.services.contacts.index_scans import DESCENDING, Sort
from app.web.listing import LONGEST_SEARCH, ending

Pairs = Sequence[tuple[str, str]]
"""The parameters of an address, in their order."""

LONGEST: Final = 4_000
"""Most characters of parameters. Servers and proxies refuse long addresses: a longer filter is left out."""

_LISTED: Final = frozenset({Op.ANY_OF, Op.ALL_OF, Op.NONE_OF, Op.BETWEEN})
"""Operators that take a list of values."""


@dataclass(frozen=True, slots=True)
class ContactsQuery:
    """What the address book is asked for."""

    wanted: ContactFilter
    """The filter without the search."""
    search: str | None = None
    """None: the segment's."""
    sort: Sort | None = None
    """None: the sort in which the filter is fastest."""
    descending: bool = False
    segment_id: int = 0
    is_changed: bool = False
    """The conditions differ from the segment's."""

    @classmethod
    def read(cls, pairs: Pairs, *, zone: str) -> Self:
        """Read the parameters of an address; invalid ones are left out. `zone` is the organization's."""
        one = dict(pairs)
        found = [condition for pair in pairs if (condition := _condition(*pair, zone=zone)) is not None]
        match = Match.ANY if one.get("match") == Match.ANY else Match.ALL
        sort = Sort(one["sort"]) if one.get("sort") in set(Sort) else None
        turned = {"True": True, "False": False}
        segment = one.get("segment", "")
        segment_id = (
            int(segment) if segment.isascii() and segment.isdigit() and len(segment) < _ID_FIGURES else 0
        )
        return cls(
            wanted=_in_zone(
                ContactFilter(tuple(found[:MOST_CONDITIONS]), match, zone=zone), one.get("time_zone")
            ),
            search=one["search"][:LONGEST_SEARCH] if "search" in one else None,
            sort=sort,
            descending=turned.get(one.get("descending", ""), DESCENDING[sort]) if sort else False,
            segment_id=segment_id,
            is_changed=segment_id > 0 and (bool(found) or "match" in one),
        )

    def address(self, *, zone: str) -> str:
        """Return the end of the address, such as "?search=jo"; `read` in the same zone gives the same back."""
        first: list[tuple[str, str]] = []
        if self.segment_id:
            first.append(("segment", str(self.segment_id)))
        if self.search is not None:
            first.append(("search", self.search))
        if self.sort is not None:
            first.append(("sort", self.sort.value))
            if self.descending != DESCENDING[self.sort]:
                first.append(("descending", str(self.descending)))
        full = ending([*first, *self._conditions(zone)])
        return full if len(full) <= LONGEST else ending(first)

    def _conditions(self, zone: str) -> Pairs:
        if self.segment_id and not self.is_changed:
            return []
        conditions = [(f"{one.field}.{one.op.value}", _text(one)) for one in self.wanted.conditions]
        if self.segment_id or self.wanted.match is Match.ANY:  # With a segment: its filter was changed.
            conditions.append(("match", self.wanted.match.value))
        if self.wanted.conditions and self.wanted.zone != zone:
            conditions.append(("time_zone", self.wanted.zone))
        return conditions


_ID_FIGURES: Final = 19
"""More digits than an id has."""


def _in_zone(wanted: ContactFilter, zone: str | None) -> ContactFilter:
    try:
        return replace(wanted, zone=read_filter({"time_zone": zone}, zone=wanted.zone).zone)
    except FilterInvalid:
        return wanted


def _text(condition: Condition) -> str:
    value = condition.value
    if isinstance(value, tuple):
        return ",".join(str(one).replace("%", "%25").replace(",", "%2C") for one in value)
    return "" if value is None else str(value)


def _condition(name: str, text: str, *, zone: str) -> Condition | None:
    """Return the condition in a parameter; None if it holds none."""
    field, dot, op = name.rpartition(".")
    if not dot or op not in set(Op):
        return None
    value: Any = text
    if op in EMPTINESS:
        value = None
    elif op in _LISTED:
        value = [unquote(one) for one in text.split(",")]
    elif op in {Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS} and text.isascii() and text.isdigit():
        value = int(text[:_ID_FIGURES])
    try:
        return read_filter(
            {"conditions": [{"field": field, "op": op, "value": value}]}, zone=zone
        ).conditions[0]
    except FilterInvalid:
        return None
