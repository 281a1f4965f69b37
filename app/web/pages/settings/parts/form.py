"""The organization's own settings, as a form."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.services.access.organizations import A_MONTH_OF_HOURS, MOST_ATTEMPTS_TO_ONE
from app.web.components import (
    checkbox_field,
    error_of,
    form_actions,
    form_field,
    form_row,
    record,
    select_input,
    stacked_form,
    submit_button,
    text_input,
)
from app.web.options import countries_with, draw_option, time_zone_input
from app.web.pages.settings.state import OrganizationForm, SettingsState
from app.web.session import allows

_VERSION = SettingsState.form_version


def organization_form() -> rx.Component:
    """Return the form; people who may not change settings can only read it."""
    form, may_edit = record(SettingsState.form, OrganizationForm), allows(Right.MANAGE_SETTINGS)
    return stacked_form(
        _name(form, ~may_edit),
        form_row(_region(form, ~may_edit), _zone(form, ~may_edit)),
        form_row(_limit(form, ~may_edit), _number(form, ~may_edit)),
        form_row(_cap(form, ~may_edit), _cap_hours(form, ~may_edit)),
        checkbox_field(
            name="strict_numbers",
            label="Strict numbers",
            help_text="Reject numbers that could exist but are not assigned, instead of warning about them.",
            default_checked=form.strict_numbers,
            disabled=~may_edit,
            record=_VERSION,
        ),
        rx.cond(
            may_edit,
            form_actions(submit_button("Save settings", saving=SettingsState.saving)),
            rx.el.p("Only owners change these settings.", class_name="cs-help"),
        ),
        state=SettingsState,
        on_submit=SettingsState.save,
    )


def _name(form: ObjectVar[OrganizationForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(SettingsState, "name")
    return form_field(
        text_input(
            name="name",
            default_value=form.name,
            error=error,
            required=True,
            disabled=disabled,
            record=_VERSION,
        ),
        name="name",
        label="Name",
        help_text="Messages use it as {{company}}. Page URLs don't change.",
        error=error,
    )


def _region(form: ObjectVar[OrganizationForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(SettingsState, "default_region")
    return form_field(
        select_input(
            name="default_region",
            options=countries_with(),
            default_value=form.default_region,
            error=error,
            disabled=disabled,
            record=_VERSION,
        ),
        name="default_region",
        label="Country",
        help_text="Numbers without a country code are read as this country's.",
        error=error,
    )


def _zone(form: ObjectVar[OrganizationForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(SettingsState, "time_zone")
    return form_field(
        time_zone_input(default_value=form.time_zone, error=error, disabled=disabled, record=_VERSION),
        name="time_zone",
        label="Time zone",
        help_text="Pages show times in this zone. New campaigns start with it.",
        error=error,
    )


def _limit(form: ObjectVar[OrganizationForm], disabled: rx.Var[bool]) -> rx.Component:
    return _whole(
        "outbound_limit",
        "Calls at once",
        form.outbound_limit,
        "All campaigns and agents together.",
        most=1000,
        disabled=disabled,
    )


def _cap(form: ObjectVar[OrganizationForm], disabled: rx.Var[bool]) -> rx.Component:
    return _whole(
        "frequency_cap",
        "Attempts to one person",
        form.frequency_cap,
        "Most calls and texts to one phone number, all campaigns together. 0 = no limit.",
        least=0,
        most=MOST_ATTEMPTS_TO_ONE,
        disabled=disabled,
    )


def _cap_hours(form: ObjectVar[OrganizationForm], disabled: rx.Var[bool]) -> rx.Component:
    return _whole(
        "frequency_cap_hours",
        "Within",
        form.frequency_cap_hours,
        "After that, they wait until the oldest attempt is this old.",
        most=A_MONTH_OF_HOURS,
        unit="hours",
        disabled=disabled,
    )


def _whole(
    name: str,
    label: str,
    value: rx.Var[str],
    help_text: str,
    *,
    least: int = 1,
    most: int,
    unit: str = "",
    disabled: rx.Var[bool],
) -> rx.Component:
    error = error_of(SettingsState, name)
    box = text_input(
        name=name,
        input_type="number",
        default_value=value,
        error=error,
        required=True,
        min_value=least,
        max_value=most,
        disabled=disabled,
        record=_VERSION,
    )
    measured = rx.el.div(box, rx.el.span(unit, class_name="cs-unit"), class_name="cs-measure")
    return form_field(measured if unit else box, name=name, label=label, help_text=help_text, error=error)


def _number(form: ObjectVar[OrganizationForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(SettingsState, "default_phone_number_id")
    return form_field(
        select_input(
            name="default_phone_number_id",
            options=rx.fragment(
                rx.el.option("None", value=""), rx.foreach(SettingsState.numbers, draw_option)
            ),
            default_value=form.number_id,
            error=error,
            disabled=disabled,
            record=_VERSION,
        ),
        name="default_phone_number_id",
        label="Default caller ID",
        help_text="Used when neither the campaign nor its agent has a number.",
        error=error,
    )
