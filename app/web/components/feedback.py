"""Empty states, errors, notices and short messages."""

from typing import Literal

import reflex as rx
from reflex.event import EventSpec

from app.web.components.icons import glyph
from app.web.components.kinds import Child, Click, Flag, Text

BannerKind = Literal["info", "success", "warning", "danger"]

_BANNER_ICONS: dict[BannerKind, str] = {
    "info": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "danger": "octagon-alert",
}


def empty_state(*, icon: str, title: Text, sentence: Text, action: Child | None = None) -> rx.Component:
    """Return the text shown in place of an empty list: what is missing, and the one action that helps."""
    return rx.el.div(
        rx.el.div(glyph(icon, size=22), class_name="cs-empty-icon"),
        rx.el.h3(title),
        rx.el.p(sentence),
        action if action is not None else rx.fragment(),
        class_name="cs-empty",
    )


def error_state(problem: Text, *, on_retry: Click) -> rx.Component:
    """Return the error shown in place of content that could not be loaded, with buttons to retry and to go back."""
    return rx.el.div(
        rx.el.div(glyph("cloud-alert", size=22), class_name="cs-empty-icon", data_tone="red"),
        rx.el.h3("This could not be loaded"),
        rx.el.p(problem),
        rx.el.div(
            rx.button(
                glyph("arrow-left", size=16),
                "Go back",
                on_click=rx.call_script("window.history.length > 1 ? history.back() : location.assign('/')"),
                variant="soft",
                color_scheme="gray",
                type="button",
            ),
            rx.button(
                glyph("rotate-ccw", size=16),
                "Try again",
                on_click=on_retry,
                variant="soft",
                color_scheme="gray",
                type="button",
            ),
            class_name="cs-header-actions cs-centered",
        ),
        role="alert",
        class_name="cs-empty",
    )


def banner(
    *children: Child, kind: BannerKind = "info", title: Text | None = None, action: Child | None = None
) -> rx.Component:
    """Return a notice strip. A `danger` interrupts a screen reader; the other kinds wait their turn."""
    return rx.el.div(
        glyph(_BANNER_ICONS[kind], size=18),
        rx.el.div(
            rx.el.strong(title) if title is not None else rx.fragment(),
            rx.el.div(*children),
            class_name="cs-banner-text",
        ),
        rx.el.div(action, class_name="cs-banner-action") if action is not None else rx.fragment(),
        role="alert" if kind == "danger" else "status",
        class_name="cs-banner",
        data_kind=kind,
    )


def simulated_mark(simulated: Flag) -> rx.Component:
    """Return the mark shown on every page while the carrier is simulated."""
    return rx.cond(
        simulated,
        rx.el.div(
            glyph("flask-conical", size=15),
            rx.el.strong("Simulated carrier"),
            rx.el.span(" — nobody is really called"),
            role="note",
            class_name="cs-simulated",
        ),
    )


def stop_indicator(stopped: Flag) -> rx.Component:
    """Return the strip that says the organization's switch has stopped all dialing."""
    return rx.cond(
        stopped,
        rx.el.div(
            glyph("octagon-pause", size=15),
            rx.el.strong("All dialing is stopped"),
            rx.el.span("No campaign of this organization places calls or texts until dialing is resumed."),
            role="status",
            class_name="cs-stopped",
        ),
    )


def spinner_text(text: Text) -> rx.Component:
    """Return a small spinner with what is being done."""
    return rx.el.span(rx.spinner(size="1"), text, role="status", class_name="cs-working")


def say_done(message: str) -> EventSpec:
    """Return the event that shows a short message of success."""
    return rx.toast.success(message)


def say_problem(message: str, *, detail: str | None = None) -> EventSpec:
    """Return the event that shows a message of failure, long enough to be read."""
    return rx.toast.error(message, description=detail, duration=10_000)


def say(message: str) -> EventSpec:
    """Return the event that shows a short neutral message."""
    return rx.toast.info(message)
