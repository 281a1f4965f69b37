"""The progress bar of a campaign, in the eight parts its total is the sum of."""

from dataclasses import dataclass
from typing import Final

import reflex as rx
from reflex.vars import ObjectVar

from app.web.components.kinds import Child


@dataclass(frozen=True, slots=True)
class ProgressView:
    """A campaign's recipients by status; the eight counts add up to `total`.

    `unanswered` counts no answer and busy. `left_out` counts people who were cancelled, or skipped before the start:
    they are not processed, so like `pending` they leave the bar empty. `percent` (0 to 100, one decimal)
    and `text` ("132 of 200 processed") are worked out by the server and shown as they are.
    """

    completed: int = 0
    voicemail: int = 0
    unanswered: int = 0
    failed: int = 0
    skipped: int = 0
    left_out: int = 0
    in_progress: int = 0
    pending: int = 0
    total: int = 0
    percent: float = 0
    text: str = ""


_PARTS: Final = (
    ("completed", "Completed"),
    ("voicemail", "Voicemail"),
    ("unanswered", "No answer or busy"),
    ("failed", "Failed"),
    ("skipped", "Skipped"),
    ("in_progress", "In progress"),
    ("left_out", "Skipped or cancelled"),
    ("pending", "Pending"),
)

Progress = ProgressView | ObjectVar[ProgressView]


def progress_bar(progress: Progress, *, label: str = "Progress", large: bool = False) -> rx.Component:
    """Return the bar alone, announced with its percentage and text."""
    return rx.el.div(
        *[_part(progress, name, title) for name, title in _PARTS if name != "pending"],
        _part(progress, "pending", "Pending"),
        role="progressbar",
        aria_label=label,
        aria_valuemin=0,
        aria_valuemax=100,
        aria_valuenow=progress.percent,
        aria_valuetext=progress.text,
        class_name="cs-progress",
        data_size="large" if large else "small",
    )


def _part(progress: Progress, name: str, title: str) -> rx.Component:
    # A true style attribute: Reflex's `style` would make a CSS class for every count ever shown.
    share = rx.Var.create({"flexGrow": getattr(progress, name)})
    return rx.el.span(title=title, custom_attrs={"style": share}, data_part=name)


def progress_cell(progress: Progress, *, label: str = "Progress") -> rx.Component:
    """Return the bar with its percentage before it and its text below, for a row of a list."""
    return rx.el.div(
        rx.el.div(
            progress_bar(progress, label=label),
            rx.el.span(progress.percent, "%", class_name="cs-number cs-progress-percent"),
            class_name="cs-progress-row",
        ),
        rx.el.span(progress.text, class_name="cs-progress-text cs-number"),
        class_name="cs-progress-cell",
    )


def progress_legend(progress: Progress) -> rx.Component:
    """Return the eight counts with their colours: the same facts as the bar, in words."""
    return rx.el.dl(*[_legend_entry(progress, name, title) for name, title in _PARTS], class_name="cs-legend")


def _legend_entry(progress: Progress, name: str, title: str) -> Child:
    return rx.el.div(
        rx.el.dt(rx.el.span(class_name="cs-legend-mark", data_part=name, aria_hidden="true"), title),
        rx.el.dd(getattr(progress, name), class_name="cs-number"),
    )
