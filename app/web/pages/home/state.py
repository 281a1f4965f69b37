"""Sends a person from `/` or `/[org]` to the page they start at."""

import reflex as rx
from reflex.event import EventSpec

from app.runtime.context import get_context
from app.services.access.sessions import SignedInUser, memberships
from app.web import routes
from app.web.guard import PageState, signed_in


class HomeState(PageState, rx.State):
    """Who is looked up; the page shows something only to a person without an organization."""

    email: rx.Field[str] = rx.field("")
    """The signed-in person who is a member nowhere; empty while that is looked up."""

    @signed_in
    async def find_the_way(self, person: SignedInUser) -> EventSpec | None:
        """Go to the campaigns of the organization in the address, or else of the person's first one."""
        self.loading, self.problem, self.email = True, "", ""
        async with get_context().database.session() as session:
            theirs = [one.slug for one in await memberships(session, user_id=person.user_id)]
        if not theirs:
            self.email = person.email
            return None
        asked = routes.place(self.router.url.path).organization
        return rx.redirect(routes.campaigns(asked if asked in theirs else theirs[0]))
