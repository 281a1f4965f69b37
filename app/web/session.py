"""Who is signed in and where, for display. Nothing here decides what anyone may do: `guard.py` does."""

from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec

from app.config import get_settings
from app.domain.rights import Right
from app.web import routes


@dataclass(frozen=True, slots=True)
class OrganizationLink:
    """An organization the person is a member of."""

    slug: str
    name: str


def here() -> rx.Var[str]:
    """Return the Var of the organization's slug in the page's address, for links; call it inside page functions."""
    slug: rx.Var[str] = getattr(rx.State, routes.ORGANIZATION)
    return slug


class SessionState(rx.State):
    """What the shell shows of the person, the organization and the carrier. Copies for the eye, never for a decision."""

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

    @rx.event
    async def sign_out(self) -> EventSpec:
        """Leave by a real page load, which ends the session and clears its cookie."""
        return rx.call_script(f"window.location.assign('{routes.AUTH_SIGN_OUT}')")


def allows(right: Right) -> rx.Var[bool]:
    """Return whether to show what `right` is needed for: cosmetics, the handler behind it asks again."""
    return SessionState.rights.contains(right.value)
