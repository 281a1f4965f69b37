"""What is said, tried on a real contact."""

import json

import reflex as rx
from reflex.vars import ObjectVar

from app.web.components import (
    banner,
    choice_cards,
    choose,
    columns,
    error_of,
    field_error,
    form_field,
    glyph,
    panel,
    select_input,
)
from app.web.components.kinds import as_text, flag_word
from app.web.layout import shell
from app.web.options import draw_option
from app.web.pages.campaign.fields import message as fields_of
from app.web.pages.campaign.fields.drawing import Area, Editor
from app.web.pages.wizard.message.state import FallbackRow, MessageState, PreviewPart
from app.web.pages.wizard.parts.frame import wizard_form
from app.web.pages.wizard.steps import WizardStep

_EDITOR = Editor(MessageState, MessageState.channel == "sms")

_INSERT = """((written) => {
  const boxes = [...document.querySelectorAll('textarea[name$="_template"]')];
  const box = boxes.find((one) => one.id === window.callsheetTemplate) ?? boxes[0];
  if (!box) return;
  box.focus();
  box.setRangeText(written, box.selectionStart, box.selectionEnd, 'end');
  box.dispatchEvent(new Event('input', {bubbles: true}));
})"""
"""Put a placeholder where the caret was last, as if it had been typed: a box keeps its caret when left."""


@shell("Campaigns")
def message() -> rx.Component:
    """Return the wizard's second step."""
    return wizard_form(
        WizardStep.MESSAGE,
        MessageState,
        columns(_templates(), _values(), aside=rx.el.div(_preview(), class_name="cs-wizard-aside")),
    )


def _templates() -> rx.Component:
    return panel(
        _chips(),
        rx.el.div(
            rx.cond(MessageState.channel == "sms", _sms(), _call()),
            class_name="cs-wizard-templates",
        ),
        title=choose(MessageState.channel == "sms", "Text message", "What your agent says"),
        description=choose(
            MessageState.channel == "sms",
            "Plain and short. Variables are replaced for each contact.",
            "Write as you would speak. Variables are replaced for each contact.",
        ),
    )


def _chips() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.span("Insert", class_name="cs-help"),
            rx.foreach(MessageState.list_variables, lambda name: _chip(name, own=True)),
            rx.foreach(MessageState.variables, lambda name: _chip(name, own=False)),
            role="group",
            aria_label="Insert a variable at the cursor",
            class_name="cs-wizard-chips",
        ),
        rx.el.p(
            "Filters: ",
            rx.el.code("{{name|title_case}}"),
            " ",
            rx.el.code("{{name|upper}}"),
            " ",
            rx.el.code("{{phone_number|phone_format}}"),
            " ",
            rx.el.code("{{company|default('our team')}}"),
            class_name="cs-help",
        ),
        class_name="cs-wizard-insert",
    )


def _chip(name: rx.Var[str], *, own: bool) -> rx.Component:
    written = as_text("{{") + name.to(str) + as_text("}}")
    return rx.el.button(
        written,
        type="button",
        on_click=rx.call_script(as_text(f"{_INSERT}('") + written + as_text("')")),
        class_name="cs-chip",
        data_kind="button",
        data_own="true" if own else "false",
        title="A column of your list" if own else "Every contact has it",
    )


def _call() -> rx.Component:
    greets = choose(
        MessageState.greeting != "",
        as_text("Said when the call is answered. Left empty: ") + MessageState.greeting,
        "Said when the call is answered. Introduce yourself, and say why you call.",
    )
    first, *others = fields_of.SPOKEN
    return rx.fragment(_template(first, greets), *(_template(area) for area in others))


def _sms() -> rx.Component:
    return rx.fragment(
        _template(fields_of.WRITTEN),
        rx.el.div(
            glyph("ruler", size=15),
            rx.el.strong(MessageState.size, class_name="cs-number"),
            rx.el.span(MessageState.size_hint),
            aria_live="polite",
            data_long=flag_word(MessageState.is_long),
            class_name="cs-wizard-size",
        ),
    )


def _template(area: Area, help_text: rx.Var[str] | None = None) -> rx.Component:
    return rx.el.div(
        area.draw(_EDITOR, help_text),
        on_focus=rx.call_script(f"window.callsheetTemplate = {json.dumps(area.name)}"),
    )


def _values() -> rx.Component:
    return panel(
        rx.el.div(
            choice_cards(
                name=fields_of.MISSING,
                legend="When a contact has no value for a variable",
                choices=fields_of.MISSING_CHOICES,
                value=MessageState.missing,
                on_change=MessageState.choose_missing,
            ),
            rx.cond(MessageState.fallbacks.length() > 0, _fallbacks(), rx.fragment()),
            class_name="cs-wizard-fields cs-wizard-pairs",
        ),
        title="Missing values",
    )


def _fallbacks() -> rx.Component:
    name = fields_of.FALLBACKS
    return rx.el.fieldset(
        rx.el.legend(fields_of.LABELS[name]),
        rx.el.p("Said instead, for contacts without a value of their own.", class_name="cs-help"),
        rx.el.div(rx.foreach(MessageState.fallbacks, _fallback), class_name="cs-wizard-fallbacks"),
        field_error(name, error_of(MessageState, name)),
        class_name="cs-wizard-group",
    )


def _fallback(row: ObjectVar[FallbackRow]) -> rx.Component:
    return rx.el.label(
        rx.el.code(row.written),
        rx.el.input(
            name=row.box,
            key=row.name,
            placeholder=choose(row.built_in != "", row.built_in, "No fallback"),
            aria_label=as_text("Fallback of ") + as_text(row.name),
            auto_complete="off",
            max_length=500,
            class_name="cs-input",
        ),
        rx.el.span(
            choose(row.sample != "", as_text("Here: ") + as_text(row.sample), "No value here"),
            class_name="cs-help",
        ),
        class_name="cs-wizard-fallback",
    )


def _preview() -> rx.Component:
    return panel(
        rx.cond(MessageState.people.length() > 0, _choose_person(), _nobody()),
        rx.el.div(
            rx.cond(
                MessageState.parts.length() > 0,
                rx.foreach(MessageState.parts, _part),
                rx.el.p("Nothing is said yet.", class_name="cs-help"),
            ),
            aria_live="polite",
            class_name="cs-wizard-preview",
        ),
        rx.cond(MessageState.unresolved.length() > 0, _unresolved()),
        title="Preview",
        description="As this contact gets it.",
    )


def _choose_person() -> rx.Component:
    return form_field(
        select_input(
            name="preview_person",
            options=rx.foreach(MessageState.people, draw_option),
            value=MessageState.person,
            on_change=MessageState.try_on,
        ),
        name="preview_person",
        label="Contact",
    )


def _nobody() -> rx.Component:
    return rx.el.p(
        choose(
            MessageState.preview_of != "",
            as_text("Tried on ") + MessageState.preview_of + as_text(", from your address book. "),
            "Tried on nobody in particular. ",
        ),
        "Add contacts in the next step to try it on them.",
        class_name="cs-help",
    )


def _part(part: ObjectVar[PreviewPart]) -> rx.Component:
    return rx.el.div(
        rx.el.span(part.label, class_name="cs-wizard-speaker"),
        rx.el.p(part.text),
        class_name="cs-wizard-bubble",
    )


def _unresolved() -> rx.Component:
    return banner(
        rx.el.span("Nothing gives a value to "),
        rx.foreach(
            MessageState.unresolved, lambda name: rx.el.code(as_text("{{") + name.to(str) + as_text("}} "))
        ),
        rx.el.span(" for this contact. Correct the name, or give a fallback."),
        kind="warning",
    )
