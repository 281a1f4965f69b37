"""The question until when nobody may contact a person: on their page, and in their sheet of a campaign."""

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from app.domain.opening import place_name
from app.domain.rights import Right
from app.services.contacts.holding import hold_contact, lift_hold
from app.services.contacts.queries import get_contact
from app.services.errors import FieldErrors
from app.web.components import say_done
from app.web.forms import written
from app.web.guard import FormState, anyone, guarded
from app.web.visit import Visit


class HoldState(FormState, rx.State):
    """The open question."""

    contact_id: rx.Field[int] = rx.field(0)
    """The person it is about; 0: it is closed."""
    whose: rx.Field[str] = rx.field("")
    """On whose clock the date and time are, as a sentence."""

    @guarded(Right.EDIT_CONTACTS)
    async def ask(self, visit: Visit, contact_id: int) -> None:
        """Ask until when this person must not be contacted."""
        async with visit.reading() as session:
            card = await get_contact(session, principal=visit.principal, contact_id=contact_id)
        zones = card.where.zones if card.where is not None else ()
        self.errors = {}
        self.whose = (
            f"On their clock in {place_name(zones[0])} ({zones[0]})."
            if zones
            else f"Their time zone is not known: on your organization's clock ({visit.principal.time_zone})."
        )
        self.contact_id = contact_id

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Close the question."""
        self.contact_id = self.contact_id if is_open else 0

    @guarded(Right.EDIT_CONTACTS)
    async def hold(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Let no campaign contact the person before then."""
        self.saving, self.errors = True, {}
        yield None
        day, time = written(form, "hold_date"), written(form, "hold_time")
        try:
            await visit.write(
                lambda session: hold_contact(
                    session,
                    principal=visit.principal,
                    contact_id=self.contact_id,
                    until=f"{day}T{time}" if day and time else day,
                    reason=written(form, "hold_reason"),
                    now=visit.now,
                )
            )
        except FieldErrors as refused:
            boxes = {"until": "hold_date", "reason": "hold_reason"}
            raise FieldErrors(
                {boxes.get(field, field): why for field, why in refused.errors.items()}
            ) from refused
        self.contact_id = 0
        yield say_done("Held")

    @guarded(Right.EDIT_CONTACTS)
    async def lift(self, visit: Visit, contact_id: int) -> EventSpec:
        """Lift a person's hold."""
        await visit.write(
            lambda session: lift_hold(
                session, principal=visit.principal, contact_id=contact_id, now=visit.now
            )
        )
        return say_done("Hold lifted")
