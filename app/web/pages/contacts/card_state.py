"""One person's card: their details, their campaigns, and whether they may be contacted."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.rights import Right
from app.domain.suppression import SuppressionScope
from app.services.contacts.deleting import delete_contact
from app.services.contacts.operations import create_contact, update_contact
from app.services.contacts.queries import get_contact
from app.services.errors import FieldErrors
from app.services.suppression.operations import lift, suppress_contact
from app.web import routes
from app.web.components import say, say_done
from app.web.forms import written
from app.web.guard import FormState, anyone, guarded
from app.web.pages.contacts.person.state import PersonPageState
from app.web.pages.contacts.presenter import (
    ContactCard,
    PersonCampaign,
    SuppressionItem,
    contact_card,
    history_item,
    own_fields,
    suppression_item,
    tags,
)
from app.web.pages.contacts.state import ContactsState
from app.web.visit import Visit

_TEXTS: Final = (
    *("number", "name", "first_name", "last_name", "email", "company"),
    *("time_zone", "country", "state", "language", "notes"),
)
_CONSENT: Final = ("consent", "consent_scope", "consent_source", "consent_wording", "consent_evidence")


_BLOCKED: Final[Mapping[SuppressionScope, str]] = {
    SuppressionScope.ALL: "no calls or texts",
    SuppressionScope.VOICE: "no calls",
    SuppressionScope.SMS: "no texts",
}


class ContactCardState(FormState, rx.State):
    """The card in the sheet."""

    card: rx.Field[ContactCard] = rx.field(default_factory=ContactCard)
    history: rx.Field[list[PersonCampaign]] = rx.field(default_factory=list)
    suppressions: rx.Field[list[SuppressionItem]] = rx.field(default_factory=list)
    is_open: rx.Field[bool] = rx.field(False)
    editing: rx.Field[bool] = rx.field(False)
    form_version: rx.Field[int] = rx.field(0)
    """Counts openings of the form, so that each starts with its own values."""
    asking: rx.Field[str] = rx.field("")
    """Which question is open: "suppress" or "lift"."""
    lifting: rx.Field[int] = rx.field(0)
    """The suppression that the open question is about."""

    @anyone
    def reset_card(self) -> None:
        """Close everything at the start of a visit."""
        self.card, self.history, self.suppressions = ContactCard(), [], []
        self.is_open, self.editing, self.asking, self.lifting = False, False, "", 0

    @guarded(Right.VIEW)
    async def open(self, visit: Visit, contact_id: int) -> None:
        """Show a person's card; 0 opens the form of a new one."""
        self.errors, self.editing = {}, contact_id == 0
        self.card, self.history, self.suppressions = ContactCard(), [], []
        if contact_id:
            await self._read(visit, contact_id)
        self.form_version += 1
        self.is_open = True

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Close the sheet."""
        self.is_open = is_open

    @anyone
    def set_editing(self, editing: bool) -> None:  # noqa: FBT001 - a client's argument
        """Switch between card and form; leaving the form of a new person closes the sheet."""
        self.editing, self.errors = editing, {}
        self.form_version += 1
        self.is_open = self.is_open and (editing or self.card.id > 0)

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show the card of the person in the address."""
        self.card, self.history, self.suppressions, self.errors = ContactCard(), [], [], {}
        self.is_open, self.editing, self.asking, self.lifting = False, False, "", 0
        yield
        await self._read(visit, routes.contact_id(self.router.url.path))

    @guarded(Right.VIEW)
    async def read_again(self, visit: Visit) -> None:
        """Show the person as they are by now."""
        if self.card.id:
            await self._read(visit, self.card.id)
            await self._tell(visit)

    @anyone
    def edit(self) -> None:
        """Open the form of the shown person."""
        self.errors, self.editing, self.is_open = {}, True, self.card.id > 0
        self.form_version += 1

    @guarded(Right.EDIT_CONTACTS)
    async def delete(self, visit: Visit) -> EventSpec:
        """Take the person out of the address book."""
        self.saving, self.asking = True, ""
        await visit.write(
            lambda session: delete_contact(session, principal=visit.principal, contact_id=self.card.id)
        )
        self.card = ContactCard()
        return rx.redirect(routes.contacts(visit.principal.organization_slug))

    @guarded(Right.EDIT_CONTACTS)
    async def save(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Store the form and show the card."""
        self.saving, self.errors = True, {}
        yield None
        contact_id = self.card.id
        changes: dict[str, Any] = {name: written(form, name) for name in _TEXTS}
        changes |= {"tags": tags(written(form, "tags")), "fields": own_fields(written(form, "fields"))}
        changes |= {name: written(form, name) for name in _CONSENT if name in form}

        async def stored(session: AsyncSession) -> int:
            now = visit.now
            if not contact_id:
                return await create_contact(session, principal=visit.principal, changes=changes, now=now)
            await update_contact(
                session, principal=visit.principal, contact_id=contact_id, changes=changes, now=now
            )
            return contact_id

        is_new = not self.card.id
        await self._read(visit, await visit.write(stored))
        self.editing, self.is_open = False, not self._is_on_page()
        await self._tell(visit)
        yield say_done("Contact added" if is_new else "Contact saved")

    @anyone
    def ask(self, asking: str, suppression_id: int) -> None:
        """Open a question, or close it with an empty text."""
        self.asking, self.lifting, self.errors = asking, suppression_id, {}

    @guarded(Right.EDIT_CONTACTS)
    async def suppress(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Suppress this person's number on the chosen channels."""
        self.saving, self.errors = True, {}
        yield None
        scope = written(form, "scope")
        if scope not in set(SuppressionScope):
            raise FieldErrors({"scope": "Choose what to stop."})
        closed = await visit.write(
            lambda session: suppress_contact(
                session,
                principal=visit.principal,
                number=self.card.e164,
                scope=SuppressionScope(scope),
                reason=written(form, "reason"),
                now=visit.now,
            )
        )
        await self._read(visit, self.card.id)
        self.asking = ""
        await self._tell(visit)
        number = self.card.number
        done = f"Blocked: {_BLOCKED[SuppressionScope(scope)]} to {number}"
        yield say_done(done) if closed else say(f"{number} is blocked already")

    @guarded(Right.EDIT_CONTACTS)
    async def lift(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Allow contacting this person again."""
        self.saving, self.errors = True, {}
        yield None
        await visit.write(
            lambda session: lift(
                session,
                principal=visit.principal,
                suppression_id=self.lifting,
                reason=written(form, "lift_reason"),
                now=visit.now,
            )
        )
        await self._read(visit, self.card.id)
        self.asking = ""
        await self._tell(visit)
        yield say_done("Block removed")

    def _is_on_page(self) -> bool:
        return routes.contact_id(self.router.url.path) > 0

    async def _tell(self, visit: Visit) -> None:
        """Let the list, or the person's history, show what was changed."""
        if self._is_on_page():
            person = await self.get_state(PersonPageState)
            await person._read(visit, first=True)  # noqa: SLF001 - ours
        else:
            contacts = await self.get_state(ContactsState)
            await contacts._read(visit)  # noqa: SLF001 - ours

    async def _read(self, visit: Visit, contact_id: int) -> None:
        async with visit.reading() as session:
            detail = await get_contact(session, principal=visit.principal, contact_id=contact_id)
        zone, now = visit.principal.time_zone, visit.now
        self.card = contact_card(detail, zone=zone, now=now)
        self.history = [history_item(row, zone=zone, now=now) for row in detail.history]
        self.suppressions = [suppression_item(view, zone=zone, now=now) for view in detail.suppression]
