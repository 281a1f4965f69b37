"""Metric cards."""

import reflex as rx

from app.web.components.icons import glyph
from app.web.components.kinds import Child, Flag, Text


def metric_card(
    label: Text,
    value: Text | rx.Var[int],
    *,
    icon: str | None = None,
    note: Text | None = None,
    loading: Flag = False,
) -> rx.Component:
    """Return one figure with its name; `note` is the small line below that says what it is made of."""
    return rx.el.div(
        rx.el.dt(
            glyph(icon, size=16) if icon else rx.fragment(),
            rx.el.span(label),
            class_name="cs-metric-label",
        ),
        rx.el.dd(
            rx.cond(
                loading,
                rx.el.span(class_name="cs-skeleton cs-skeleton-figure"),
                rx.el.span(value, class_name="cs-number"),
            ),
            class_name="cs-metric-value",
        ),
        rx.el.dd(note, class_name="cs-metric-note") if note is not None else rx.fragment(),
        class_name="cs-metric",
    )


def metric_grid(*cards: Child, label: Text) -> rx.Component:
    """Return metric cards in a row of up to four; two by two on a phone. `label` names the group."""
    return rx.el.dl(*cards, aria_label=label, class_name="cs-metrics")
