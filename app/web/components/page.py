"""The top of a page and the panels below it."""

from collections.abc import Sequence
from dataclasses import dataclass

import reflex as rx

from app.web.components.icons import glyph
from app.web.components.kinds import Child, Text


@dataclass(frozen=True, slots=True)
class Crumb:
    """A page above this one: its name and its address."""

    label: Text
    href: Text


def page_header(
    title: Text,
    *,
    description: Text | None = None,
    breadcrumbs: Sequence[Crumb] = (),
    beside_title: Sequence[Child] = (),
    actions: Sequence[Child] = (),
) -> rx.Component:
    """Return a page's heading (its only `h1`), with what stands beside it and the actions at its end."""
    return rx.el.header(
        _breadcrumbs(breadcrumbs, title) if breadcrumbs else rx.fragment(),
        rx.el.div(
            rx.el.div(
                rx.el.div(rx.el.h1(title), *beside_title, class_name="cs-header-title"),
                rx.el.p(description, class_name="cs-header-description")
                if description is not None
                else rx.fragment(),
                class_name="cs-header-text",
            ),
            rx.el.div(*actions, class_name="cs-header-actions") if actions else rx.fragment(),
            class_name="cs-header-row",
        ),
        class_name="cs-header",
    )


def _breadcrumbs(crumbs: Sequence[Crumb], current: Text) -> rx.Component:
    return rx.el.nav(
        rx.el.ol(
            *[
                rx.el.li(
                    rx.link(crumb.label, href=crumb.href, class_name="cs-crumb"),
                    glyph("chevron-right", size=14),
                )
                for crumb in crumbs
            ],
            rx.el.li(rx.el.span(current, aria_current="page", class_name="cs-crumb-current")),
        ),
        aria_label="Breadcrumb",
        class_name="cs-breadcrumbs",
    )


def panel(
    *children: Child,
    title: Text | None = None,
    description: Text | None = None,
    actions: Sequence[Child] = (),
    flush: bool = False,
) -> rx.Component:
    """Return a bordered surface; `flush` leaves out its padding, for a table that fills it."""
    return rx.el.section(
        _panel_heading(title, description, actions) if title is not None else rx.fragment(),
        rx.el.div(*children, class_name="cs-panel-body", data_flush="true" if flush else "false"),
        class_name="cs-panel",
    )


def _panel_heading(title: Text, description: Text | None, actions: Sequence[Child]) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h2(title),
            rx.el.p(description) if description is not None else rx.fragment(),
        ),
        rx.el.div(*actions, class_name="cs-panel-actions") if actions else rx.fragment(),
        class_name="cs-panel-heading",
    )


def columns(*children: Child, aside: Child) -> rx.Component:
    """Return a main column with a narrower one beside it; below 1024 px the aside follows underneath."""
    return rx.el.div(
        rx.el.div(*children, class_name="cs-stack"),
        rx.el.aside(aside, class_name="cs-stack"),
        class_name="cs-columns",
    )


def stack(*children: Child) -> rx.Component:
    """Return blocks one below the other at the page's usual distance."""
    return rx.el.div(*children, class_name="cs-stack")


def facts(*rows: tuple[Text, Child]) -> rx.Component:
    """Return a description list: terms and their values."""
    return rx.el.dl(
        *[rx.el.div(rx.el.dt(term), rx.el.dd(value)) for term, value in rows],
        class_name="cs-facts",
    )


def card_heading(title: Text, sentence: Text) -> rx.Component:
    """Return the heading of a page that is one card: sign-in, set-up."""
    return rx.el.div(rx.el.h1(title), rx.el.p(sentence, class_name="cs-header-description"))
