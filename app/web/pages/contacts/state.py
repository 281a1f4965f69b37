"""The address book: a page of people, by a search, a filter and a sort; or a saved segment of them.

It does not use `app.web.listing`: its pages are reached by cursors, its filter is made of conditions, and its sort may
be the one in which the filter is fastest.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from app.domain.contact_filter import Condition, ContactFilter, Match, as_json
from app.domain.contact_filter_reading import read_filter
from app.domain.rights import Right
from app.services.access.principal import Principal
from app.services.contacts.index_scans import DESCENDING, Sort
from app.services.contacts.queries import count_contacts, list_contacts
from app.services.errors import NotFound
from app.services.segments.queries import get_segment
from app.web import routes
from app.web.guard import PageState, guarded
from app.web.listing import LONGEST_SEARCH, put_in_address
from app.web.pages.contacts.address_presenter import ContactsQuery
from app.web.pages.contacts.filter_presenter import said
from app.web.pages.contacts.names_presenter import names_in
from app.web.pages.contacts.presenter import ContactListRow, contact_item
from app.web.visit import Visit

PAGE_SIZE: Final = 25


class ContactsState(PageState, rx.State):
    """The rows shown, and the search, filter and sort they belong to."""

    rows: rx.Field[list[ContactListRow]] = rx.field(default_factory=list)
    search: rx.Field[str] = rx.field("")
    sort: rx.Field[str] = rx.field(Sort.CREATED.value)
    descending: rx.Field[bool] = rx.field(True)
    chips: rx.Field[list[str]] = rx.field(default_factory=list)
    """The conditions in words."""
    match: rx.Field[str] = rx.field(Match.ALL.value)
    segment_id: rx.Field[int] = rx.field(0)
    """The segment shown; 0: none."""
    segment: rx.Field[str] = rx.field("")
    is_changed: rx.Field[bool] = rx.field(False)
    """The filter differs from the segment's."""
    is_filtered: rx.Field[bool] = rx.field(False)
    has_previous: rx.Field[bool] = rx.field(False)
    has_next: rx.Field[bool] = rx.field(False)
    count: rx.Field[str] = rx.field("")
    """How many there are: "1,234", or "10,000+"."""
    filters: rx.Field[str] = rx.field("")
    """The filter as the query of the download's address."""
    _rule: rx.Field[str] = rx.field("{}")
    """The conditions as JSON, without the search."""
    _segment_search: rx.Field[str] = rx.field("")
    """The search of the segment shown."""
    _is_sorted: rx.Field[bool] = rx.field(False)
    """True: a person chose the sort. False: it is the one in which the filter is fastest."""
    _cursor: rx.Field[str] = rx.field("")
    _next: rx.Field[str] = rx.field("")
    _previous: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show what the address asks for."""
        self.loading, self.problem, self.rows = True, "", []
        self._forget_filter()
        pairs = routes.asked_pairs(self.router.url.query)
        asked = ContactsQuery.read(pairs, zone=visit.principal.time_zone)
        yield
        await self._take(visit, asked)
        await self._read(visit, first=True)
        self.loading = False

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, visit: Visit, search: str) -> EventSpec:
        """Search by the start of a name, of its last word, or of a number."""
        self.search = search[:LONGEST_SEARCH]
        return await self._read_anew(visit)

    @guarded(Right.VIEW, supersedes=True)
    async def sort_by(self, visit: Visit, key: str) -> EventSpec:
        """Sort by a column; a second time reverses it."""
        wanted = Sort(key) if key in set(Sort) else Sort.CREATED
        self.descending = not self.descending if wanted == self.sort else DESCENDING[wanted]
        self.sort, self._is_sorted = wanted.value, True
        return await self._read_anew(visit)

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, visit: Visit, by: int) -> None:
        """Go to a neighbouring page."""
        self._cursor = self._next if by > 0 else self._previous
        await self._read(visit)

    @guarded(Right.VIEW, supersedes=True)
    async def choose_match(self, visit: Visit, match: str) -> EventSpec:
        """Choose whether all conditions must match, or any of them."""
        self._set(
            replace(self._wanted(visit.principal), match=Match.ANY if match == Match.ANY else Match.ALL)
        )
        return await self._read_anew(visit)

    @guarded(Right.VIEW, supersedes=True)
    async def drop_condition(self, visit: Visit, place: int) -> EventSpec:
        """Remove one condition."""
        wanted = self._wanted(visit.principal)
        kept = tuple(one for at, one in enumerate(wanted.conditions) if at != place)
        self._set(replace(wanted, conditions=kept))
        return await self._read_anew(visit)

    @guarded(Right.VIEW, supersedes=True)
    async def clear(self, visit: Visit) -> EventSpec:
        """Clear search and filter."""
        self._forget_filter()
        return await self._read_anew(visit)

    async def _show(self, visit: Visit, segment_id: int) -> EventSpec:
        """Show who is in a segment."""
        self._forget_filter()
        await self._use(visit, segment_id)
        return await self._read_anew(visit)

    async def _add(self, visit: Visit, conditions: Sequence[Condition]) -> EventSpec:
        """Add these conditions."""
        wanted = self._wanted(visit.principal)
        self._set(replace(wanted, conditions=(*wanted.conditions, *conditions)))
        return await self._read_anew(visit)

    async def _take(self, visit: Visit, asked: ContactsQuery) -> None:
        """Apply the parameters of an address; a deleted segment is left out."""
        if asked.segment_id:
            with suppress(NotFound):
                await self._use(visit, asked.segment_id)
        if asked.is_changed or not self.segment_id:
            self._set(asked.wanted)
        if asked.search is not None:
            self.search = asked.search
        if asked.sort is not None:
            self.sort, self.descending, self._is_sorted = asked.sort.value, asked.descending, True

    async def _use(self, visit: Visit, segment_id: int) -> None:
        """Apply a segment's filter. Raises `NotFound`."""
        async with visit.reading() as session:
            view = await get_segment(
                session, principal=visit.principal, segment_ref=segment_id, now=visit.now
            )
        self._set(view.wanted)
        self.search = view.wanted.search
        self._is_now(view.id, view.name)

    def _is_now(self, segment_id: int, name: str) -> None:
        """Note that the current filter and search are a segment's."""
        self.segment_id, self.segment, self.is_changed = segment_id, name, False
        self._segment_search = self.search

    def _forget_segment(self) -> None:
        self.segment_id, self.segment, self.is_changed, self._segment_search = 0, "", False, ""

    def _forget_filter(self) -> None:
        self.search, self._is_sorted = "", False
        self._rule, self.match = "{}", Match.ALL.value
        self._forget_segment()

    def _wanted(self, principal: Principal) -> ContactFilter:
        """Return the current filter with the search."""
        rule = json.loads(self._rule) | {"search": self.search}
        return read_filter({"time_zone": principal.time_zone} | rule)

    def _set(self, wanted: ContactFilter) -> None:
        """Apply another filter; the search stays as typed in its box."""
        self._rule = json.dumps(as_json(wanted))
        self.match = wanted.match.value
        self.is_changed = self.segment_id > 0

    def _put_in_address(self, visit: Visit) -> EventSpec:
        """Return the event that writes the current search, filter and sort into the address."""
        query = ContactsQuery(
            wanted=self._wanted(visit.principal),
            search=self.search if self.search != self._segment_search else None,
            sort=Sort(self.sort) if self._is_sorted else None,
            descending=self.descending,
            segment_id=self.segment_id,
            is_changed=self.is_changed,
        )
        return put_in_address(self.router.url.path, query.address(zone=visit.principal.time_zone))

    async def _read_anew(self, visit: Visit) -> EventSpec:
        """Show the first page for the current search and filter, and write them into the address."""
        await self._read(visit, first=True)
        return self._put_in_address(visit)

    async def _read(self, visit: Visit, *, first: bool = False) -> None:
        if first:
            self._cursor = ""
        wanted = self._wanted(visit.principal)
        now = visit.now
        async with visit.reading() as session:
            found = await list_contacts(
                session,
                principal=visit.principal,
                wanted=wanted,
                sort=Sort(self.sort) if self._is_sorted else None,
                descending=self.descending if self._is_sorted else None,
                cursor=self._cursor,
                limit=PAGE_SIZE,
                now=now,
            )
            names = await names_in(session, [wanted], principal=visit.principal)
            if first or not self.count:
                self.count = str(
                    await count_contacts(session, principal=visit.principal, wanted=wanted, now=now)
                )
        self.chips = [said(one, names) for one in wanted.conditions]
        self.rows = [contact_item(row, zone=visit.principal.time_zone, now=now) for row in found.items]
        self.sort, self.descending = found.sort.value, found.descending
        self._next, self._previous = found.next, found.previous
        self.has_next, self.has_previous = bool(found.next), bool(found.previous)
        self.is_filtered = bool(wanted)
        self.filters = "?" + urlencode({"filter": json.dumps(as_json(wanted))}) if wanted else ""
