"""The boxes of the finer settings, in sections that are folded away: for the wizard and the Settings tab."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import reflex as rx

from app.domain.breaker import HANG_UP_SECONDS
from app.domain.ramp import STEPS
from app.domain.retry import RetryOutcome
from app.services.campaigns.setting_readers import LONGEST_RETRY_DELAY_MINUTES
from app.web.components import (
    checkbox_field,
    error_of,
    fold,
    folds,
    form_field,
    form_row,
    record,
    select_input,
    text_input,
)
from app.web.components.kinds import FieldError, InputType, Text
from app.web.pages.campaign.advanced.presenter import (
    BREAKER,
    BUDGET,
    DELAYS,
    NUMBERS,
    ON,
    OUTCOMES,
    PILOT,
    RETRIES,
    SAFETY,
    SHARE,
    STRATEGIES,
)

_DELAYS_HELP: Final = (
    "Minutes, or a list such as 30, 60, 120: the last one holds for all retries that follow. "
    f"At most {LONGEST_RETRY_DELAY_MINUTES:,}."
)


@dataclass(frozen=True, slots=True)
class Boxes:
    """Where a page keeps the boxes' texts, and how it saves them."""

    state: type[rx.State]
    """Has `errors`, by the API's names."""
    values: object
    """The state's field of box -> what stands in it at first."""
    said: object
    """The state's field of section -> what is set in it."""
    is_text: rx.Var[bool]
    """The campaign texts instead of calling."""
    record: rx.Var[int]
    """Grows whenever the boxes are to take their texts anew."""
    chosen: Callable[[rx.Component], rx.Component] = lambda box: box
    """Wraps a box to choose or tick: the wizard saves it at once."""

    def value(self, name: str) -> rx.Var[str]:
        """Return what stands in a box at first."""
        value: rx.Var[str] = record(self.values, dict).get(name, "").to(str)
        return value

    def summary(self, section: str) -> rx.Var[str]:
        """Return what is set in a section, in one line."""
        said: rx.Var[str] = record(self.said, dict).get(section, "").to(str)
        return said

    def error(self, *paths: str) -> FieldError:
        """Return what is wrong at one of these paths."""
        return error_of(self.state, *paths)


def delays_box(boxes: Boxes) -> rx.Component:
    """Return the box of the minutes before each retry: one number, or a list."""
    error = boxes.error("retry_delays", "retry_delay_minutes")
    return _box(
        boxes, "retry_delays", "Wait before a retry", _DELAYS_HELP, error=error, unit="minutes", kind="text"
    )


def retry_section(boxes: Boxes) -> rx.Component:
    """Return the section of waits that differ by outcome."""
    own = [_own_delays(boxes, outcome) for outcome in RetryOutcome]
    return folds(
        fold(
            RETRIES,
            boxes.summary(RETRIES),
            rx.el.p(
                "Minutes or a list, for outcomes that should wait otherwise; left empty, they wait as above.",
                class_name="cs-help",
            ),
            rx.el.div(*own, class_name="cs-fold-pairs"),
            _tick(
                boxes,
                "retry_back_off",
                "Double the wait past the end of a list",
                "After 30, 60: then 120, 240 minutes, and so on, up to 30 days.",
            ),
        )
    )


def finer_sections(boxes: Boxes) -> rx.Component:
    """Return the sections of everything but pace, retries and hours."""
    return folds(
        fold(NUMBERS, boxes.summary(NUMBERS), *_numbers(boxes)),
        fold(SAFETY, boxes.summary(SAFETY), *_safety(boxes)),
        fold(PILOT, boxes.summary(PILOT), *_pilot(boxes)),
        fold(BUDGET, boxes.summary(BUDGET), _budget(boxes)),
        fold(SHARE, boxes.summary(SHARE), _share(boxes)),
    )


def _own_delays(boxes: Boxes, outcome: RetryOutcome) -> rx.Component:
    error = boxes.error(f"retry_delays_by_outcome.{outcome}")
    label = f"After “{OUTCOMES[outcome].lower()}”"
    box = _box(boxes, DELAYS + outcome, label, error=error, unit="minutes", kind="text")
    if outcome is RetryOutcome.FAILED:
        return box
    return rx.fragment(rx.cond(boxes.is_text, rx.fragment(), box))


