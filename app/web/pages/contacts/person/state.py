"""A person's page: their history, page by page."""

from collections.abc import AsyncIterator

import reflex as rx

from app.domain.rights import Right
from app.services.contacts.history import contact_history
from app.services.contacts.queries import get_contact
from app.web import routes
from app.web.guard import PageState, guarded
from app.web.pages.contacts.person.presenter import Happened, happened
from app.web.visit import Visit


class PersonPageState(PageState, rx.State):
    """The history shown; the card is `ContactCardState`'s."""

    events: rx.Field[list[Happened]] = rx.field(default_factory=list)
    has_more: rx.Field[bool] = rx.field(False)
    _theirs: rx.Field[str] = rx.field("")
    """The person's time zone; empty if it is not known, or may be one of several."""
    _next: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show the person of the address."""
        self.loading, self.problem, self.events, self.has_more = True, "", [], False
        yield
        await self._read(visit, first=True)
        self.loading = False

    @guarded(Right.VIEW)
    async def show_more(self, visit: Visit) -> None:
        """Show what came before."""
        await self._read(visit)

    async def _read(self, visit: Visit, *, first: bool = False) -> None:
        contact_id = routes.contact_id(self.router.url.path)
        async with visit.reading() as session:
            if first:
                card = await get_contact(session, principal=visit.principal, contact_id=contact_id)
                zones = card.where.zones if card.where is not None else ()
                self._theirs = zones[0] if len(zones) == 1 else ""
            found = await contact_history(
                session,
                principal=visit.principal,
                contact_id=contact_id,
                cursor="" if first else self._next,
            )
        now = visit.now
        shown = [
            happened(item, zone=visit.principal.time_zone, theirs=self._theirs, now=now)
            for item in found.items
        ]
        self.events = shown if first else [*self.events, *shown]
        self._next, self.has_more = found.next, bool(found.next)
