"""The small parts of everything else."""

import reflex as rx

from app.web.components.icons import glyph
from app.web.components.kinds import Child, Click, Flag, Text, choose, present


def time_text(text: Text, *, zone: Text, iso: Text) -> rx.Component:
    """Return a moment as the server worded it ("21 Nov, 14:05") with its zone; `iso` is for machines."""
    return rx.el.time(
        text, rx.el.span(zone, class_name="cs-zone"), date_time=iso, class_name="cs-time cs-number"
    )


def copy_button(value: Text, *, label: str = "Copy") -> rx.Component:
    """Return a button that puts `value` on the clipboard and says so."""
    return rx.tooltip(
        rx.icon_button(
            glyph("copy", size=14),
            on_click=[rx.set_clipboard(value), rx.toast.success("Copied")],
            variant="ghost",
            color_scheme="gray",
            size="1",
            aria_label=label,
            type="button",
        ),
        content=label,
    )


def phone_text(number: Text) -> rx.Component:
    """Return a phone number in figures of one width, never broken over lines."""
    return rx.el.span(number, class_name="cs-number cs-nowrap")


def number_there(number: Text, there: Text) -> rx.Component:
    """Return a person's phone number and, small, what time it is there (`words.there_it_is`; empty: not known)."""
    return rx.el.span(
        rx.el.span(number, class_name="cs-number cs-nowrap"),
        rx.cond(
            present(there),
            rx.el.span(there, class_name="cs-there cs-number cs-nowrap"),
            rx.fragment(),
        ),
        title=choose(present(there), "", "No time zone known"),
        class_name="cs-number-there",
    )


def primary_button(
    label: Text, *, on_click: Click, icon: str | None = None, busy: Flag = False, disabled: Flag = False
) -> rx.Component:
    """Return the one main action of a page or panel."""
    return rx.button(
        glyph(icon, size=16) if icon else rx.fragment(),
        label,
        on_click=on_click,
        loading=busy,
        disabled=disabled,
        type="button",
    )


def secondary_button(
    label: Text, *, on_click: Click, icon: str | None = None, busy: Flag = False, disabled: Flag = False
) -> rx.Component:
    """Return an action beside the main one."""
    return rx.button(
        glyph(icon, size=16) if icon else rx.fragment(),
        label,
        on_click=on_click,
        loading=busy,
        disabled=disabled,
        variant="surface",
        color_scheme="gray",
        type="button",
    )


def link_button(label: Text, *, href: Text, icon: str | None = None, primary: bool = False) -> rx.Component:
    """Return a link that looks like a button: for going somewhere, not for doing something."""
    return rx.link(
        glyph(icon, size=16) if icon else rx.fragment(),
        label,
        href=href,
        underline="none",
        class_name="cs-link-button",
        data_primary="true" if primary else "false",
    )


def download_link(label: Text, *, href: Text) -> rx.Component:
    """Return a link that looks like a button and hands over a file of the backend's."""
    return rx.el.a(
        glyph("download", size=16),
        label,
        href=href,
        download=True,
        reload_document=True,  # Else the router would look for a page of that address.
        class_name="cs-download",
    )


def download_icon(label: Text, *, href: Text) -> rx.Component:
    """Return the same as an icon in a row, named by its tooltip and to screen readers."""
    anchor = rx.el.a(
        glyph("download", size=16),
        href=href,
        download=True,
        reload_document=True,
        aria_label=label,
        class_name="cs-download-icon",
    )
    return rx.tooltip(anchor, content=label)


def icon_action(icon: str, *, label: Text, on_click: Click, disabled: Flag = False) -> rx.Component:
    """Return a quiet action of a row, named by its tooltip and to screen readers."""
    return rx.tooltip(
        rx.icon_button(
            glyph(icon, size=16),
            on_click=on_click,
            disabled=disabled,
            variant="ghost",
            color_scheme="gray",
            aria_label=label,
            type="button",
        ),
        content=label,
    )


def actions_menu(*items: Child, label: Text) -> rx.Component:
    """Return the menu of a row's or page's further actions, made of `menu_item`s."""
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.icon_button(
                glyph("ellipsis", size=16),
                variant="ghost",
                color_scheme="gray",
                aria_label=label,
                type="button",
            ),
        ),
        rx.dropdown_menu.content(*items, variant="soft", align="end"),
    )


def menu_item(
    label: Text, *, on_select: Click, icon: str, danger: bool = False, disabled: Flag = False
) -> rx.Component:
    """Return one action of a menu."""
    return rx.dropdown_menu.item(
        glyph(icon, size=15),
        label,
        on_select=on_select,
        disabled=disabled,
        color_scheme="red" if danger else "gray",
    )
