"""The form of a number, in a sheet at the side."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    banner,
    checkbox_field,
    choose,
    copy_button,
    drawer,
    error_of,
    facts,
    fold,
    folds,
    form_actions,
    form_field,
    form_row,
    phone_text,
    record,
    secondary_button,
    stacked_form,
    submit_button,
    text_input,
)
from app.web.components.kinds import as_text, present
from app.web.pages.numbers.state import NumberForm, NumbersState
from app.web.session import allows


def number_drawer() -> rx.Component:
    """Return the sheet with the form; people who may not change numbers can only read it."""
    form, may_edit = record(NumbersState.form, NumberForm), allows(Right.EDIT_NUMBERS)
    is_new = form.id == 0
    return drawer(
        stacked_form(
            rx.cond(
                present(form.texts_problem),
                banner(form.texts_problem, kind="warning", title="Replies to this number are not received"),
            ),
            rx.cond(
                present(form.inactive_why),
                banner(form.inactive_why, kind="warning", title="This number was switched off"),
            ),
            rx.cond(
                is_new,
                _number(),
                facts(
                    (
                        "E.164",
                        rx.fragment(
                            phone_text(form.number), copy_button(form.number, label="Copy the number")
                        ),
                    )
                ),
            ),
            _label(form, ~may_edit),
            checkbox_field(
                name="voice",
                label="Calls",
                help_text="Campaigns may call from this number.",
                error=error_of(NumbersState, "voice"),
                default_checked=form.voice,
                disabled=~may_edit,
                record=NumbersState.form_version,
            ),
            checkbox_field(
                name="sms",
                label="Texts",
                help_text="Campaigns may text from this number. Its carrier must allow it.",
                error=error_of(NumbersState, "sms"),
                default_checked=form.sms,
                disabled=~may_edit,
                record=NumbersState.form_version,
            ),
            _caps(form, ~may_edit),
            rx.cond(
                may_edit,
                form_actions(
                    secondary_button("Cancel", on_click=NumbersState.set_open(False)),
                    submit_button(choose(is_new, "Add number", "Save changes"), saving=NumbersState.saving),
                ),
            ),
            state=NumbersState,
            on_submit=NumbersState.save,
        ),
        is_open=NumbersState.is_open,
        on_open_change=NumbersState.set_open,
        title=choose(is_new, "Add number", as_text(form.pretty)),
        sentence=choose(
            is_new,
            "It must belong to your carrier account. Checking with the carrier may take a moment.",
            "The number itself cannot be changed.",
        ),
    )


def _caps(form: ObjectVar[NumberForm], disabled: rx.Var[bool]) -> rx.Component:
    def box(name: str, label: str, value: rx.Var[str], help_text: str, unit: str) -> rx.Component:
        error = error_of(NumbersState, name)
        control = text_input(
            name=name,
            input_type="number",
            default_value=value,
            error=error,
            disabled=disabled,
            record=NumbersState.form_version,
        )
        measured = rx.el.div(control, rx.el.span(unit, class_name="cs-unit"), class_name="cs-measure")
        return form_field(measured, name=name, label=label, help_text=help_text, error=error)

    section = fold(
        "Caps",
        form.caps,
        box(
            "daily_cap",
            "Max calls in 24 hours",
            form.daily_cap,
            "All campaigns together. 0 = no limit.",
            "calls",
        ),
        form_row(
            box("burst_cap", "Max calls per burst", form.burst_cap, "0 = no limit.", "calls"),
            box("burst_minutes", "Burst window", form.burst_minutes, "1 to 1,440.", "minutes"),
        ),
        box(
            "cool_down_minutes",
            "Pause after a burst",
            form.cool_down_minutes,
            "Counted from the last call of the burst.",
            "minutes",
        ),
    )
    return folds(section)


def _number() -> rx.Component:
    error = error_of(NumbersState, "number")
    return form_field(
        text_input(
            name="number",
            input_type="tel",
            placeholder="+1 201 555 0123",
            error=error,
            required=True,
            record=NumbersState.form_version,
        ),
        name="number",
        label="Number",
        help_text="With its country code, or in the format of your organization's country.",
        error=error,
    )


def _label(form: ObjectVar[NumberForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(NumbersState, "label")
    return form_field(
        text_input(
            name="label",
            default_value=form.label,
            placeholder="Sales, New York",
            error=error,
            disabled=disabled,
            record=NumbersState.form_version,
        ),
        name="label",
        label="Label",
        help_text="Internal. Contacts see only the number.",
        error=error,
        optional=True,
    )
