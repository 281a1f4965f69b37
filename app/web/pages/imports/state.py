"""The history of imports: a page of files, what became of each, and taking one back."""

from collections.abc import AsyncIterator
from typing import Final

import reflex as rx
from reflex.event import EventCallback, EventSpec

from app.domain.rights import Right
from app.runtime.jobs import RUN_IMPORT
from app.services.imports.queries import get_import, list_imports
from app.services.imports.undo import undo_import
from app.services.imports.views import ImportView
from app.services.live_hub import Watched, watch
from app.services.paging import Page
from app.web.components import say_done
from app.web.guard import PageState, anyone, guarded, still_allowed
from app.web.pages.imports.details_state import ImportDetailsState
from app.web.pages.imports.presenter import ImportRow, import_row
from app.web.visit import Visit
from app.web.words import page_range

PAGE_SIZE: Final = 25


class ImportsState(PageState, rx.State):
    """The rows on show, and the question before one is undone."""

    rows: rx.Field[list[ImportRow]] = rx.field(default_factory=list)
    page: rx.Field[int] = rx.field(1)
    pages: rx.Field[int] = rx.field(1)
    range_text: rx.Field[str] = rx.field("")
    undoing: rx.Field[int] = rx.field(0)
    name: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show the newest files."""
        self.loading, self.problem, self.rows, self.page, self.undoing = True, "", [], 1, 0
        yield
        self._show(visit, await _read(visit, 1))
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> AsyncIterator[EventCallback[()]]:
        """Follow the newest files, wherever they run."""
        watched = Watched(visit.principal.organization_id, None, "imports")
        check = still_allowed(self, Right.VIEW)
        async for found in watch(watched, lambda: _read(visit, 1), check=check):
            async with self:
                if self.page == 1 and not self.loading:
                    self._show(visit, found)
                details = await self.get_state(ImportDetailsState)
                is_open = details.is_open
            if is_open:
                yield ImportDetailsState.refresh

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, visit: Visit, by: int) -> None:
        """Go to a neighbouring page."""
        self.page = min(max(1, self.page + by), self.pages)
        self._show(visit, await _read(visit, self.page))

    @guarded(Right.VIEW)
    async def ask(self, visit: Visit, import_id: int) -> None:
        """Ask before an import is undone."""
        async with visit.reading() as session:
            view = await get_import(session, principal=visit.principal, import_ref=import_id)
        self.undoing, self.name = view.id, view.file_name

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the question away."""
        if not is_open:
            self.undoing = 0

    @guarded(Right.EDIT_CONTACTS)
    async def undo(self, visit: Visit) -> EventSpec | None:
        """Take the import back. The second of two quick clicks finds the question answered."""
        if not self.undoing:
            return None
        self.saving = True
        import_id = self.undoing
        self.undoing = 0
        await visit.write(
            lambda session: undo_import(
                session, principal=visit.principal, import_ref=import_id, now=visit.now
            )
        )
        await visit.hint(RUN_IMPORT, import_id)
        self._show(visit, await _read(visit, self.page))
        return say_done("The import is being undone")

    def _show(self, visit: Visit, found: Page[ImportView]) -> None:
        now = visit.now
        self.rows = [import_row(view, zone=visit.principal.time_zone, now=now) for view in found.items]
        self.pages, self.range_text = found.pages, page_range(found, "file", "files")


async def _read(visit: Visit, page: int) -> Page[ImportView]:
    async with visit.reading() as session:
        return await list_imports(session, principal=visit.principal, page=page, page_size=PAGE_SIZE)
