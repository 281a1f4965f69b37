"""Adding people to a draft, paused or failed campaign: by hand, or ticked one by one in the address book."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.runtime.context import get_context
from app.services.access.principal import Principal
from app.services.campaigns.adding import add_contacts, add_manual
from app.services.campaigns.views import AddResult
from app.services.contacts.index_scans import Sort
from app.services.contacts.offset_pages import contacts_by_number
from app.services.errors import Conflict
from app.web.campaign_here import campaign_here
from app.web.components import (
    error_of,
    form_actions,
    form_dialog,
    form_field,
    record,
    say_done,
    search_field,
    secondary_button,
    stacked_form,
    submit_button,
    text_area,
    text_input,
)
from app.web.guard import FormState, anyone, guarded
from app.web.pages.audiences.view import audience_button
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.pages.campaign.contacts.view import Known
from app.web.pages.campaign.state import CampaignState, Header
from app.web.session import allows
from app.web.words import counted

_SHOWN = 20


class AddContactsState(FormState, rx.State):
    """Which of the two dialogs is open, and whom the address book offers."""

    adding: rx.Field[str] = rx.field("")
    """"hand" or "book"."""
    search: rx.Field[str] = rx.field("")
    known: rx.Field[list[Known]] = rx.field(default_factory=list)
    chosen: rx.Field[list[int]] = rx.field(default_factory=list)
    known_note: rx.Field[str] = rx.field("")

    @anyone
    def by_hand(self) -> None:
        """Open the form for one person."""
        self.adding, self.errors = "hand", {}

    @guarded(Right.VIEW)
    async def from_book(self, principal: Principal) -> None:
        """Open the address book."""
        self.adding, self.chosen = "book", []
        await self._look_up(principal, "")

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the dialogs away."""
        if not is_open:
            self.adding = ""

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add(self, principal: Principal, form: dict[str, Any]) -> EventSpec:
        """Add one person by number."""
        self.saving, self.errors = True, {}
        context = get_context()
        result = await context.database.write(
            lambda session: add_manual(
                session,
                principal=principal,
                campaign_ref=campaign_here(self),
                number=str(form.get("phone_number", "")),
                name=str(form.get("name", "")),
                variables=_variables(str(form.get("variables", ""))),
                now=context.clock.now(),
            )
        )
        return await self._added(principal, result)

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, principal: Principal, search: str) -> None:
        """Search the address book."""
        await self._look_up(principal, search[:200])

    @anyone
    def choose(self, contact_id: int) -> None:
        """Tick or untick a contact of the address book."""
        others = [one for one in self.chosen if one != contact_id]
        self.chosen = others if contact_id in self.chosen else [*others, contact_id]

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add_chosen(self, principal: Principal) -> EventSpec:
        """Add the ticked contacts."""
        if not self.chosen:
            raise Conflict("Tick at least one contact.")
        self.saving = True
        context = get_context()
        result = await context.database.write(
            lambda session: add_contacts(
                session,
                principal=principal,
                campaign_ref=campaign_here(self),
                contact_ids=self.chosen,
                now=context.clock.now(),
            )
        )
        return await self._added(principal, result)

    async def _look_up(self, principal: Principal, search: str) -> None:
        self.search = search
        async with get_context().database.session() as session:
            found = await contacts_by_number(
                session,
                principal=principal,
                search=search,
                page_size=_SHOWN,
                sort=Sort.NAME,
                descending=False,
            )
        self.known = [Known(row.id, row.name or "No name", row.pretty, row.suppressed) for row in found.items]
        more = found.total - len(found.items)
        self.known_note = f"{more:,} more: search to find them." if more > 0 else ""

    async def _added(self, principal: Principal, result: AddResult) -> EventSpec:
        self.adding, self.chosen = "", []
        contacts = await self.get_state(CampaignContactsState)
        await contacts._refresh(principal)  # noqa: SLF001 - a public method would be anybody's to call
        return say_done(_result_sentence(result))


