"""Adding a number to the list by hand, lifting one with a reason, and the history of one."""

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex.event import EventCallback, EventSpec

from app.domain.phone import pretty
from app.domain.rights import Right
from app.services.suppression.operations import lift, suppress_contact
from app.services.suppression.queries import get_suppression, suppressions_of
from app.web.components import say, say_done
from app.web.forms import written
from app.web.guard import FormState, anyone, guarded
from app.web.pages.suppressions.presenter import SuppressionRow, scope_or_all, suppression_row
from app.web.pages.suppressions.state import SuppressionsState
from app.web.visit import Visit


class SuppressionChangeState(FormState, rx.State):
    """Which dialog is open, and what it is about."""

    asking: rx.Field[str] = rx.field("")
    """"add", "lift" or "history"."""
    lifting: rx.Field[int] = rx.field(0)
    number: rx.Field[str] = rx.field("")
    name: rx.Field[str] = rx.field("")
    history: rx.Field[list[SuppressionRow]] = rx.field(default_factory=list)
    form_version: rx.Field[int] = rx.field(0)

    @anyone
    def ask_to_add(self) -> None:
        """Open the form of a new suppression."""
        self.asking, self.errors = "add", {}
        self.form_version += 1

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the dialogs away."""
        if not is_open:
            self.asking, self.errors = "", {}

    @guarded(Right.VIEW)
    async def ask_to_lift(self, visit: Visit, suppression_id: int) -> None:
        """Ask for the reason before a suppression is lifted."""
        async with visit.reading() as session:
            view = await get_suppression(session, principal=visit.principal, suppression_id=suppression_id)
        self.asking, self.lifting, self.number, self.errors = "lift", view.id, view.pretty, {}
        self.form_version += 1

    @guarded(Right.VIEW)
    async def show_history(self, visit: Visit, number: str, name: str) -> None:
        """Show every suppression of a number, lifted ones too."""
        async with visit.reading() as session:
            views = await suppressions_of(session, principal=visit.principal, number=number)
        zone, now = visit.principal.time_zone, visit.now
        self.history = [suppression_row(view, zone=zone, now=now) for view in views]
        self.asking, self.number, self.name = "history", pretty(number) if views else "", name[:200]

    @guarded(Right.EDIT_CONTACTS)
    async def add(
        self, visit: Visit, form: dict[str, Any]
    ) -> AsyncIterator[EventSpec | EventCallback[()] | None]:
        """Suppress a number."""
        self.saving, self.errors = True, {}
        yield None
        closed = await visit.write(
            lambda session: suppress_contact(
                session,
                principal=visit.principal,
                number=written(form, "number"),
                scope=scope_or_all(written(form, "scope")),
                reason=written(form, "reason"),
                now=visit.now,
            )
        )
        self.asking = ""
        yield say_done("The number is blocked") if closed else say("That number is blocked already")
        yield SuppressionsState.refresh

    @guarded(Right.EDIT_CONTACTS)
    async def lift(
        self, visit: Visit, form: dict[str, Any]
    ) -> AsyncIterator[EventSpec | EventCallback[()] | None]:
        """Lift the suppression."""
        self.saving, self.errors = True, {}
        yield None
        await visit.write(
            lambda session: lift(
                session,
                principal=visit.principal,
                suppression_id=self.lifting,
                reason=written(form, "reason"),
                now=visit.now,
            )
        )
        self.asking = ""
        yield say_done("Block removed")
        yield SuppressionsState.refresh
