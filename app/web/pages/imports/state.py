"""The history of imports: a page of files with their results, and undoing one."""

from collections.abc import AsyncIterator
from typing import Final

import reflex as rx
from reflex.event import EventCallback, EventSpec

from app.domain.rights import Right
from app.runtime.jobs import RUN_IMPORT
from app.services.imports.queries import get_import, list_imports
from app.services.imports.undo import undo_import
from app.services.live_hub import Watched, watch
from app.web.components import say_done
from app.web.guard import anyone, guarded, still_allowed
from app.web.listing import ListQuery, PagedList, Rows
from app.web.pages.imports.details_state import ImportDetailsState
from app.web.pages.imports.presenter import ImportRow, import_row
from app.web.visit import Visit

PAGE_SIZE: Final = 25


class ImportsState(PagedList, rx.State):
    """The rows shown, and the question before one is undone."""

    query: rx.Field[ListQuery] = rx.field(default_factory=ListQuery)
    rows: rx.Field[list[ImportRow]] = rx.field(default_factory=list)
    undoing: rx.Field[int] = rx.field(0)
    name: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> AsyncIterator[EventCallback[()]]:
        """Follow the newest files, whoever started them."""
        watched = Watched(visit.principal.organization_id, None, "imports")
        check = still_allowed(self, Right.VIEW)
        newest = ListQuery()
        async for found in watch(watched, lambda: self._read(visit, newest), check=check):
            async with self:
                if self.query == newest and not self.loading:
                    self._show(found)
                details = await self.get_state(ImportDetailsState)
                is_open = details.is_open
            if is_open:
                yield ImportDetailsState.refresh

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
        """Undo the import. The second of two quick clicks does nothing: the question is answered."""
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
        await self._refresh(visit)
        return say_done("The import is being undone")

    def _begin(self) -> None:
        self.undoing = 0

    async def _read(self, visit: Visit, query: ListQuery) -> Rows:
        async with visit.reading() as session:
            found = await list_imports(
                session, principal=visit.principal, page=query.page, page_size=PAGE_SIZE
            )
        zone, now = visit.principal.time_zone, visit.now
        return Rows.of(found, [import_row(view, zone=zone, now=now) for view in found.items], "file", "files")
