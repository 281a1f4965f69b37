"""The form of a campaign's settings."""

from typing import Any

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.web.components import (
    checkbox_field,
    choose,
    error_of,
    field_error,
    field_form,
    form_actions,
    form_field,
    form_row,
    panel,
    record,
    secondary_button,
    select_input,
    submit_button,
    text_area,
    text_input,
)
from app.web.components.kinds import Child, InputType
from app.web.options import Option, draw_option, time_zone_input
from app.web.pages.campaign.advanced.parts.sections import Boxes, delays_box, finer_sections, retry_section
from app.web.pages.campaign.settings.presenter import MISSING, SMS_TEMPLATE, TEMPLATES
from app.web.pages.campaign.settings.state import CampaignSettingsState as Settings

_BOXES = Boxes(
    state=Settings,
    values=Settings.form,
    said=Settings.said,
    is_text=Settings.is_text,
    record=rx.Var.create(0),
)


def settings_form() -> rx.Component:
    """Return the form; what was wrong stands at the fields when it was saved."""
    return field_form(
        panel(_fields(*_basics()), title="Basics"),
        panel(_fields(*_message()), title="Message"),
        panel(_fields(_pace()), title="Pace"),
        panel(_fields(*_retries()), title="Retries"),
        panel(_fields(*_when()), title="When"),
        panel(
            finer_sections(_BOXES),
            title="More",
            description="Sensible from the start; open what you want to change.",
        ),
        form_actions(
            secondary_button("Cancel", on_click=Settings.give_up),
            submit_button("Save settings", saving=Settings.saving),
            note=choose(Settings.errors.length() > 0, "Not saved: see what is marked above.", ""),
        ),
        state=Settings,
        on_submit=Settings.save,
        custom_attrs={"noValidate": True},
        class_name="cs-stack cs-settings-form",
    )


def _fields(*fields: Child) -> rx.Component:
    return rx.el.div(*fields, class_name="cs-fields")


def _value(name: str) -> rx.Var[str]:
    value: rx.Var[str] = record(Settings.form, dict).get(name, "").to(str)
    return value


def _text(
    name: str, label: str, *, help_text: str | None = None, kind: InputType = "text", error: str = ""
) -> rx.Component:
    problem = error_of(Settings, error or name)
    box = text_input(name=name, default_value=_value(name), input_type=kind, error=problem)
    return form_field(box, name=name, label=label, help_text=help_text, error=problem)


def _number(name: str, label: str, help_text: str | None = None) -> rx.Component:
    return _text(name, label, help_text=help_text, kind="number")


def _area(name: str, label: str, *, rows: int = 3, help_text: str | None = None) -> rx.Component:
    problem = error_of(Settings, name)
    box = text_area(name=name, default_value=_value(name), rows=rows, error=problem)
    return form_field(box, name=name, label=label, help_text=help_text, error=problem)


def _choice(name: str, label: str, options: rx.Component, help_text: str | None = None) -> rx.Component:
    problem = error_of(Settings, name)
    box = select_input(name=name, options=options, default_value=_value(name), error=problem)
    return form_field(box, name=name, label=label, help_text=help_text, error=problem)


def _ticks(legend: str, options: ArrayVar[Any], *, name: str, error: str, prefix: str = "") -> rx.Component:
    def draw(option: ObjectVar[Option]) -> rx.Component:
        return rx.el.label(
            rx.el.input(
                type="checkbox",
                name=rx.Var.create(prefix).to(str) + option.value.to(str),
                id=rx.Var.create(prefix).to(str) + option.value.to(str),
                default_checked=option.ticked,
                class_name="cs-checkbox",
            ),
            option.words,
            class_name="cs-inline-tick",
        )

    return rx.el.fieldset(
        rx.el.legend(legend),
        rx.el.div(rx.foreach(options, draw), class_name="cs-inline-ticks"),
        field_error(name, error_of(Settings, error)),
        class_name="cs-fieldset",
    )


def _options(options: ArrayVar[Any], none: str) -> rx.Component:
    return rx.fragment(
        rx.el.option(none, value=""),
        rx.foreach(options, draw_option),
    )


def _basics() -> list[rx.Component]:
    return [
        _text("name", "Name"),
        _area("description", "Description", rows=2),
        form_row(
            _choice("agent_id", "Agent", _options(Settings.agents, "None chosen")),
            _choice(
                "phone_number_id",
                "Caller ID",
                _options(Settings.numbers, "The agent's default, else the organization's"),
                "What people see on their phone.",
            ),
        ),
        _ticks(
            "Number pool: several caller IDs in place of one",
            Settings.numbers,
            name="number_pool",
            error="number_pool",
            prefix="pool_",
        ),
    ]


def _message() -> list[rx.Component]:
    fallback = _area(
        "fallback_values",
        "Fallback values",
        help_text="One a line: name = what to say when a contact has no value of that name.",
    )
    missing = rx.fragment(*[rx.el.option(words, value=value) for value, words in MISSING.items()])
    calls = rx.el.div(*[_area(name, label) for name, label in TEMPLATES.items()], class_name="cs-fields")
    return [
        rx.fragment(rx.cond(Settings.is_text, _area(SMS_TEMPLATE, "Text message", rows=5), calls)),
        _choice("missing", "Missing values", missing, "For a contact who has no value for a variable."),
        fallback,
    ]


def _pace() -> rx.Component:
    calls = rx.el.div(
        form_row(
            _number("concurrent_limit", "Calls at once"),
            _number("rate_limit_per_minute", "Calls per minute"),
            _number("throttle_delay_ms", "Pause between starts", "In milliseconds; 0 for none."),
        ),
        form_row(
            _number("ring_timeout_seconds", "Ring for", "Seconds before it counts as no answer."),
            _number("time_limit_seconds", "Longest call", "In seconds."),
        ),
        checkbox_field(
            name="enable_voicemail_detection",
            label="Detect voicemail",
            help_text="A machine that answers counts as voicemail, not as a person reached.",
            default_checked=Settings.voicemail,
        ),
        class_name="cs-fields",
    )
    texts = form_row(_number("messages_per_second", "Messages per second"))
    return rx.fragment(rx.cond(Settings.is_text, texts, calls))


def _retries() -> list[rx.Component]:
    return [
        form_row(
            _number("max_attempts", "Attempts in all", "The first one included."),
            delays_box(_BOXES),
        ),
        _ticks("Retry after", Settings.outcomes, name="retry_on", error="retry_on"),
        retry_section(_BOXES),
    ]


def _when() -> list[rx.Component]:
    starts = rx.fragment(
        rx.el.option("When somebody presses Start", value="immediate"),
        rx.el.option("At a date and time", value="scheduled"),
    )
    zone_problem = error_of(Settings, "time_zone")
    zone = form_field(
        time_zone_input(default_value=_value("time_zone"), error=zone_problem),
        name="time_zone",
        label="Time zone",
        error=zone_problem,
    )
    return [
        form_row(
            zone,
            _text(
                "allowed_start",
                "Calling hours begin",
                kind="time",
                error="allowed_start",
                help_text="Leave both empty for any time.",
            ),
            _text("allowed_end", "Calling hours end", kind="time", error="allowed_end"),
        ),
        _ticks("Days", Settings.days, name="allowed_days", error="allowed_days"),
        form_row(
            _choice("schedule_type", "Start", starts),
            _text(
                "scheduled_at",
                "Date and time",
                kind="datetime-local",
                help_text="In the campaign's time zone; for a scheduled start.",
            ),
        ),
    ]
