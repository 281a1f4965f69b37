"""Navigation: the tabs of a thing, and the steps of the wizard."""

from collections.abc import Sequence
from dataclasses import dataclass

import reflex as rx

from app.web.components.icons import glyph
from app.web.components.kinds import Child, Text, flag_word


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its word, its address, and a count to show beside the word."""

    label: str
    href: Text
    count: rx.Var[int] | None = None


def tabs_nav(tabs: Sequence[Tab], *, current: str, label: str) -> rx.Component:
    """Return tabs that are links, one address each; the tab labelled `current` is marked."""
    return rx.el.nav(
        *[_tab(tab, is_current=tab.label == current) for tab in tabs],
        aria_label=label,
        class_name="cs-tabs",
    )


def _tab(tab: Tab, *, is_current: bool) -> rx.Component:
    return rx.link(
        tab.label,
        rx.el.span(tab.count, class_name="cs-tab-count cs-number")
        if tab.count is not None
        else rx.fragment(),
        href=tab.href,
        underline="none",
        class_name="cs-tab",
        aria_current="page" if is_current else "false",
    )


@dataclass(frozen=True, slots=True)
class StepLink:
    """One step of a wizard: its word, its address, and whether it is filled in."""

    label: str
    href: Text
    done: bool | rx.Var[bool] = False


def stepper(steps: Sequence[StepLink], *, current: str, label: str = "Steps") -> rx.Component:
    """Return the wizard's steps, each a link: going back or ahead loses nothing."""
    return rx.el.nav(
        rx.el.ol(
            *[_step(number, step, is_current=step.label == current) for number, step in enumerate(steps, 1)]
        ),
        aria_label=label,
        class_name="cs-steps",
    )


def _step(number: int, step: StepLink, *, is_current: bool) -> rx.Component:
    mark: Child = rx.cond(step.done, glyph("check", size=14), rx.el.span(number))
    return rx.el.li(
        rx.link(
            rx.el.span(
                rx.el.span(number) if is_current else mark,
                class_name="cs-step-mark",
                data_done="false" if is_current else flag_word(step.done),
            ),
            rx.el.span(step.label, class_name="cs-step-label"),
            rx.cond(step.done, rx.el.span(" (done)", class_name="cs-hidden")),
            href=step.href,
            underline="none",
            class_name="cs-step",
            aria_current="step" if is_current else "false",
        )
    )
