"""The panels of people one by one: typed in, or chosen from the address book."""

import reflex as rx
from reflex.vars import ObjectVar

from app.web.components import (
    badge,
    empty_state,
    error_of,
    field_error,
    field_form,
    form_field,
    glyph,
    pagination_bar,
    panel,
    phone_text,
    search_field,
    secondary_button,
    text_input,
)
from app.web.components.kinds import as_text, choose
from app.web.pages.wizard.contacts.people_state import PeopleState, PersonRow


def by_hand_panel() -> rx.Component:
    """Return the panel to type one person in."""
    return panel(
        field_form(
            form_field(
                text_input(
                    name="phone_number",
                    input_type="tel",
                    placeholder="+1 202 555 0143",
                    error=error_of(PeopleState, "phone_number"),
                    record=PeopleState.round,
                ),
                name="phone_number",
                label="Phone number",
                help_text="With the country code, to be sure.",
                error=error_of(PeopleState, "phone_number"),
            ),
            form_field(
                text_input(
                    name="person_name",
                    placeholder="Jane Smith",
                    error=error_of(PeopleState, "name"),
                    record=PeopleState.round,
                ),
                name="person_name",
                label="Name",
                error=error_of(PeopleState, "name"),
                optional=True,
            ),
            rx.button(
                glyph("user-plus"),
                "Add contact",
                type="submit",
                variant="surface",
                color_scheme="gray",
                loading=PeopleState.saving,
            ),
            state=PeopleState,
            on_submit=PeopleState.add_by_hand,
            custom_attrs={"noValidate": True},
            class_name="cs-wizard-person",
        ),
        title="Add one by hand",
    )


def address_book_panel() -> rx.Component:
    """Return the panel to choose people of the address book."""
    return panel(
        rx.el.div(
            search_field(
                value=PeopleState.search,
                on_change=PeopleState.find,
                label="Search the address book",
                placeholder="Name or number",
            ),
            rx.el.div(
                secondary_button(
                    choose(
                        PeopleState.ticked.length() > 0,
                        as_text("Add selected (") + PeopleState.ticked.length().to(str) + as_text(")"),
                        "Add selected",
                    ),
                    on_click=PeopleState.add_ticked,
                    disabled=PeopleState.ticked.length() == 0,
                ),
                secondary_button(
                    choose(PeopleState.search != "", "Add all matching", "Add everybody"),
                    on_click=PeopleState.add_matching,
                    disabled=PeopleState.total == 0,
                ),
                class_name="cs-wizard-inline",
            ),
            class_name="cs-wizard-toolbar",
        ),
        field_error("search", error_of(PeopleState, "search")),
        rx.cond(
            PeopleState.rows.length() > 0,
            rx.fragment(
                rx.el.div(rx.foreach(PeopleState.rows, _person), class_name="cs-wizard-people"),
                rx.cond(
                    PeopleState.pages > 1,
                    pagination_bar(
                        text=PeopleState.text,
                        page=PeopleState.page,
                        pages=PeopleState.pages,
                        on_previous=PeopleState.turn(-1),
                        on_next=PeopleState.turn(1),
                        label="Pages of the address book",
                    ),
                ),
            ),
            empty_state(
                icon="users",
                title=choose(PeopleState.search != "", "Nobody matches", "Your address book is empty"),
                sentence="People come into it by files, by hand, or through the API.",
            ),
        ),
        title="Choose one by one",
        description="Who is in the campaign already is not added twice.",
        flush=False,
    )


def _person(person: ObjectVar[PersonRow]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=person.inside | PeopleState.ticked.contains(person.id),
            disabled=person.inside,
            on_change=PeopleState.tick(person.id),
            class_name="cs-checkbox",
        ),
        rx.el.span(person.name, class_name="cs-wizard-who"),
        phone_text(person.number),
        rx.el.span(person.note, class_name="cs-help"),
        rx.cond(person.inside, badge("In this campaign", tone="green", icon="check")),
        rx.cond(person.suppressed, badge("Do not contact", tone="amber", icon="ban")),
        key=person.id,
        class_name="cs-wizard-row",
    )
