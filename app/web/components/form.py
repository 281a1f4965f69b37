"""Forms: a field with its label, help and error tied together, and the drop zone of files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from app.web.components.feedback import banner
from app.web.components.icons import glyph
from app.web.components.kinds import (
    Change,
    Child,
    Click,
    Count,
    FieldError,
    Flag,
    InputType,
    Submit,
    Text,
    as_text,
    flag_word,
    present,
)
from app.web.forms import FormProblem


def form_field(
    control: rx.Component,
    *,
    name: str,
    label: Text,
    help_text: Text | None = None,
    error: FieldError | None = None,
    optional: bool = False,
) -> rx.Component:
    """Return a labelled control; make the control with one of the makers below and the same `name`."""
    return rx.el.div(
        rx.el.label(
            label,
            rx.el.span("Optional", class_name="cs-optional") if optional else rx.fragment(),
            html_for=name,
        ),
        control,
        rx.el.p(help_text, id=f"{name}-help", class_name="cs-help")
        if help_text is not None
        else rx.fragment(),
        field_error(name, error) if error is not None else rx.fragment(),
        class_name="cs-field",
    )


def field_error(name: str, error: FieldError) -> rx.Component:
    """Return the error of the field `name`: a live region, empty while there is none."""
    return rx.el.p(
        rx.cond(
            present(error.text),
            rx.fragment(glyph("circle-alert", size=14), error.text),
        ),
        id=f"{name}-error",
        aria_live="polite",
        class_name="cs-error",
        data_error_of=error.keys,
    )


def unboxed_errors(state: type[rx.State]) -> rx.Component:
    """Return the banner of the errors whose box is not on the page; hidden while each has one.

    `state` is the form's `FormState`. Which boxes the page shows just now only the browser knows:
    `assets/errors.js` lists the errors that have none.
    """
    problems: rx.Var[list[FormProblem]] = getattr(state, "problems")  # noqa: B009  # a mixin's, unknown to `rx.State`
    return rx.el.div(
        banner(rx.el.ul(), kind="danger", title="This has to be changed first"),
        data_problems=problems.to_string(),
        class_name="cs-unboxed",
    )


def _described(name: str, error: FieldError | None) -> dict[str, Any]:
    """Return the attributes that tie a control to its help and error."""
    described: dict[str, Any] = {"aria_describedby": f"{name}-help {name}-error"}
    if error is not None:
        described["aria_invalid"] = flag_word(present(error.text))
    return described


def text_input(
    *,
    name: str,
    default_value: Text = "",
    placeholder: str = "",
    input_type: InputType = "text",
    error: FieldError | None = None,
    required: bool = False,
    disabled: Flag = False,
    auto_complete: str = "off",
    min_value: int | None = None,
    max_value: int | None = None,
    record: Text | rx.Var[int] = "",
) -> rx.Component:
    """Return a text box that is left to the browser while it is typed in.

    `record` is the id of the edited record: if it changes, the box shows the new record's value.
    """
    return rx.el.input(
        id=name,
        key=as_text(f"{name}-") + as_text(record),
        name=name,
        type=input_type,
        default_value=default_value,
        placeholder=placeholder,
        required=required,
        disabled=disabled,
        auto_complete=auto_complete,
        min=min_value,
        max=max_value,
        class_name="cs-input",
        **_described(name, error),
    )


def text_area(
    *,
    name: str,
    value: Text | None = None,
    default_value: Text = "",
    on_change: Change | None = None,
    placeholder: str = "",
    error: FieldError | None = None,
    rows: int = 4,
    disabled: Flag = False,
    record: Text | rx.Var[int] = "",
) -> rx.Component:
    """Return a box of several lines; with `value` and `on_change` it speaks 300 ms after the last key."""
    common: dict[str, Any] = {
        "id": name,
        "name": name,
        "placeholder": placeholder,
        "rows": rows,
        "disabled": disabled,
        "class_name": "cs-input cs-textarea",
        **_described(name, error),
    }
    if value is None:
        key = as_text(f"{name}-") + as_text(record)
        return rx.el.textarea(key=key, default_value=default_value, **common)
    return rx.debounce_input(rx.el.textarea(value=value, on_change=on_change, **common), debounce_timeout=300)


def select_input(
    *,
    name: str,
    options: list[tuple[str, str]] | rx.Component | rx.Var[Any],
    default_value: Text = "",
    value: Text | None = None,
    on_change: Change | None = None,
    error: FieldError | None = None,
    disabled: Flag = False,
    record: Text | rx.Var[int] = "",
) -> rx.Component:
    """Return the browser's own choice box of `options`: (value, words), or a foreach of `rx.el.option`.

    With `value` and `on_change` it shows what the state holds.
    """
    entries = (
        [rx.el.option(words, value=value) for value, words in options]
        if isinstance(options, list)
        else [options]
    )
    events: dict[str, Any] = {} if on_change is None else {"on_change": on_change}
    shown: dict[str, Any] = {"default_value": default_value} if value is None else {"value": value}
    return rx.el.div(
        rx.el.select(
            *entries,
            id=name,
            key=as_text(f"{name}-") + as_text(record),
            name=name,
            **shown,
            disabled=disabled,
            class_name="cs-input cs-select",
            **events,
            **_described(name, error),
        ),
        glyph("chevron-down", size=16),
        class_name="cs-select-wrap",
    )


def stacked_form(
    *children: Child, state: type[rx.State], on_submit: Submit, reset: bool = False
) -> rx.Component:
    """Return a form of fields below one another; its handler, of `state`, gets the controls' values by name."""
    return field_form(
        *children, state=state, on_submit=on_submit, reset_on_submit=reset, class_name="cs-form"
    )


