"""How the boxes of settings are drawn. They come empty: `assets/editor.js` puts in what the state's sheet holds."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.vars import ArrayVar

from app.services.campaigns.settings import SETTINGS
from app.web.components import (
    checkbox_field,
    error_of,
    field_error,
    form_field,
    record,
    select_input,
    text_area,
    text_input,
)
from app.web.components.kinds import Child, FieldError, InputType, Text
from app.web.options import draw_option


@dataclass(frozen=True, slots=True)
class Editor:
    """The state behind the boxes, and what they need of it."""

    state: Any
    """A `FormState`: has `errors`, by the settings' names."""
    is_text: rx.Var[bool]
    """The campaign texts instead of calling."""

    def error(self, *paths: str) -> FieldError:
        """Return what is wrong at one of these paths."""
        return error_of(self.state, *paths)

    def for_calls(self, component: Child) -> rx.Component:
        """Return what only a campaign that calls has."""
        return rx.fragment(rx.cond(self.is_text, rx.fragment(), component))

    def said(self, section: str) -> rx.Var[str]:
        """Return what is set in a folded section, in one line."""
        said: rx.Var[str] = record(self.state.said, dict).get(section, "").to(str)
        return said


@dataclass(frozen=True, slots=True)
class Box:
    """A box of text or a number, with its words."""

    name: str
    label: str
    help_text: Text | None = None
    kind: InputType = "number"
    unit: str = ""
    bounded: bool = False
    """The browser's arrows stop at the setting's limits."""
    placeholder: str = ""
    paths: tuple[str, ...] = ()
    """The errors it shows, if they are not called as it is."""

    def draw(self, editor: Editor) -> rx.Component:
        """Return the box with its label, help and error."""
        error = editor.error(*(self.paths or (self.name,)))
        limits = SETTINGS[self.name].reader if self.bounded else None
        box = text_input(
            name=self.name,
            input_type=self.kind,
            min_value=limits.least if limits else None,
            max_value=limits.most if limits else None,
            placeholder=self.placeholder,
            error=error,
        )
        control = rx.el.div(
            box, rx.el.span(self.unit, class_name="cs-unit"), class_name="cs-measure", data_kind=self.kind
        )
        return form_field(
            control if self.unit else box,
            name=self.name,
            label=self.label,
            help_text=self.help_text,
            error=error,
        )


@dataclass(frozen=True, slots=True)
class Area:
    """A box of several lines."""

    name: str
    label: str
    help_text: Text | None = None
    rows: int = 3
    placeholder: str = ""
    optional: bool = False

    def draw(self, editor: Editor, help_text: Text | None = None) -> rx.Component:
        """Return the box with its label, help and error; `help_text` in place of its own."""
        error = editor.error(self.name)
        return form_field(
            text_area(name=self.name, rows=self.rows, placeholder=self.placeholder, error=error),
            name=self.name,
            label=self.label,
            help_text=help_text if help_text is not None else self.help_text,
            error=error,
            optional=self.optional,
        )


@dataclass(frozen=True, slots=True)
class Tick:
    """A setting that is on or off."""

    name: str
    label: str
    help_text: str

    def draw(self, editor: Editor) -> rx.Component:
        """Return the box to tick with its words."""
        return checkbox_field(
            name=self.name, label=self.label, help_text=self.help_text, error=editor.error(self.name)
        )


def choice(
    editor: Editor,
    name: str,
    label: str,
    options: list[tuple[str, str]] | rx.Component,
    help_text: Text,
) -> rx.Component:
    """Return a box to choose in."""
    error = editor.error(name)
    box = select_input(name=name, options=options, error=error)
    return form_field(box, name=name, label=label, help_text=help_text, error=error)


def options_of(options: ArrayVar[Any], none: str) -> rx.Component:
    """Return a state's options, after one that says that `none` is chosen."""
    return rx.fragment(rx.el.option(none, value=""), rx.foreach(options, draw_option))


def pills(
    editor: Editor, path: str, legend: str, help_text: str, *ticks: Child, paths: tuple[str, ...] = ()
) -> rx.Component:
    """Return boxes to tick in a row, each a `pill`; `path` is where their error is called, or `paths` are."""
    return rx.el.fieldset(
        rx.el.legend(legend),
        rx.el.div(*ticks, class_name="cs-wizard-pills"),
        rx.el.p(help_text, id=f"{path}-help", class_name="cs-help"),
        field_error(path, editor.error(*(paths or (path,)))),
        aria_describedby=f"{path}-help {path}-error",
        class_name="cs-wizard-group",
    )


def pill(name: Text, words: Text) -> rx.Component:
    """Return one box to tick of `pills`."""
    return rx.el.label(
        rx.el.input(type="checkbox", name=name, class_name="cs-checkbox"), words, class_name="cs-wizard-pill"
    )


def fields(*components: Child) -> rx.Component:
    """Return fields below one another."""
    return rx.el.div(*components, class_name="cs-wizard-fields")


def narrow(*components: Child) -> rx.Component:
    """Return fields below one another that need little width."""
    return rx.el.div(*components, class_name="cs-wizard-narrow")
