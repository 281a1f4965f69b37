"""Sections that open and close, and the jump to the first field with an error."""

from typing import Final

import reflex as rx
from reflex.event import EventSpec

from app.web.components.icons import glyph
from app.web.components.kinds import Child, Text

_TO_FIRST_ERROR: Final = """setTimeout(() => {
  const place = [...document.querySelectorAll('[role=dialog]')].at(-1) ?? document.body;
  const wrong = place.querySelectorAll('[aria-invalid="true"], .cs-error:not(:empty), .cs-unboxed li');
  wrong.forEach((field) => field.closest('details')?.setAttribute('open', ''));
  wrong[0]?.scrollIntoView({block: 'center'});
  wrong[0]?.focus({preventScroll: true});
}, 120)"""
"""Waits for the errors to be drawn, opens the sections that hide any, then goes to the first."""


def fold(title: str, summary: Text, *content: Child) -> rx.Component:
    """Return a section that opens and closes; `summary` says in one line what is set in it."""
    return rx.el.details(
        rx.el.summary(
            glyph("chevron-right", size=16),
            rx.el.span(title, class_name="cs-fold-title"),
            rx.el.span(summary, class_name="cs-fold-said"),
        ),
        rx.el.div(*content, class_name="cs-fold-body"),
        class_name="cs-fold",
    )


def folds(*sections: Child) -> rx.Component:
    """Return several folded sections as one list."""
    return rx.el.div(*sections, class_name="cs-folds")


def to_first_error() -> EventSpec:
    """Return the event that moves the focus to the first field with an error."""
    return rx.call_script(_TO_FIRST_ERROR)
