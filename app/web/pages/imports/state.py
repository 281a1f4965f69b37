"""The history of imports: a page of files, and what became of each."""

from collections.abc import AsyncIterator
from typing import Final

import reflex as rx

from app.context import get_context
from app.domain.rights import Right
from app.live_hub import Watched, watch
from app.services.access.principal import Principal
from app.services.imports.queries import list_imports
from app.services.imports.views import ImportView
from app.services.paging import Page
from app.web.guard import PageState, guarded, still_allowed
from app.web.pages.campaign.words import page_range
from app.web.pages.imports.words import ImportRow, import_row

PAGE_SIZE: Final = 25


class ImportsState(PageState, rx.State):
    """The rows on show."""

    rows: rx.Field[list[ImportRow]] = rx.field(default_factory=list)
    page: rx.Field[int] = rx.field(1)
    pages: rx.Field[int] = rx.field(1)
    range_text: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, principal: Principal) -> AsyncIterator[None]:
        """Show the newest files."""
        self.loading, self.problem, self.rows, self.page = True, "", [], 1
        yield
        self._show(principal, await _read(principal, 1))
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, principal: Principal) -> None:
        """Follow the newest files, wherever they run."""
        watched = Watched(principal.organization_id, None, "imports")
        check = still_allowed(self, Right.VIEW)
        async for found in watch(watched, lambda: _read(principal, 1), check=check):
            async with self:
                if self.page == 1 and not self.loading:
                    self._show(principal, found)

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, principal: Principal, by: int) -> None:
        """Go to a neighbouring page."""
        self.page = min(max(1, self.page + by), self.pages)
        self._show(principal, await _read(principal, self.page))

    def _show(self, principal: Principal, found: Page[ImportView]) -> None:
        now = get_context().clock.now()
        self.rows = [import_row(view, zone=principal.time_zone, now=now) for view in found.items]
        self.pages, self.range_text = found.pages, page_range(found, "file", "files")


async def _read(principal: Principal, page: int) -> Page[ImportView]:
    async with get_context().database.session() as session:
        return await list_imports(session, principal=principal, page=page, page_size=PAGE_SIZE)