def field_form(*children: Child, state: type[rx.State], on_submit: Submit, **attributes: Any) -> rx.Component:
    """Return a form whose handler, of the `FormState` `state`, gets the controls' values by name.

    Errors that none of its boxes shows stand in a banner at its top. `attributes` are those of `rx.form`.
    """
    return rx.form(unboxed_errors(state), *children, on_submit=on_submit, **attributes)


def checkbox_field(
    *,
    name: str,
    label: Text,
    help_text: Text | None = None,
    default_checked: Flag = False,
    error: FieldError | None = None,
    disabled: Flag = False,
    record: Text | rx.Var[int] = "",
) -> rx.Component:
    """Return a box to tick with its words beside it, and why it was refused below."""
    return rx.el.div(
        rx.el.input(
            id=name,
            key=as_text(f"{name}-") + as_text(record),
            name=name,
            type="checkbox",
            default_checked=default_checked,
            disabled=disabled,
            class_name="cs-checkbox",
            **_described(name, error),
        ),
        rx.el.label(label, html_for=name),
        rx.el.p(help_text, id=f"{name}-help", class_name="cs-help")
        if help_text is not None
        else rx.fragment(),
        field_error(name, error) if error is not None else rx.fragment(),
        class_name="cs-check",
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few things to choose between, each with a sentence on what it means."""

    value: str
    label: str
    sentence: str
    icon: str
    disabled: bool = False


def choice_cards(
    *, name: str, legend: Text, choices: list[Choice], value: Text, on_change: Change, disabled: Flag = False
) -> rx.Component:
    """Return a group of radio buttons drawn as cards; `value` is the chosen one's."""
    return rx.el.fieldset(
        rx.el.legend(legend),
        *[_choice_card(name, choice, value, on_change, disabled) for choice in choices],
        class_name="cs-choices",
    )


def _choice_card(name: str, choice: Choice, value: Text, on_change: Change, disabled: Flag) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name=name,
            value=choice.value,
            checked=as_text(value) == choice.value,
            on_change=on_change,
            disabled=True if choice.disabled else disabled,
        ),
        glyph(choice.icon, size=18),
        rx.el.strong(choice.label),
        rx.el.span(choice.sentence),
        class_name="cs-choice",
    )


