"""How fast people are reached, how often, and when."""

from typing import Any

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.web.components import (
    Choice,
    checkbox_field,
    choice_cards,
    error_of,
    field_error,
    form_field,
    form_row,
    glyph,
    panel,
    record,
    text_input,
)
from app.web.layout import shell
from app.web.options import Option, time_zone_input
from app.web.pages.campaign.advanced.parts.sections import Boxes, delays_box, finer_sections, retry_section
from app.web.pages.wizard.pace.state import ANY, WINDOW, PaceState
from app.web.pages.wizard.parts.frame import Kept, form_values, wizard_form
from app.web.pages.wizard.steps import WizardStep

_HOURS = [
    Choice(WINDOW, "Within certain hours", "On the days and between the times you set.", "clock"),
    Choice(ANY, "Any time", "Day and night, weekends too: for tests and your own staff.", "infinity"),
]
_STARTS = [
    Choice("immediate", "When I press Start", "It begins at once, within the hours above.", "play"),
    Choice(
        "scheduled",
        "At a date and time",
        "It begins by itself; until then it can be paused.",
        "calendar-clock",
    ),
]


def _kept(box: rx.Component) -> rx.Component:
    return Kept.create(box, on_change=form_values(PaceState.keep))


_BOXES = Boxes(
    state=PaceState,
    values=PaceState.values,
    said=PaceState.said,
    is_text=PaceState.channel == "sms",
    record=PaceState.revision,
    chosen=_kept,
)


@shell("Campaigns")
def pace() -> rx.Component:
    """Return the wizard's fourth step."""
    return wizard_form(
        WizardStep.PACE,
        PaceState,
        panel(rx.cond(PaceState.channel == "sms", _sms_pace(), _call_pace()), title="Pace"),
        panel(_retries(), title="Retries", description="What happens when somebody is not reached."),
        panel(_hours(), title="Calling hours", description="When people may be reached."),
        panel(_start(), title="Start"),
        panel(
            finer_sections(_BOXES),
            title="More",
            description="Sensible from the start; open what you want to change.",
        ),
    )


def _number(name: str, label: str, help_text: str, *, least: int, most: int, unit: str = "") -> rx.Component:
    error = error_of(PaceState, name)
    box = text_input(
        name=name,
        input_type="number",
        default_value=record(PaceState.values, dict).get(name, "").to(str),
        min_value=least,
        max_value=most,
        error=error,
        required=True,
        record=PaceState.revision,
    )
    control = rx.el.div(box, rx.el.span(unit, class_name="cs-unit"), class_name="cs-measure")
    return form_field(control if unit else box, name=name, label=label, help_text=help_text, error=error)


def _call_pace() -> rx.Component:
    return rx.el.div(
        form_row(
            _number(
                "concurrent_limit",
                "Calls at once",
                "Higher is faster. Start low and raise it once the first calls went well.",
                least=1,
                most=1000,
            ),
            _number(
                "rate_limit_per_minute",
                "Calls per minute",
                "How many calls may begin within any one minute.",
                least=1,
                most=10_000,
            ),
            _number(
                "throttle_delay_ms",
                "Pause between starts",
                "From one call's start to the next. 0 is none.",
                least=0,
                most=3_600_000,
                unit="ms",
            ),
        ),
        rx.el.p(glyph("gauge", size=15), PaceState.limit, class_name="cs-wizard-note"),
        form_row(
            _number(
                "ring_timeout_seconds",
                "Ring for",
                "How long it may ring before it counts as no answer.",
                least=15,
                most=120,
                unit="seconds",
            ),
            _number(
                "time_limit_seconds",
                "Longest call",
                "The call is ended then, whatever is being said.",
                least=30,
                most=14_400,
                unit="seconds",
            ),
            Kept.create(
                checkbox_field(
                    name="enable_voicemail_detection",
                    label="Detect voicemail",
                    help_text="A machine that answers counts as voicemail, not as a person reached.",
                    default_checked=PaceState.voicemail_detection,
                    record=PaceState.revision,
                ),
                on_change=form_values(PaceState.keep),
                class_name="cs-wizard-beside",
            ),
        ),
        class_name="cs-wizard-fields",
    )


