"""The signed-in user and the organization, for display only. `guard.py` decides what a user may do."""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import ROLE_RIGHTS, Right
from app.runtime.config import get_settings
from app.runtime.context import get_context
from app.services.access.organizations import organization_settings
from app.services.access.sessions import memberships, sign_out
from app.services.live_hub import Watched, watch
from app.web import routes
from app.web.guard import anyone, guarded, resolve_person, session_tokens, still_allowed
from app.web.visit import Visit


@dataclass(frozen=True, slots=True)
class OrganizationLink:
    """An organization of the user."""

    slug: str
    name: str


def here() -> rx.Var[str]:
    """Return the Var of the organization's slug in the address, for links within page functions."""
    slug: rx.Var[str] = getattr(rx.State, routes.ORGANIZATION)
    return slug


class SessionState(rx.State):
    """What the shell shows of user, organization and carrier. For display only, never for a decision."""

    user_name: rx.Field[str] = rx.field("")
    user_email: rx.Field[str] = rx.field("")
    user_initial: rx.Field[str] = rx.field("")
    organization_name: rx.Field[str] = rx.field("")
    organization_initial: rx.Field[str] = rx.field("")
    organizations: rx.Field[list[OrganizationLink]] = rx.field(default_factory=list)
    role: rx.Field[str] = rx.field("")
    rights: rx.Field[list[str]] = rx.field(default_factory=list)
    time_zone: rx.Field[str] = rx.field("")
    dialing_stopped: rx.Field[bool] = rx.field(False)
    simulated: rx.Field[bool] = rx.field(default_factory=lambda: get_settings().carrier_simulated)
    problem: rx.Field[str] = rx.field("")
    """Why the page cannot be shown: there is no such organization, or the user is no member of it."""

    @guarded(Right.VIEW)
    async def enter(self, visit: Visit) -> None:
        """Show the user and the organization. The first handler of `ENTER`."""
        async with visit.reading() as session:
            organization = await organization_settings(session, principal=visit.principal)
            person = await resolve_person(self)
            theirs = await memberships(session, user_id=person.user_id)
        self.problem = ""
        self.user_name = person.name or person.email
        self.user_email = person.email
        self.user_initial = self.user_name[:1].upper()
        self.organization_name = organization.name
        self.organization_initial = organization.name[:1].upper()
        self.organizations = [OrganizationLink(one.slug, one.name) for one in theirs]
        self.role = visit.principal.role.value
        self.rights = sorted(right.value for right in ROLE_RIGHTS[visit.principal.role])
        self.time_zone = organization.time_zone
        self.dialing_stopped = organization.dialing_stopped_at is not None

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Watch the switch that stops all dialing: others may use it too. The last handler of `ENTER`."""

        async def is_stopped() -> bool:
            async with visit.reading() as session:
                settings = await organization_settings(session, principal=visit.principal)
            return settings.dialing_stopped_at is not None

        watched = Watched(visit.principal.organization_id, None, "shell", of_campaigns=False)
        async for stopped in watch(watched, is_stopped, check=still_allowed(self, Right.VIEW)):
            async with self:
                self.dialing_stopped = stopped

    @anyone
    async def sign_out(self) -> EventSpec:
        """End the session, and load the sign-out page, which clears the cookie."""
        context = get_context()
        await context.database.write(
            lambda session: sign_out(session, tokens=session_tokens(self), now=context.clock.now())
        )
        # The next user of this tab must not see the content of its pages.
        root: rx.State = await self.get_state(rx.State)
        root.reset()  # type: ignore[no-untyped-call]  # Reflex leaves it without annotations
        return rx.call_script(_LOCK_OTHER_TABS + _LEAVE)


def enter_with_ticket(ticket: str) -> EventSpec:
    """Return the event that exchanges a sign-in ticket for a session cookie.

    It loads the page again: after `rx.redirect` the socket would still have the old cookie.
    """
    path = f"{routes.AUTH_COMPLETE}?ticket={quote(ticket, safe='')}"
    return rx.call_script(f"window.location.assign({json.dumps(path)})")


_LOCK_OTHER_TABS: Final = "window.localStorage.setItem('callsheet-signed-out', String(Date.now()));"
"""`assets/lock.js` listens in every tab. A tab in which it does not run is sent to sign in at its next event."""

_LEAVE: Final = (
    "const leaving = document.createElement('form'); leaving.method = 'post';"
    f" leaving.action = {json.dumps(routes.AUTH_SIGN_OUT)}; document.body.append(leaving); leaving.submit();"
)
"""A page load by POST, so that no link or image can sign a user out."""


ENTER: Final = (SessionState.enter, SessionState.watch)
"""The first `on_load` handlers of every page of an organization."""


def allows(right: Right) -> rx.Var[bool]:
    """Tell whether to show an element that needs `right`. For display only: its handler checks the right itself."""
    return SessionState.rights.contains(right.value)
