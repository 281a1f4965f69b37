"""Adding a condition to the filter: what about, how, and which value."""

from typing import Any, Final

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.contact_filter import Match
from app.domain.rights import Right
from app.services.access.principal import Principal
from app.services.contacts.filtering import filter_from
from app.services.errors import FieldErrors
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
from app.web.guard import PageState, anyone, guarded
from app.web.pages.contacts.filters import (
    FIELD_WORDS,
    OWN_FIELD,
    Option,
    choices_for,
    condition_from,
    input_for,
    ops_for,
)
from app.web.pages.contacts.state import ContactsState

_FIRST: Final = "tags"
_PATHS: Final = ("filter.conditions.0.value", "filter.conditions.0.field", "filter.conditions.0")


class FilterFormState(PageState, rx.State):
    """The dialog of a condition."""

    is_open: rx.Field[bool] = rx.field(False)
    field: rx.Field[str] = rx.field(_FIRST)
    op: rx.Field[str] = rx.field("")
    ops: rx.Field[list[Option]] = rx.field(default_factory=list)
    choices: rx.Field[list[Option]] = rx.field(default_factory=list)
    entered_as: rx.Field[str] = rx.field("text")
    version: rx.Field[int] = rx.field(0)

    @anyone
    def open(self) -> None:
        """Open the dialog."""
        self.is_open, self.errors = True, {}
        self._about(_FIRST)

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the dialog away."""
        self.is_open, self.errors = is_open, {}

    @anyone
    def choose_field(self, field: str) -> None:
        """Choose what the condition is about."""
        self._about(field if field in FIELD_WORDS else _FIRST)

    @anyone
    def choose_op(self, op: str) -> None:
        """Choose what is asked of it."""
        self.op = op
        self.entered_as, self.errors = input_for(self.field, op), {}

    @guarded(Right.VIEW)
    async def add(self, principal: Principal, form: dict[str, Any]) -> None:
        """Add the condition and show whom it leaves."""
        self.errors = {}
        said = {"conditions": [condition_from(form, self.field, self.op)]}
        try:
            read = filter_from(said, zone=principal.time_zone)
        except FieldErrors as invalid:
            first = next((invalid.errors[path] for path in _PATHS if path in invalid.errors), str(invalid))
            raise FieldErrors({"value": first}) from invalid
        contacts = await self.get_state(ContactsState)
        await contacts._add(principal, read.conditions)  # noqa: SLF001 - a public method would be anybody's to call
        self.is_open = False

    def _about(self, field: str) -> None:
        self.field, self.ops, self.choices = field, ops_for(field), choices_for(field)
        self.op = self.ops[0].value
        self.entered_as, self.errors = input_for(field, self.op), {}
        self.version += 1


def conditions_bar() -> rx.Component:
    """Return the conditions in force, with what lifts each and how they are joined."""
    return rx.cond(
        ContactsState.chips.length() > 0,
        rx.el.div(
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
            class_name="cs-conditions",
        ),
    )


def _chip(words: rx.Var[str], place: rx.Var[int]) -> rx.Component:
    return filter_chip(words, on_remove=ContactsState.drop_condition(place))


def filter_dialog() -> rx.Component:
    """Return the dialog that adds a condition."""
    return form_dialog(
        stacked_form(
            form_field(
                select_input(
                    name="field",
                    options=list(FIELD_WORDS.items()),
                    default_value=FilterFormState.field,
                    on_change=FilterFormState.choose_field,
                ),
                name="field",
                label="Who",
            ),
            rx.cond(
                FilterFormState.field == OWN_FIELD,
                form_field(
                    text_input(name="own_name", placeholder="deal_stage", required=True),
                    name="own_name",
                    label="Name of the field",
                ),
            ),
            form_field(
                select_input(
                    name="op",
                    options=rx.foreach(FilterFormState.ops, _option),
                    default_value=FilterFormState.op,
                    on_change=FilterFormState.choose_op,
                    record=FilterFormState.version,
                ),
                name="op",
                label="Condition",
            ),
            _value(),
            form_actions(
                secondary_button("Go back", on_click=FilterFormState.set_open(False)),
                submit_button("Add filter", saving=FilterFormState.saving),
            ),
            on_submit=FilterFormState.add,
        ),
        is_open=FilterFormState.is_open,
        on_open_change=FilterFormState.set_open,
        title="Add a filter",
        sentence="Only people who meet it are listed.",
    )


def _value() -> rx.Component:
    return rx.fragment(
        rx.match(
            FilterFormState.entered_as,
            ("none", rx.fragment()),
            (
                "choice",
                _field(
                    select_input(
                        name="value",
                        options=rx.foreach(FilterFormState.choices, _option),
                        record=FilterFormState.version,
                    )
                ),
            ),
            ("days", _field(_input("number", "30"), label="Days")),
            ("date", _field(_input("date"), label="Day")),
            (
                "dates",
                rx.fragment(
                    _field(_input("date"), label="From"),
                    form_field(
                        text_input(name="until", input_type="date", required=True),
                        name="until",
                        label="Until",
                    ),
                ),
            ),
            ("list", _field(_input("text", "vip, newsletter"), label="Tags, with commas between")),
            _field(_input("text")),
        )
    )


def _input(input_type: InputType, placeholder: str = "") -> rx.Component:
    return text_input(
        name="value",
        input_type=input_type,
        placeholder=placeholder,
        required=True,
        error=error_of(FilterFormState, "value"),
        min_value=1 if input_type == "number" else None,
        record=FilterFormState.version,
    )


def _field(control: rx.Component, label: str = "Value") -> rx.Component:
    return form_field(control, name="value", label=label, error=error_of(FilterFormState, "value"))


def _option(option: ObjectVar[Option]) -> rx.Component:
    return rx.el.option(option.words, value=option.value)