def _sms_pace() -> rx.Component:
    return rx.el.div(
        _number(
            "messages_per_second",
            "Messages per second",
            "What your number may send: 1 is safe for an ordinary number, short codes take up to 100.",
            least=1,
            most=100,
        ),
        class_name="cs-wizard-narrow",
    )


def _retries() -> rx.Component:
    return rx.el.div(
        form_row(
            _number(
                "max_attempts",
                "Attempts in all",
                "The first one counts: 3 is one try and two retries. More than 3 annoys people.",
                least=1,
                most=20,
            ),
            delays_box(_BOXES),
        ),
        _ticks(
            "retry_on",
            "Retry after",
            "Whoever was reached, opted out or has an invalid number is never tried again.",
            PaceState.retries,
        ),
        retry_section(_BOXES),
        class_name="cs-wizard-fields",
    )


def _ticks(name: str, legend: str, help_text: str, ticks: ArrayVar[Any]) -> rx.Component:
    return Kept.create(
        rx.el.fieldset(
            rx.el.legend(legend),
            rx.el.div(rx.foreach(ticks, _tick), class_name="cs-wizard-pills"),
            rx.el.p(help_text, id=f"{name}-help", class_name="cs-help"),
            field_error(name, error_of(PaceState, name)),
            aria_describedby=f"{name}-help {name}-error",
            class_name="cs-wizard-group",
        ),
        on_change=form_values(PaceState.keep),
    )


def _tick(tick: ObjectVar[Option]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=tick.value,
            default_checked=tick.ticked,
            class_name="cs-checkbox",
        ),
        tick.words,
        class_name="cs-wizard-pill",
    )


def _hours() -> rx.Component:
    return rx.el.div(
        choice_cards(
            name="hours_choice",
            legend="Calling hours",
            choices=_HOURS,
            value=PaceState.hours_choice,
            on_change=PaceState.choose_hours,
        ),
        rx.cond(PaceState.hours_choice == WINDOW, _window()),
        rx.cond(
            PaceState.hours_warning != "",
            rx.el.p(
                glyph("triangle-alert", size=15),
                PaceState.hours_warning,
                class_name="cs-wizard-note",
                data_tone="amber",
            ),
        ),
        _time_zone(),
        class_name="cs-wizard-fields",
    )


def _window() -> rx.Component:
    return rx.el.div(
        form_row(
            _time("allowed_start", "From"),
            _time("allowed_end", "Until"),
        ),
        _ticks(
            "allowed_days",
            "On these days",
            "An end before the start is on the next day.",
            PaceState.days,
        ),
        class_name="cs-wizard-fields",
    )


def _time(name: str, label: str) -> rx.Component:
    error = error_of(PaceState, name)
    return form_field(
        text_input(
            name=name,
            input_type="time",
            default_value=record(PaceState.values, dict).get(name, "").to(str),
            error=error,
            record=PaceState.revision,
        ),
        name=name,
        label=label,
        error=error,
    )


def _time_zone() -> rx.Component:
    error = error_of(PaceState, "time_zone")
    return rx.el.div(
        form_field(
            time_zone_input(
                default_value=record(PaceState.values, dict).get("time_zone", "").to(str),
                error=error,
                record=PaceState.revision,
            ),
            name="time_zone",
            label="Time zone",
            help_text="Of these hours and of the start; also of contacts whose own zone is not known. "
            + PaceState.zone_now,
            error=error,
        ),
        class_name="cs-wizard-narrow",
    )


def _start() -> rx.Component:
    error = error_of(PaceState, "scheduled_at")
    return rx.el.div(
        choice_cards(
            name="schedule_type",
            legend="When it starts",
            choices=_STARTS,
            value=PaceState.schedule_type,
            on_change=PaceState.choose_start,
        ),
        rx.cond(
            PaceState.schedule_type == "scheduled",
            rx.el.div(
                form_field(
                    text_input(
                        name="scheduled_at",
                        input_type="datetime-local",
                        default_value=record(PaceState.values, dict).get("scheduled_at", "").to(str),
                        error=error,
                        record=PaceState.revision,
                    ),
                    name="scheduled_at",
                    label="Date and time",
                    help_text=PaceState.starts,
                    error=error,
                ),
                class_name="cs-wizard-narrow",
            ),
        ),
        class_name="cs-wizard-fields",
    )
