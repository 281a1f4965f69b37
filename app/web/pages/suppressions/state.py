"""The suppression list: a page of it, by search and filters."""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlencode

import reflex as rx

from app.domain.rights import Right
from app.services.suppression.queries import filter_of, list_suppressions
from app.web.guard import PageState, guarded
from app.web.pages.suppressions.presenter import ANY, SuppressionRow, range_words, suppression_row
from app.web.visit import Visit

PAGE_SIZE: Final = 25
_LONGEST_SEARCH: Final = 200
_STANDING: Final = "standing"


class SuppressionsState(PageState, rx.State):
    """The rows on show, and what they were asked by."""

    rows: rx.Field[list[SuppressionRow]] = rx.field(default_factory=list)
    search: rx.Field[str] = rx.field("")
    standing: rx.Field[str] = rx.field(_STANDING)
    """"standing", "lifted" or "all"."""
    scope: rx.Field[str] = rx.field(ANY)
    source: rx.Field[str] = rx.field(ANY)
    is_filtered: rx.Field[bool] = rx.field(False)
    filters: rx.Field[str] = rx.field("")
    """The filters as the query of the download's address."""
    page: rx.Field[int] = rx.field(1)
    has_next: rx.Field[bool] = rx.field(False)
    range_text: rx.Field[str] = rx.field("")
    _starts: rx.Field[list[int | None]] = rx.field(default_factory=lambda: [None])
    """After which suppression each page so far begins, and the next one."""

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show the newest in force."""
        self.loading, self.problem, self.rows = True, "", []
        self.search, self.standing, self.scope, self.source = "", _STANDING, ANY, ANY
        yield
        await self._read(visit, first=True)
        self.loading = False

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, visit: Visit, search: str) -> None:
        """Search by the start of a number or of a contact's name."""
        self.search = search[:_LONGEST_SEARCH]
        await self._read(visit, first=True)

    @guarded(Right.VIEW, supersedes=True)
    async def filter_by(self, visit: Visit, what: str, word: str) -> None:
        """Filter by "standing", "scope" or "source"."""
        if what == "standing":
            self.standing = word
        elif what == "scope":
            self.scope = word
        elif what == "source":
            self.source = word
        await self._read(visit, first=True)

    @guarded(Right.VIEW, supersedes=True)
    async def clear(self, visit: Visit) -> None:
        """Take search and filters away."""
        self.search, self.standing, self.scope, self.source = "", _STANDING, ANY, ANY
        await self._read(visit, first=True)

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, visit: Visit, by: int) -> None:
        """Go to a neighbouring page."""
        self.page = min(max(1, self.page + (1 if by > 0 else -1)), len(self._starts))
        await self._read(visit)

    @guarded(Right.VIEW)
    async def refresh(self, visit: Visit) -> None:
        """Read the rows again, after something was changed."""
        await self._read(visit, first=True)

    async def _read(self, visit: Visit, *, first: bool = False) -> None:
        if first:
            self.page, self._starts = 1, [None]
        words = {"state": self.standing, "search": self.search}
        words |= {
            name: word for name, word in (("scope", self.scope), ("source", self.source)) if word != ANY
        }
        async with visit.reading() as session:
            found = await list_suppressions(
                session,
                principal=visit.principal,
                wanted=filter_of(**{"scope": "", "source": ""} | words),
                after=self._starts[self.page - 1],
                limit=PAGE_SIZE,
            )
        zone, now = visit.principal.time_zone, visit.now
        self.rows = [suppression_row(view, zone=zone, now=now) for view in found.items]
        self.has_next = found.next_after is not None
        self._starts = [*self._starts[: self.page], *([found.next_after] if self.has_next else [])]
        self.range_text = range_words(found, (self.page - 1) * PAGE_SIZE + 1)
        self.filters = "?" + urlencode(words)
        self.is_filtered = bool(self.search) or (self.standing, self.scope, self.source) != (
            _STANDING,
            ANY,
            ANY,
        )
