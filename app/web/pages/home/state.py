"""The way from `/` or `/[org]` to the page a person starts at."""

import reflex as rx
from reflex.event import EventSpec

from app.context import get_context
from app.services.access.sessions import SignedInUser, memberships
from app.web import routes
from app.web.guard import NotSignedIn, signed_in


class HomeState(rx.State):
    """Knows the way, shows nothing."""

    @signed_in
    async def find_the_way(self, person: SignedInUser) -> EventSpec:
        """Go to the campaigns of the organization in the address, or else of the person's first one."""
        async with get_context().database.session() as session:
            theirs = [one.slug for one in await memberships(session, user_id=person.user_id)]
        if not theirs:
            raise NotSignedIn
        asked = routes.place(self.router.url.path).organization
        return rx.redirect(routes.campaigns(asked if asked in theirs else theirs[0]))
