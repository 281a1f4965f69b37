"""The active conditions, and the dialog that adds one."""

import reflex as rx

from app.domain.contact_filter import Match
from app.web.components import (
    error_of,
    filter_chip,
    form_actions,
    form_dialog,
    form_field,
    secondary_button,
    select_filter,
    select_input,
    stacked_form,
    submit_button,
    text_input,
)
from app.web.components.kinds import InputType
from app.web.options import draw_option
from app.web.pages.contacts.filter_presenter import FIELD_WORDS, OWN_FIELD, STATUS_OPTIONS
from app.web.pages.contacts.filter_state import ConditionForm
from app.web.pages.contacts.state import ContactsState


def conditions() -> rx.Component:
    """Return the active conditions, a button to remove each, and how they are joined."""
    return rx.fragment(
        rx.cond(
            ContactsState.chips.length() > 1,
            select_filter(
                label="How conditions are joined",
                value=ContactsState.match,
                options=[(Match.ALL.value, "All of these"), (Match.ANY.value, "Any of these")],
                on_change=ContactsState.choose_match,
            ),
        ),
        rx.foreach(ContactsState.chips, _chip),
    )


def _chip(words: rx.Var[str], place: rx.Var[int]) -> rx.Component:
    return filter_chip(words, on_remove=ContactsState.drop_condition(place))


def filter_dialog(form: type[ConditionForm], *, sentence: str) -> rx.Component:
    """Return the dialog that adds a condition; `form` is the state that takes it."""
    return form_dialog(
        stacked_form(
            form_field(
                select_input(
                    name="field",
                    options=list(FIELD_WORDS.items()),
                    default_value=form.field,
                    on_change=form.choose_field,
                ),
                name="field",
                label="Who",
            ),
            rx.cond(
                form.field == OWN_FIELD,
                form_field(
                    text_input(
                        name="own_name",
                        placeholder="deal_stage",
                        required=True,
                        error=error_of(form, "own_name"),
                    ),
                    name="own_name",
                    label="Name of the field",
                    error=error_of(form, "own_name"),
                ),
            ),
            form_field(
                select_input(
                    name="op",
                    options=rx.foreach(form.ops, draw_option),
                    default_value=form.op,
                    on_change=form.choose_op,
                    record=form.version,
                ),
                name="op",
                label="Condition",
            ),
            _value(form),
            form_actions(
                secondary_button("Go back", on_click=form.set_open(False)),
                submit_button("Add filter", saving=form.saving),
            ),
            state=form,
            on_submit=form.add,
        ),
        is_open=form.is_open,
        on_open_change=form.set_open,
        title="Add a filter",
        sentence=sentence,
    )


def _value(form: type[ConditionForm]) -> rx.Component:
    return rx.fragment(
        rx.match(
            form.entered_as,
            ("none", rx.fragment()),
            ("choice", _field(form, _choice(form))),
            ("campaign", _field(form, _choice(form), label="Campaign")),
            ("import", _field(form, _choice(form), label="Import")),
            (
                "status",
                rx.fragment(
                    _field(form, _choice(form), label="Campaign"),
                    form_field(
                        select_input(name="status", options=STATUS_OPTIONS, record=form.version),
                        name="status",
                        label="Status there",
                    ),
                ),
            ),
            ("days", _field(form, _input(form, "number", "30"), label="Days")),
            ("date", _field(form, _input(form, "date"), label="Day")),
            (
                "dates",
                rx.fragment(
                    _field(form, _input(form, "date"), label="From"),
                    form_field(
                        text_input(name="until", input_type="date", required=True),
                        name="until",
                        label="Until",
                    ),
                ),
            ),
            (
                "list",
                _field(form, _input(form, "text", "vip, newsletter"), label="Tags, separated by commas"),
            ),
            _field(form, _input(form, "text")),
        )
    )


def _choice(form: type[ConditionForm]) -> rx.Component:
    return select_input(
        name="value",
        options=rx.foreach(form.choices, draw_option),
        record=form.version,
        error=error_of(form, "value"),
    )


def _input(form: type[ConditionForm], input_type: InputType, placeholder: str = "") -> rx.Component:
    return text_input(
        name="value",
        input_type=input_type,
        placeholder=placeholder,
        required=True,
        error=error_of(form, "value"),
        min_value=1 if input_type == "number" else None,
        record=form.version,
    )


def _field(form: type[ConditionForm], control: rx.Component, label: str = "Value") -> rx.Component:
    return form_field(control, name="value", label=label, error=error_of(form, "value"))
