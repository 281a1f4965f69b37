"""The ways to add people to a campaign, and their two dialogs."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    choose,
    error_of,
    form_actions,
    form_dialog,
    form_field,
    record,
    search_field,
    secondary_button,
    stacked_form,
    submit_button,
    text_area,
    text_input,
)
from app.web.pages.audiences.parts.form import audience_button
from app.web.pages.campaign.contacts.adding_state import AddContactsState
from app.web.pages.campaign.contacts.presenter import Known
from app.web.pages.campaign.state import CampaignState, Header
from app.web.session import allows


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


def hand_dialog() -> rx.Component:
    """Return the form of one person."""
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
                help_text="For the message. One per line: name = value.",
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


def book_dialog() -> rx.Component:
    """Return the list of the address book, to tick people in."""
    return form_dialog(
        search_field(value=AddContactsState.search, on_change=AddContactsState.find, label="Search contacts"),
        rx.cond(
            AddContactsState.known.length() == 0,
            rx.el.p("No matching people in your address book.", class_name="cs-quiet cs-nobody"),
            rx.el.div(rx.foreach(AddContactsState.known, _known), class_name="cs-ticks cs-book"),
        ),
        rx.el.p(AddContactsState.known_note, class_name="cs-quiet"),
        form_actions(
            secondary_button("Cancel", on_click=AddContactsState.close(False)),
            rx.button(
                "Add ",
                AddContactsState.chosen.length(),
                choose(AddContactsState.chosen.length() == 1, " contact", " contacts"),
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
        rx.cond(known.suppressed, rx.el.span("Do not contact", class_name="cs-quiet")),
        rx.el.span(known.number, class_name="cs-number cs-quiet"),
        class_name="cs-tick",
    )
