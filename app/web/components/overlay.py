"""Dialogs over a page: a question before an action that cannot be undone, and a side sheet of details."""

import reflex as rx

from app.web.components.icons import glyph
from app.web.components.kinds import Child, Click, Flag, Text, Toggle


def confirm_dialog(
    *,
    is_open: Flag,
    on_open_change: Toggle,
    title: Text,
    sentence: Text,
    confirm_label: Text,
    on_confirm: Click,
    busy: Flag = False,
    destructive: bool = True,
    body: Child | None = None,
) -> rx.Component:
    """Return the question, open while `is_open`; `body` adds choices below its sentence."""
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title(title, size="4"),
            rx.alert_dialog.description(sentence, class_name="cs-dialog-sentence"),
            rx.el.div(body, class_name="cs-dialog-body") if body is not None else rx.fragment(),
            rx.el.div(
                rx.alert_dialog.cancel(
                    rx.button("Go back", variant="soft", color_scheme="gray", type="button"),
                ),
                rx.button(
                    confirm_label,
                    on_click=on_confirm,
                    loading=busy,
                    color_scheme="red" if destructive else "indigo",
                    type="button",
                ),
                class_name="cs-dialog-actions",
            ),
            max_width="440px",
        ),
        open=is_open,
        on_open_change=on_open_change,
    )


def form_dialog(
    *children: Child, is_open: Flag, on_open_change: Toggle, title: Text, sentence: Text
) -> rx.Component:
    """Return a dialog that holds a form of its own."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(title, size="4"),
            rx.dialog.description(sentence, class_name="cs-dialog-sentence"),
            *children,
            max_width="520px",
        ),
        open=is_open,
        on_open_change=on_open_change,
    )


def drawer(
    *children: Child, is_open: Flag, on_open_change: Toggle, title: Text, sentence: Text
) -> rx.Component:
    """Return a sheet at the side for the details of one row; the whole width on a phone. Escape closes it."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.el.div(
                rx.el.div(
                    rx.dialog.title(title, size="4", margin_bottom="0"),
                    rx.dialog.description(sentence),
                ),
                rx.dialog.close(
                    rx.icon_button(
                        glyph("x", size=18),
                        variant="ghost",
                        color_scheme="gray",
                        aria_label="Close",
                        type="button",
                    ),
                ),
                class_name="cs-drawer-head",
            ),
            rx.el.div(*children, class_name="cs-drawer-body"),
            class_name="cs-drawer",
        ),
        open=is_open,
        on_open_change=on_open_change,
    )
