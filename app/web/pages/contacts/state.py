"""The address book: a page of people, found by name or number."""

from collections.abc import AsyncIterator
from typing import Final

import reflex as rx

from app.context import get_context
from app.domain.rights import Right
from app.services.access.principal import Principal
from app.services.contacts.numbered import contacts_by_number
from app.services.contacts.ways import Sort
from app.web.guard import PageState, guarded
from app.web.pages.campaign.words import page_range
from app.web.pages.contacts.words import ContactItem, contact_item

PAGE_SIZE: Final = 25
_LONGEST_SEARCH: Final = 200


class ContactsState(PageState, rx.State):
    """The rows on show, and what they were asked by."""

    rows: rx.Field[list[ContactItem]] = rx.field(default_factory=list)
    search: rx.Field[str] = rx.field("")
    sort: rx.Field[str] = rx.field("created")
    descending: rx.Field[bool] = rx.field(True)
    page: rx.Field[int] = rx.field(1)
    pages: rx.Field[int] = rx.field(1)
    range_text: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, principal: Principal) -> AsyncIterator[None]:
        """Show the newest contacts."""
        self.loading, self.problem, self.rows = True, "", []
        self.search, self.sort, self.descending, self.page = "", "created", True, 1
        yield
        await self._read(principal)
        self.loading = False

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, principal: Principal, search: str) -> None:
        """Search names and numbers by their start."""
        self.search, self.page = search[:_LONGEST_SEARCH], 1
        await self._read(principal)

    @guarded(Right.VIEW, supersedes=True)
    async def sort_by(self, principal: Principal, key: str) -> None:
        """Sort by a column; once more turns it round."""
        key = key if key in set(Sort) else "created"
        self.descending = not self.descending if key == self.sort else key == "created"
        self.sort, self.page = key, 1
        await self._read(principal)

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, principal: Principal, by: int) -> None:
        """Go to a neighbouring page."""
        self.page = min(max(1, self.page + by), self.pages)
        await self._read(principal)

    @guarded(Right.VIEW)
    async def refresh(self, principal: Principal) -> None:
        """Read the rows again, after a card was changed."""
        await self._read(principal)

    async def _read(self, principal: Principal) -> None:
        context = get_context()
        async with context.database.session() as session:
            found = await contacts_by_number(
                session,
                principal=principal,
                search=self.search,
                page=self.page,
                page_size=PAGE_SIZE,
                sort=Sort(self.sort),
                descending=self.descending,
            )
        zone, now = principal.time_zone, context.clock.now()
        self.rows = [contact_item(row, zone=zone, now=now) for row in found.items]
        self.pages, self.range_text = found.pages, page_range(found, "contact", "contacts")