def _variables(text: str) -> dict[str, str]:
    """Read lines of "name = value"; a line without "=" names a variable without a value."""
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _result_sentence(result: AddResult) -> str:
    parts = [f"{counted(result.added, 'contact', 'contacts')} added."]
    if result.duplicates:
        parts.append(f"{result.duplicates:,} already in the campaign.")
    if result.suppressed:
        parts.append(f"{result.suppressed:,} must not be contacted and will be skipped.")
    return " ".join([*parts, *result.warnings])


def add_buttons() -> rx.Component:
    """Return the ways to add, where they are allowed now."""
    offered = allows(Right.EDIT_CAMPAIGNS) & record(CampaignState.header, Header).can_edit
    return rx.el.div(
        rx.cond(
            offered,
            rx.fragment(
                secondary_button("Add contact", icon="user-plus", on_click=AddContactsState.by_hand),
                secondary_button("Choose people", icon="list-checks", on_click=AddContactsState.from_book),
            ),
        ),
        audience_button(),
        class_name="cs-header-actions",
    )


def add_dialogs() -> rx.Component:
    """Return both dialogs."""
    return rx.fragment(_hand_dialog(), _book_dialog())


def _hand_dialog() -> rx.Component:
    return form_dialog(
        stacked_form(
            form_field(
                text_input(
                    name="phone_number",
                    input_type="tel",
                    placeholder="+1 201 555 0123",
                    error=error_of(AddContactsState, "phone_number"),
                    required=True,
                ),
                name="phone_number",
                label="Phone number",
                help_text="With the country code, beginning with +.",
                error=error_of(AddContactsState, "phone_number"),
            ),
            form_field(
                text_input(name="name", error=error_of(AddContactsState, "name")),
                name="name",
                label="Name",
                error=error_of(AddContactsState, "name"),
                optional=True,
            ),
            form_field(
                text_area(name="variables", placeholder="appointment_date = Friday 9:00", rows=3),
                name="variables",
                label="Variables",
                help_text="One a line, for the templates: name = value.",
                optional=True,
            ),
            form_actions(
                secondary_button("Cancel", on_click=AddContactsState.close(False)),
                submit_button("Add contact", saving=AddContactsState.saving),
            ),
            state=AddContactsState,
            on_submit=AddContactsState.add,
        ),
        is_open=AddContactsState.adding == "hand",
        on_open_change=AddContactsState.close,
        title="Add a contact",
        sentence="The person joins this campaign and your address book.",
    )


def _book_dialog() -> rx.Component:
    return form_dialog(
        search_field(value=AddContactsState.search, on_change=AddContactsState.find, label="Search contacts"),
        rx.cond(
            AddContactsState.known.length() == 0,
            rx.el.p("Nobody in your address book fits.", class_name="cs-quiet cs-nobody"),
            rx.el.div(rx.foreach(AddContactsState.known, _known), class_name="cs-ticks cs-book"),
        ),
        rx.el.p(AddContactsState.known_note, class_name="cs-quiet"),
        form_actions(
            secondary_button("Cancel", on_click=AddContactsState.close(False)),
            rx.button(
                "Add ",
                AddContactsState.chosen.length(),
                " contacts",
                on_click=AddContactsState.add_chosen,
                loading=AddContactsState.saving,
                disabled=AddContactsState.chosen.length() == 0,
                type="button",
            ),
        ),
        is_open=AddContactsState.adding == "book",
        on_open_change=AddContactsState.close,
        title="Choose people",
        sentence="Tick the people who join this campaign.",
    )


def _known(known: ObjectVar[Known]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=AddContactsState.chosen.contains(known.id),
            on_change=AddContactsState.choose(known.id),
            class_name="cs-checkbox",
        ),
        rx.el.span(known.name),
        rx.cond(known.suppressed, rx.el.span("Must not be contacted", class_name="cs-quiet")),
        rx.el.span(known.number, class_name="cs-number cs-quiet"),
        class_name="cs-tick",
    )