def form_row(*fields: Child) -> rx.Component:
    """Return fields side by side; below one another on a phone."""
    return rx.el.div(*fields, class_name="cs-form-row")


def form_actions(*buttons: Child, note: Child | None = None) -> rx.Component:
    """Return a form's closing line: a note at the start, the buttons at the end, the main one last."""
    return rx.el.div(
        rx.el.div(note, class_name="cs-form-note") if note is not None else rx.el.span(),
        rx.el.div(*buttons, class_name="cs-form-buttons"),
        class_name="cs-form-actions",
    )


def submit_button(
    label: Text,
    *,
    saving: Flag,
    icon: str | None = None,
    icon_after: str | None = None,
    disabled: Flag = False,
) -> rx.Component:
    """Return a form's main button: it shows its work and cannot be pressed twice."""
    return rx.button(
        glyph(icon) if icon else rx.fragment(),
        label,
        glyph(icon_after) if icon_after else rx.fragment(),
        type="submit",
        loading=saving,
        disabled=rx.Var.create(disabled).to(bool) | rx.Var.create(saving).to(bool),
    )


def upload_zone(
    *,
    upload_id: str,
    on_drop: Submit,
    busy: Flag,
    percent: Count = 0,
    title: str = "Drop a CSV file here, or click to choose one",
    hint: str = "",
    error: FieldError | None = None,
    on_cancel: Click | None = None,
    max_bytes: int | None = None,
    accept: dict[str, Sequence[Any]] | None = None,
    on_reject: Callable[..., Any] | None = None,
) -> rx.Component:
    """Return the drop zone of one file: a CSV, or of `accept` (media type -> endings).

    The browser refuses other kinds, and a larger one than `max_bytes`: `on_reject` is told, else a toast says so.
    `upload_id` is a literal; `on_drop`: `S.receive(rx.upload_files(upload_id=..., on_upload_progress=...))`.
    """
    rejected: dict[str, Any] = {}
    if on_reject is not None:
        rejected["on_drop_rejected"] = lambda files: on_reject(_reasons(files))
    return rx.el.div(
        rx.upload.root(
            rx.cond(busy, _uploading(percent), _awaiting(title, hint)),
            id=upload_id,
            accept=accept or {"text/csv": [".csv"], "text/plain": [".txt"]},
            max_files=1,
            multiple=False,
            max_size=max_bytes,
            disabled=busy,
            on_drop=on_drop,
            **rejected,
            class_name="cs-drop",
            drag_active_style=rx.style.Style(borderColor="var(--accent-9)", background="var(--accent-a3)"),
        ),
        rx.cond(
            busy,
            rx.button("Cancel", on_click=on_cancel, variant="soft", color_scheme="gray", type="button"),
        )
        if on_cancel is not None
        else rx.fragment(),
        field_error(upload_id, error) if error is not None else rx.fragment(),
        class_name="cs-upload",
    )


def _reasons(rejected: rx.Var[list[dict[str, Any]]]) -> rx.Var[list[dict[str, Any]]]:
    """Return only the errors of the files: a file itself would go through the socket as a whole."""
    return rx.Var(_js_expr=f"{rejected!s}.map(({{errors}}) => ({{errors}}))", _var_type=list[dict[str, Any]])


def _awaiting(title: str, hint: str) -> rx.Component:
    return rx.el.div(
        rx.el.div(glyph("file-up", size=22), class_name="cs-empty-icon"),
        rx.el.strong(title),
        rx.el.span(hint) if hint else rx.fragment(),
        class_name="cs-drop-text",
    )


def _uploading(percent: Count) -> rx.Component:
    return rx.el.div(
        rx.el.strong("Uploading"),
        rx.progress(value=percent, width="min(320px, 100%)", aria_label="Upload"),
        rx.el.span(percent, "%", class_name="cs-number"),
        role="status",
        class_name="cs-drop-text",
    )
