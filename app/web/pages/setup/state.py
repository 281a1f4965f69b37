"""The one-time set-up link: from an empty installation to an owner who is signed in."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from app.runtime.context import get_context
from app.services.access.set_up_links import SetupLinkInvalid, setup_link_is_valid
from app.services.first_run import complete_setup
from app.services.numbers.ownership import CarrierSilent
from app.services.sample_data import SIMULATED_NUMBERS
from app.web import routes
from app.web.carrier import owned_numbers
from app.web.forms import ticked, written
from app.web.guard import FormState, anyone
from app.web.session import enter_with_ticket


class SetupState(FormState, rx.State):
    """Whether the link in the address is still valid, and what is wrong in the form."""

    usable: rx.Field[bool] = rx.field(False)

    @anyone
    async def load(self) -> AsyncIterator[None]:
        """Check whether the link can still be used."""
        self.loading, self.usable, self.problem, self.errors = True, False, "", {}
        yield
        context = get_context()
        async with context.database.session() as session:
            self.usable = await setup_link_is_valid(
                session, token=self._link_token(), now=context.clock.now()
            )
        self.loading = False

    @anyone
    async def complete(self, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Make the owner and their organization, and sign them in."""
        self.saving, self.errors = True, {}
        yield None
        context = get_context()
        numbers = await _sample_numbers() if ticked(form, "load_sample_data") else ()
        try:
            ticket = await context.database.write(
                lambda session: complete_setup(
                    session,
                    token=self._link_token(),
                    email=written(form, "email"),
                    password=str(form.get("password", "")),
                    name=written(form, "name"),
                    organization_name=written(form, "organization_name"),
                    load_sample_data=ticked(form, "load_sample_data"),
                    now=context.clock.now(),
                    carrier_numbers=numbers,
                )
            )
        except SetupLinkInvalid:
            self.usable = False
            return
        yield enter_with_ticket(ticket)

    def _link_token(self) -> str:
        return str(routes.asked(self.router.url.query_parameters).get("token", ""))[:200]


async def _sample_numbers() -> Sequence[str]:
    """Return the simulated carrier's numbers for the sample data; none if it does not answer.

    The owner adds the numbers of a real account: the Numbers page has a button for it.
    """
    settings = get_context().settings
    if not settings.carrier_simulated:
        return ()
    try:
        _, owned = await owned_numbers(settings)
    except CarrierSilent:
        return ()
    has = {each.number for each in owned}
    return [number for number in SIMULATED_NUMBERS if number in has]