def _numbers(boxes: Boxes) -> list[rx.Component]:
    error = boxes.error("number_strategy")
    strategy = form_field(
        select_input(
            name="number_strategy",
            options=[(strategy.value, words) for strategy, words in STRATEGIES.items()],
            default_value=boxes.value("number_strategy"),
            error=error,
            record=boxes.record,
        ),
        name="number_strategy",
        label="Which number of the pool is shown",
        help_text="For a pool of several numbers. Numbers that rest or have reached their cap are passed over.",
        error=error,
    )
    return [
        rx.el.div(boxes.chosen(strategy), class_name="cs-fold-narrow"),
        _tick(
            boxes,
            "retry_other_number",
            "A retry shows another number",
            "Than the attempt before, when the pool has one that is free.",
        ),
    ]


def _safety(boxes: Boxes) -> list[rx.Component]:
    def limit(name: str, label: str, help_text: str, unit: str = "%") -> rx.Component:
        error = boxes.error(f"breaker.{name}")
        return _box(boxes, BREAKER + name, label, help_text, error=error, unit=unit)

    hang_ups = limit(
        "hang_up_rate", "Hang-ups above", f"Who hung up within {HANG_UP_SECONDS} seconds, of who answered."
    )
    return [
        rx.el.p(
            "The campaign is paused as soon as one of these is passed, and lists the attempts that show it. "
            "0 switches a sign off.",
            class_name="cs-help",
        ),
        form_row(
            limit("failure_rate", "Failures above", "Wrong numbers, rejected, carrier's errors."),
            limit("refusal_rate", "Refusals above", "Turned down by the carrier."),
            limit("opt_out_rate", "Opt-outs above", "People who ask not to be contacted again."),
        ),
        form_row(
            rx.fragment(rx.cond(boxes.is_text, rx.fragment(), hang_ups)),
            limit("refusals_in_a_row", "Refusals in a row", "For a cause that will not pass.", unit=""),
        ),
        form_row(
            limit("window", "Look at the last", "10 to 500.", unit="attempts"),
            limit("minimum", "From so many on", "Fewer show nothing.", unit="attempts"),
        ),
    ]


def _pilot(boxes: Boxes) -> list[rx.Component]:
    steps = ", ".join(f"{step}%" for step in STEPS[:-1])
    pilot = _box(
        boxes,
        "pilot_size",
        "Pilot",
        "Contact so many, then pause and wait for you. 0 is no pilot.",
        error=boxes.error("pilot_size"),
        unit="contacts",
    )
    return [
        rx.el.div(pilot, class_name="cs-fold-narrow"),
        _tick(
            boxes,
            "ramp",
            "Guarded ramp",
            f"Contact {steps} of the people, then all: each step only if the rates above hold.",
        ),
    ]


def _budget(boxes: Boxes) -> rx.Component:
    box = _box(
        boxes,
        "budget_cap",
        "Budget cap",
        "In the currency of your carrier account. Calls in flight count with what they are likely to cost; "
        "at the cap nothing more is placed. Empty is no cap.",
        error=boxes.error("budget_cap"),
        kind="text",
    )
    return rx.el.div(box, class_name="cs-fold-narrow")


def _share(boxes: Boxes) -> rx.Component:
    box = _box(
        boxes,
        "weight",
        "Share",
        "1 to 100. When campaigns compete for your organization's calls at once, one with 2 gets twice as many "
        "as one with 1. None is left with nothing.",
        error=boxes.error("weight"),
    )
    return rx.el.div(box, class_name="cs-fold-narrow")


def _box(
    boxes: Boxes,
    name: str,
    label: str,
    help_text: Text | None = None,
    *,
    error: FieldError,
    unit: str = "",
    kind: InputType = "number",
) -> rx.Component:
    box = text_input(
        name=name, input_type=kind, default_value=boxes.value(name), error=error, record=boxes.record
    )
    control = rx.el.div(box, rx.el.span(unit, class_name="cs-unit"), class_name="cs-measure", data_kind=kind)
    return form_field(control if unit else box, name=name, label=label, help_text=help_text, error=error)


def _tick(boxes: Boxes, name: str, label: str, help_text: str) -> rx.Component:
    return boxes.chosen(
        checkbox_field(
            name=name,
            label=label,
            help_text=help_text,
            default_checked=boxes.value(name) == ON,
            record=boxes.record,
        )
    )
