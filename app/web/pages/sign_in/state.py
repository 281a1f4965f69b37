"""Signing in with e-mail and password."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec

from app.runtime.context import get_context
from app.services.access.known_browsers import BROWSER_COOKIE
from app.services.access.sign_in import SignInRefused, TooManySignIns, check_password_and_issue_ticket
from app.services.access.tickets import local_path
from app.web import routes
from app.web.forms import written
from app.web.guard import FormState, NotSignedIn, anyone, cookie_of, resolve_person
from app.web.session import enter_with_ticket

_NOTICES: Final[Mapping[str, str]] = {
    "expired": "That took too long. Please sign in once more.",
    "ended": "You were signed out meanwhile. Sign in, and go on from there.",
}
"""The reasons that `app.api.sign_in` puts in the address when it sends people here."""


class SignInState(FormState, rx.State):
    """The result of the last try."""

    refusal: rx.Field[str] = rx.field("")
    """Why the last try failed."""
    notice: rx.Field[str] = rx.field("")
    """Why the person was sent here; empty if there is nothing to say."""
    is_open: rx.Field[bool] = rx.field(False)
    """The form is shown; before that it is not known whether the browser is signed in already."""

    @anyone
    async def load(self) -> EventSpec | None:
        """Go on at once if the browser is signed in already, else show an empty form."""
        self.refusal, self.errors, self.is_open = "", {}, False
        asked = routes.asked(self.router.url.query_parameters)
        self.notice = next((told for name, told in _NOTICES.items() if name in asked), "")
        try:
            await resolve_person(self)
        except NotSignedIn:
            self.is_open = True
            return None
        return rx.redirect(self._next_path())

    @anyone
    async def sign_in(self, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Check the password; after too many wrong ones, sign-in must wait."""
        self.saving, self.refusal, self.notice = True, "", ""
        yield None
        context = get_context()
        try:
            ticket = await context.database.write(
                lambda session: check_password_and_issue_ticket(
                    session,
                    email=written(form, "email"),
                    password=str(form.get("password", "")),
                    # Who came, by `app.api.proxies`: Reflex's own reading of proxies stays off.
                    address=self.router.session.client_ip,
                    browser_tokens=cookie_of(self, BROWSER_COOKIE),
                    next_path=self._next_path(),
                    now=context.clock.now(),
                )
            )
        except (SignInRefused, TooManySignIns) as refused:
            self.refusal = str(refused)
            return
        yield enter_with_ticket(ticket)

    def _next_path(self) -> str:
        """Return the page that was wanted, if it is one of ours and not this one."""
        wanted = local_path(str(routes.asked(self.router.url.query_parameters).get("next", routes.HOME)))
        return routes.HOME if wanted.startswith(routes.SIGN_IN) else wanted
