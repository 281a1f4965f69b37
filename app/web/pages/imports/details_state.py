"""One import in full: its counts, its rows with an issue, stopping and continuing it."""

from typing import Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.runtime.jobs import RUN_IMPORT
from app.services.imports.issues import NOT_IMPORTED, IssueKind
from app.services.imports.operations import cancel_import, queue_import
from app.services.imports.queries import get_import, list_issues
from app.services.imports.views import ImportView, IssueRow
from app.services.paging import Page
from app.services.refs import Ref
from app.web import routes
from app.web.components import say_done
from app.web.guard import FormState, anyone, guarded
from app.web.pages.imports.presenter import (
    ISSUE_CLASSES,
    ImportDetails,
    IssueLine,
    import_details,
    issue_line,
)
from app.web.visit import Visit

FIRST_ISSUES: Final = 20
ALL_CLASSES: Final = "all"

_SHOWN: Final = (*NOT_IMPORTED, IssueKind.WARNING, IssueKind.KEPT)
"""Without people already in the address book: they need no action."""


class ImportDetailsState(FormState, rx.State):
    """The import whose sheet is open."""

    is_open: rx.Field[bool] = rx.field(False)
    details: rx.Field[ImportDetails] = rx.field(default_factory=ImportDetails)
    kind: rx.Field[str] = rx.field(ALL_CLASSES)
    issues: rx.Field[list[IssueLine]] = rx.field(default_factory=list)
    issues_note: rx.Field[str] = rx.field("")
    """How many rows are not shown, in words; empty if all are."""
    asking: rx.Field[bool] = rx.field(False)
    """The question whether to stop the import is open."""

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        """Show the import named in the address, if there is one."""
        self.is_open, self.kind, self.asking, self.errors = False, ALL_CLASSES, False, {}
        if asked := routes.asked(self.router.url.query_parameters).get("import"):
            await self._read(visit, str(asked))
            self.is_open = True

    @guarded(Right.VIEW)
    async def open(self, visit: Visit, import_id: int) -> None:
        """Show an import."""
        self.kind, self.asking, self.errors = ALL_CLASSES, False, {}
        await self._read(visit, import_id)
        self.is_open = True

    @guarded(Right.VIEW, supersedes=True)
    async def refresh(self, visit: Visit) -> None:
        """Show the current progress, if the sheet is open."""
        if self.is_open:
            await self._read(visit, self.details.id)

    @guarded(Right.VIEW, supersedes=True)
    async def choose_kind(self, visit: Visit, kind: str) -> None:
        """Show the rows of one class, or of all."""
        self.kind = kind if kind in ISSUE_CLASSES else ALL_CLASSES
        await self._read(visit, self.details.id)

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Close the sheet."""
        self.is_open = is_open and self.is_open

    @anyone
    def ask(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Ask before the import is stopped, or put the question away."""
        self.asking = is_open

    @guarded(Right.EDIT_CONTACTS)
    async def cancel(self, visit: Visit) -> EventSpec:
        """Stop the import after the current rows."""
        self.saving, self.asking = True, False
        await visit.write(
            lambda session: cancel_import(
                session, principal=visit.principal, import_ref=self.details.id, now=visit.now
            )
        )
        await self._read(visit, self.details.id)
        return say_done("Import cancelled")

    @guarded(Right.EDIT_CONTACTS)
    async def go_on(self, visit: Visit) -> EventSpec:
        """Queue the import: it starts, or continues where it stopped."""
        self.saving, self.errors = True, {}
        await visit.write(
            lambda session: queue_import(
                session, principal=visit.principal, import_ref=self.details.id, now=visit.now
            )
        )
        await visit.hint(RUN_IMPORT, self.details.id)
        await self._read(visit, self.details.id)
        return say_done("The import continues")

    async def _read(self, visit: Visit, import_ref: Ref) -> None:
        view, found = await _find(visit, import_ref, self.kind)
        self.details = import_details(view, zone=visit.principal.time_zone, now=visit.now)
        self.issues = [issue_line(issue) for issue in found.items]
        left = found.total - len(found.items)
        self.issues_note = f"And {left:,} more." if left > 0 else ""


async def _find(visit: Visit, import_ref: Ref, kind: str) -> tuple[ImportView, Page[IssueRow]]:
    async with visit.reading() as session:
        view = await get_import(session, principal=visit.principal, import_ref=import_ref)
        found = await list_issues(
            session,
            principal=visit.principal,
            import_ref=import_ref,
            kinds=ISSUE_CLASSES.get(kind, _SHOWN),
            page_size=FIRST_ISSUES,
        )
    return view, found
