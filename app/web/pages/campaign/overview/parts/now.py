"""The current activity, or why there is none, and the attempts that wait for a person's decision."""

import reflex as rx
from reflex.vars import ObjectVar

from app.web.components import attempt_badge, banner, glyph, panel, record, time_text
from app.web.components.kinds import Flag
from app.web.pages.campaign.overview.presenter import Happening, Now, Overview, Review, Second
from app.web.pages.campaign.overview.state import OverviewState


def right_now() -> rx.Component:
    """Return the panel "Right now"."""
    now = record(record(OverviewState.overview, Overview).now, Now)
    content = panel(
        rx.cond(
            OverviewState.loading,
            rx.el.span(class_name="cs-skeleton cs-skeleton-title"),
            rx.el.div(
                _answer(now),
                rx.cond(
                    record(OverviewState.overview, Overview).next_run != "",
                    rx.el.p(
                        record(OverviewState.overview, Overview).next_run,
                        class_name="cs-number cs-next-run",
                    ),
                ),
                rx.cond(now.waiting != "", rx.el.p(now.waiting, class_name="cs-waiting cs-number")),
                rx.cond(now.slots != "", rx.el.span(now.slots, class_name="cs-quiet cs-number")),
                rx.el.ul(rx.foreach(now.happening, _happening), class_name="cs-happening"),
                rx.cond(now.more != "", rx.el.span(now.more, class_name="cs-quiet")),
                class_name="cs-now",
            ),
        ),
        title="Right now",
    )
    return rx.el.div(content, class_name="cs-right-now")


def _answer(now: ObjectVar[Now]) -> rx.Component:
    return rx.el.div(
        rx.match(
            now.kind,
            ("busy", glyph("phone-call", size=18)),
            ("held", glyph("clock-alert", size=18)),
            glyph("moon", size=18),
        ),
        rx.el.div(
            rx.el.strong(now.title),
            rx.cond(now.sentence != "", rx.el.p(now.sentence)),
            rx.cond(now.until != "", rx.el.p(now.until, class_name="cs-number")),
        ),
        role="status",
        class_name="cs-answer",
        custom_attrs={"data-kind": now.kind},
    )


def _happening(attempt: ObjectVar[Happening]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(attempt.name, class_name="cs-strong"),
            rx.el.span(attempt.number, class_name="cs-quiet cs-number cs-nowrap"),
            class_name="cs-two-lines",
        ),
        rx.el.div(
            attempt_badge(attempt.status),
            rx.el.span(attempt.since, class_name="cs-quiet cs-number cs-nowrap"),
            class_name="cs-two-lines cs-end",
        ),
        key=attempt.id,
    )


def reviews_panel(may_settle: Flag) -> rx.Component:
    """Return the attempts in review: the carrier could not say whether they were placed."""
    return banner(
        rx.el.p(
            "The carrier could not say whether these were placed. They are not repeated, so that nobody is called "
            "twice by mistake. Look them up in the carrier's console and say what happened."
        ),
        rx.el.ul(
            rx.foreach(OverviewState.reviews, lambda one: _review(one, may_settle)), class_name="cs-reviews"
        ),
        kind="warning",
        title="Waiting for your decision",
    )


def _review(review: ObjectVar[Review], may_settle: Flag) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(review.name, " ", rx.el.span(review.number, class_name="cs-quiet cs-number")),
            rx.el.span(
                time_text(review.at.text, zone=review.at.zone, iso=review.at.iso), class_name="cs-quiet"
            ),
            class_name="cs-two-lines",
        ),
        rx.cond(
            may_settle,
            rx.el.div(
                _settle_button("It was placed", review, placed=True),
                _settle_button("It was not placed", review, placed=False),
                class_name="cs-review-buttons",
            ),
        ),
        key=review.id,
    )


def seconds_panel() -> rx.Component:
    """Return the second calls that the carrier made for one attempt."""
    return banner(
        rx.el.p(
            "The carrier made two calls for one attempt. The second call is hung up as soon as it is found. "
            "If this happens again, tell the carrier."
        ),
        rx.el.ul(rx.foreach(OverviewState.seconds, _second), class_name="cs-reviews"),
        kind="danger",
        title="Called twice by the carrier",
    )


def _second(second: ObjectVar[Second]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(second.name, " ", rx.el.span(second.number, class_name="cs-quiet cs-number")),
            rx.el.span(
                time_text(second.at.text, zone=second.at.zone, iso=second.at.iso), class_name="cs-quiet"
            ),
            class_name="cs-two-lines",
        ),
        rx.el.span(second.state),
        key=second.id,
    )


def _settle_button(label: str, review: ObjectVar[Review], *, placed: bool) -> rx.Component:
    return rx.button(
        label,
        on_click=OverviewState.settle(review.id, placed),
        variant="surface",
        color_scheme="gray",
        size="1",
        type="button",
    )
