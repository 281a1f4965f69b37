"""The form of a person's card."""

from collections.abc import Mapping

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.consent import Consent, ConsentScope
from app.web.components import (
    choose,
    error_of,
    form_actions,
    form_field,
    form_row,
    record,
    secondary_button,
    select_input,
    stacked_form,
    submit_button,
    text_area,
    text_input,
)
from app.web.components.kinds import InputType, Text, as_text, present
from app.web.options import countries_with, time_zone_input
from app.web.pages.contacts.card_state import ContactCardState
from app.web.pages.contacts.presenter import CONSENT_SCOPES, CONSENTS, ContactCard


def contact_form() -> rx.Component:
    """Return the form."""
    card = record(ContactCardState.card, ContactCard)
    return stacked_form(
        form_row(
            _line("name", "Name", card.name),
            _line(
                "number", "Number", card.e164, input_type="tel", placeholder="+1 201 555 0123", needed=True
            ),
        ),
        form_row(
            _line("first_name", "First name", card.first_name),
            _line("last_name", "Last name", card.last_name),
        ),
        form_row(
            _line("email", "E-mail", card.email, input_type="email"),
            _line("company", "Company", card.company),
        ),
        form_row(_country(card.country), _line("state", "State", card.state, placeholder="NY")),
        form_row(_zone(card), _line("language", "Language", card.language, placeholder="en-US")),
        _line("tags", "Tags", card.tags, help_text="Separated by commas.", placeholder="vip, newsletter"),
        _lines(
            "fields",
            "Custom fields",
            card.own_fields,
            help_text="One per line: name: value. Messages use them as variables, such as {{deal_stage}}.",
            placeholder="deal_stage: proposal",
        ),
        _lines("notes", "Notes", card.notes),
        form_row(
            _choice("consent", "Consent", CONSENTS, card.consent),
            _choice("consent_scope", "Consent is for", CONSENT_SCOPES, card.consent_scope),
        ),
        _line("consent_source", "Where it was given", card.consent_source, placeholder="Web form"),
        _lines(
            "consent_wording",
            "What they agreed to",
            card.consent_wording,
            help_text="Word for word. It is the evidence.",
        ),
        _line(
            "consent_evidence",
            "Proof",
            card.consent_evidence,
            placeholder="A link, a file or a recording",
        ),
        form_actions(
            secondary_button("Cancel", on_click=ContactCardState.set_editing(False)),
            submit_button(
                choose(card.id == 0, "Add contact", "Save changes"), saving=ContactCardState.saving
            ),
        ),
        state=ContactCardState,
        on_submit=ContactCardState.save,
    )


def _line(
    name: str,
    label: str,
    value: Text,
    *,
    input_type: InputType = "text",
    placeholder: str = "",
    help_text: str | None = None,
    needed: bool = False,
) -> rx.Component:
    error = error_of(ContactCardState, name)
    return form_field(
        text_input(
            name=name,
            input_type=input_type,
            default_value=value,
            placeholder=placeholder,
            error=error,
            required=needed,
            record=ContactCardState.form_version,
        ),
        name=name,
        label=label,
        help_text=help_text,
        error=error,
        optional=not needed,
    )


def _lines(
    name: str, label: str, value: Text, *, help_text: str | None = None, placeholder: str = ""
) -> rx.Component:
    error = error_of(ContactCardState, name)
    return form_field(
        text_area(
            name=name,
            default_value=value,
            placeholder=placeholder,
            error=error,
            rows=3,
            record=ContactCardState.form_version,
        ),
        name=name,
        label=label,
        help_text=help_text,
        error=error,
        optional=True,
    )


def _choice(
    name: str, label: str, words: Mapping[Consent, str] | Mapping[ConsentScope, str], value: Text
) -> rx.Component:
    error = error_of(ContactCardState, name)
    return form_field(
        select_input(
            name=name,
            options=[(each.value, said) for each, said in words.items()],
            default_value=value,
            error=error,
            record=ContactCardState.form_version,
        ),
        name=name,
        label=label,
        error=error,
    )


def _country(value: Text) -> rx.Component:
    error = error_of(ContactCardState, "country")
    return form_field(
        select_input(
            name="country",
            options=countries_with("Not known"),
            default_value=value,
            error=error,
            record=ContactCardState.form_version,
        ),
        name="country",
        label="Country",
        error=error,
        optional=True,
    )


def _zone(card: ObjectVar[ContactCard]) -> rx.Component:
    error = error_of(ContactCardState, "time_zone")
    return form_field(
        time_zone_input(
            default_value=card.time_zone,
            placeholder="Not set",
            error=error,
            record=ContactCardState.form_version,
        ),
        name="time_zone",
        label="Time zone",
        help_text=choose(
            present(card.time_zone) | (card.id == 0),
            "Without one, state, postcode or phone number tell it.",
            as_text("Now: ") + as_text(card.where) + ".",
        ),
        error=error,
        optional=True,
    )
