"""The line above a list: search, filters, what is filtered now."""

from collections.abc import Sequence

import reflex as rx

from app.web.components.icons import glyph
from app.web.components.kinds import Change, Child, Click, Text, as_text


def toolbar(*filters: Child, search: Child | None = None, end: Sequence[Child] = ()) -> rx.Component:
    """Return the tools of a list: the search first, filters after it, `end` at the far end."""
    return rx.el.div(
        search if search is not None else rx.fragment(),
        *filters,
        rx.el.div(*end, class_name="cs-toolbar-end") if end else rx.fragment(),
        role="group",
        aria_label="Search and filters",
        class_name="cs-toolbar",
    )


def search_field(
    *, value: Text, on_change: Change, label: str, placeholder: str | None = None
) -> rx.Component:
    """Return a search box that speaks 300 ms after the last key; give it a handler that `supersedes`."""
    return rx.el.div(
        glyph("search", size=16),
        rx.debounce_input(
            rx.el.input(
                value=value,
                on_change=on_change,
                placeholder=placeholder or label,
                aria_label=label,
                type="search",
                auto_complete="off",
                class_name="cs-search-input",
            ),
            debounce_timeout=300,
        ),
        role="search",
        class_name="cs-search",
    )


def select_filter(
    *, label: str, value: Text, options: Sequence[tuple[str, str]], on_change: Change, name: str | None = None
) -> rx.Component:
    """Return a filter that takes one of `options` (value, words), named `label` to screen readers."""
    return rx.select.root(
        rx.select.trigger(aria_label=label, placeholder=label, variant="surface"),
        rx.select.content(
            *[rx.select.item(words, value=option) for option, words in options],
            position="popper",
            variant="soft",
        ),
        value=value,
        on_change=on_change,
        name=name or label,
    )


def filter_chip(label: Text, *, on_remove: Click) -> rx.Component:
    """Return a filter now in force, with the button that lifts it."""
    return rx.el.span(
        label,
        rx.el.button(
            glyph("x", size=13),
            type="button",
            on_click=on_remove,
            aria_label=as_text("Remove filter ") + as_text(label),
        ),
        class_name="cs-chip",
        data_kind="filter",
    )


def chip(label: Text, *, on_click: Click | None = None, icon: str | None = None) -> rx.Component:
    """Return a small labelled token; with `on_click` a button (as the variables beside a template are)."""
    content = [glyph(icon, size=13) if icon else rx.fragment(), label]
    if on_click is None:
        return rx.el.span(*content, class_name="cs-chip")
    return rx.el.button(*content, type="button", on_click=on_click, class_name="cs-chip", data_kind="button")
