"""Builds the statements that read one page of the address book, and that count up to a limit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql.selectable import Subquery
from sqlmodel import col

from app.domain.contact_filter import ContactFilter
from app.models import Contact
from app.services.contacts.cursors import Cursor
from app.services.contacts.index_scans import DESCENDING, IndexScan, Sort, natural_sort, scans_for

_TIMES: Final = frozenset({Sort.CREATED, Sort.LAST_CONTACTED})


@dataclass(frozen=True, slots=True)
class ListOrder:
    """The order of a list."""

    sort: Sort
    descending: bool

    @classmethod
    def of(cls, wanted: ContactFilter, sort: Sort | None, descending: bool | None) -> Self:  # noqa: FBT001  # as asked
        """Return the requested order; without one, the order that suits the filter."""
        chosen = sort or natural_sort(wanted)
        if chosen is Sort.MATCH and not wanted.search:
            chosen = natural_sort(wanted)
        return cls(chosen, DESCENDING[chosen] if descending is None else descending)

    def cursor(self, place: tuple[str, int], *, backwards: bool = False) -> str:
        """Return the cursor of the page after (or before) a row."""
        key, row_id = place
        return str(Cursor(self.sort, self.descending, key, row_id, backwards))


def page_statement(
    wanted: ContactFilter,
    *,
    organization_id: int,
    now: datetime,
    order: ListOrder,
    after: Cursor | None,
    limit: int,
) -> Select[Contact, str]:
    """Return the statement for the rows (contact, sort key as a text) after, or before, a cursor."""
    falling = order.descending != (after is not None and after.backwards)
    scans = scans_for(wanted, organization_id=organization_id, now=now, sort=order.sort)
    page = _union(scans, order, after, falling=falling, limit=limit)
    place = [page.c.key.desc(), page.c.id.desc()] if falling else [page.c.key, page.c.id]
    return (
        select(Contact, cast(page.c.key, Text).label("place"))
        .join(page, page.c.id == col(Contact.id))
        .order_by(*place)
        .limit(limit)
    )


def count_statement(wanted: ContactFilter, *, organization_id: int, now: datetime, most: int) -> Select[int]:
    """Return the statement that counts up to one more than `most`."""
    # In the order of an index: else the count also reads the table's rows of other organizations.
    sort = natural_sort(wanted)
    scans = scans_for(wanted, organization_id=organization_id, now=now, sort=sort)
    found = [
        select(literal_column("1", Integer).label("one"))
        .select_from(Contact)
        .where(*scan.where)
        .order_by(*([scan.key] if scan.listed is None else [scan.listed, scan.key]))
        .limit(most + 1)
        for scan in scans
    ]
    rows = union_all(*found).subquery() if len(found) > 1 else found[0].subquery()
    return select(func.count()).select_from(select(rows).limit(most + 1).subquery())


def _union(
    scans: list[IndexScan], order: ListOrder, after: Cursor | None, *, falling: bool, limit: int
) -> Subquery:
    """Return the rows of all scans, each from its own index and no further than the page."""
    pages: list[Select[int, Any]] = []
    for scan in scans:
        key, row = scan.key, col(Contact.id)
        reached = [] if after is None else [_beyond(scan, order, after, falling=falling)]
        places = [key, row] if scan.listed is None else [scan.listed, key, row]
        by = [place.desc() for place in places] if falling else places
        found: Select[int, Any] = select(row.label("id"), key.label("key"))
        pages.append(found.where(*scan.where, *reached).order_by(*by).limit(limit))
    return union_all(*pages).subquery("page") if len(pages) > 1 else pages[0].subquery("page")


def _beyond(scan: IndexScan, order: ListOrder, after: Cursor, *, falling: bool) -> ColumnElement[bool]:
    kind: Any = DateTime(timezone=True) if order.sort in _TIMES else Text()
    key = cast(bindparam(None, after.key, type_=Text()), kind)
    place, reached = tuple_(scan.key, col(Contact.id)), tuple_(key, after.row_id)
    if scan.listed is not None:
        place = tuple_(scan.listed, scan.key, col(Contact.id))
        reached = tuple_(literal(scan.value, scan.listed.type), key, after.row_id)
    return place < reached if falling else place > reached
