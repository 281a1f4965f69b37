"""The bulk changes of the address book: progress of the current ones, results of the earlier ones."""

from dataclasses import dataclass
from typing import Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.bulk_change import BulkAction, BulkStatus
from app.domain.rights import Right
from app.domain.suppression import SuppressionScope
from app.services.contacts.bulk import BulkView, cancel_bulk_change, list_bulk_changes
from app.services.live_hub import Watched, watch
from app.web.components import say_done
from app.web.guard import PageState, anyone, guarded, still_allowed
from app.web.pages.contacts.filter_presenter import filter_words
from app.web.pages.contacts.names_presenter import Names, names_in
from app.web.pages.contacts.presenter import CONSENTS, SCOPES
from app.web.visit import Visit
from app.web.words import Moment, counted, moment

MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class BulkLine:
    """A bulk change in the sheet."""

    id: int
    title: str
    """What it does: "Tag vip, new"."""
    whom: str
    result: str
    refused: str
    """Why the first refused person was not changed; empty if nobody was refused."""
    status: str
    by: str
    at: Moment


@dataclass(frozen=True, slots=True)
class _Changes:
    """The changes and the names they mention: the same for everybody who watches."""

    views: tuple[BulkView, ...]
    names: Names


class BulkHistoryState(PageState, rx.State):
    """The sheet, and the change that is under way."""

    is_open: rx.Field[bool] = rx.field(False)
    lines: rx.Field[list[BulkLine]] = rx.field(default_factory=list)
    under_way: rx.Field[str] = rx.field("")
    """Progress of the newest change under way; empty if there is none."""

    @guarded(Right.VIEW)
    async def open(self, visit: Visit) -> None:
        """Show the newest changes."""
        self._show(visit, await _read(visit))
        self.is_open = True

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Put the sheet away."""
        self.is_open = is_open

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Follow all changes of the organization, also those of other people."""
        async with self:
            self.is_open = False
        watched = Watched(visit.principal.organization_id, None, "bulk changes")
        check = still_allowed(self, Right.VIEW)
        async for found in watch(watched, lambda: _read(visit), check=check):
            async with self:
                self._show(visit, found)

    @guarded(Right.EDIT_CONTACTS)
    async def cancel(self, visit: Visit, bulk_id: int) -> EventSpec:
        """Stop a change; people already changed stay changed."""
        await visit.write(
            lambda session: cancel_bulk_change(
                session, principal=visit.principal, bulk_ref=bulk_id, now=visit.now
            )
        )
        self._show(visit, await _read(visit))
        return say_done("Stopped. People already changed stay changed")

    def _show(self, visit: Visit, found: _Changes) -> None:
        zone, now = visit.principal.time_zone, visit.now
        self.lines = [
            BulkLine(
                id=view.id,
                title=_title(view),
                whom=filter_words(view.wanted, found.names),
                result=_result(view),
                refused=view.refusals[0].reason if view.refusals else "",
                status=view.status.value,
                by=f"by {view.created_by}" if view.created_by else "",
                at=moment(view.created_at, zone, now=now),
            )
            for view in found.views
        ]
        running = [line for line in self.lines if line.status == BulkStatus.RUNNING]
        self.under_way = f"{running[0].title}: {running[0].result}" if running else ""


async def _read(visit: Visit) -> _Changes:
    async with visit.reading() as session:
        found = await list_bulk_changes(session, principal=visit.principal, page_size=MOST_SHOWN)
        names = await names_in(session, [view.wanted for view in found.items], principal=visit.principal)
    return _Changes(tuple(found.items), names)


def _title(view: BulkView) -> str:
    said = view.arguments
    match view.action:
        case BulkAction.TAG:
            return f"Tag {', '.join(said['tags'])}"
        case BulkAction.UNTAG:
            return f"Untag {', '.join(said['tags'])}"
        case BulkAction.SUPPRESS:
            return SCOPES[SuppressionScope(said["scope"])]
        case BulkAction.CONSENT:
            return f"Consent: {CONSENTS[said['consent']].lower()}"
        case BulkAction.DELETE:
            return "Delete"


def _result(view: BulkView) -> str:
    parts = [f"{counted(view.changed, 'contact', 'contacts')} changed"]
    if same := view.matched - view.changed - view.refused:
        parts.append(f"{same:,} were so already")
    if view.refused:
        parts.append(f"{view.refused:,} left as they were")
    return ", ".join(parts)
