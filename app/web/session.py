"""Who is signed in and where, for display. Nothing here decides what anyone may do: `guard.py` does."""

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
    """An organization the person is a member of."""

    slug: str
    name: str


def here() -> rx.Var[str]:
    """Return the Var of the organization's slug in the address, for links within page functions."""
    slug: rx.Var[str] = getattr(rx.State, routes.ORGANIZATION)
    return slug


class SessionState(rx.State):
    """What the shell shows of person, organization and carrier: copies for the eye, never for a decision."""

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
    """Why there is nothing to show at this address: the organization is not there, or not theirs."""

    @guarded(Right.VIEW)
    async def enter(self, visit: Visit) -> None:
        """Show where the person is and as whom. The first of `ENTER`."""
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
        """Keep the switch that stops all dialing in sight, whoever pulls it. The last of `ENTER`."""

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
        """End the session, and leave by a real page load, which clears the cookie."""
        context = get_context()
        await context.database.write(
            lambda session: sign_out(session, tokens=session_tokens(self), now=context.clock.now())
        )
        # What the pages of this tab were shown is not for whoever sits down at it next.
        root: rx.State = await self.get_state(rx.State)
        root.reset()  # type: ignore[no-untyped-call]  # Reflex leaves it without annotations
        return rx.call_script(_LOCK_OTHER_TABS + _LEAVE)


def enter_with_ticket(ticket: str) -> EventSpec:
    """Return the event that turns a sign-in ticket into the session's cookie, by a real page load."""
    return load_page(f"{routes.AUTH_COMPLETE}?ticket={quote(ticket, safe='')}")


def load_page(path: str) -> EventSpec:
    """Return the event of a real page load; `rx.redirect` stays within the program, with its old cookie."""
    return rx.call_script(_assign(path))


def _assign(path: str) -> str:
    return f"window.location.assign({json.dumps(path)})"


_LOCK_OTHER_TABS: Final = "window.localStorage.setItem('callsheet-signed-out', String(Date.now()));"
"""`assets/lock.js` listens in every tab; one that does not is sent to sign in by whatever it does next."""

_LEAVE: Final = (
    "const leaving = document.createElement('form'); leaving.method = 'post';"
    f" leaving.action = {json.dumps(routes.AUTH_SIGN_OUT)}; document.body.append(leaving); leaving.submit();"
)
"""A real page load that no link and no picture can bring about: the address answers to POST alone."""


ENTER: Final = (SessionState.enter, SessionState.watch)
"""What every page of an organization loads first."""


def allows(right: Right) -> rx.Var[bool]:
    """Return whether to show what `right` is needed for: cosmetics, the handler behind it asks again."""
    return SessionState.rights.contains(right.value)
