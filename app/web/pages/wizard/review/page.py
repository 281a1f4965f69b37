"""Everything once more, what stands in the way, and the start."""

from typing import Any

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.domain.rights import Right
from app.web.components import (
    banner,
    columns,
    confirm_dialog,
    glyph,
    metric_grid,
    panel,
    primary_button,
    stack,
)
from app.web.components.kinds import as_text
from app.web.layout import shell
from app.web.pages.campaign.fields.boxes import Fact
from app.web.pages.campaign.parts.dialogs import skipped_note
from app.web.pages.wizard.parts.frame import address_of, back_link, closing_bar, wizard_page
from app.web.pages.wizard.review.state import Obstacle, ReviewState, Said
from app.web.pages.wizard.steps import WizardStep
from app.web.session import allows


@shell("Campaigns")
def review() -> rx.Component:
    """Return the wizard's last step."""
    step = WizardStep.REVIEW
    return rx.fragment(
        wizard_page(
            step,
            ReviewState,
            _obstacles(),
            _warnings(),
            _headline(),
            _skipped(),
            columns(
                _summary("Basics", WizardStep.BASICS, _facts(ReviewState.basics)),
                _summary("Message", WizardStep.MESSAGE, _message()),
                aside=stack(
                    _summary("Pace and retries", WizardStep.PACE, _facts(ReviewState.pace)),
                    _summary("Numbers and safety", WizardStep.PACE, _facts(ReviewState.safeguards)),
                ),
            ),
            closing_bar(_go(), back=back_link(step)),
        ),
        _question(),
    )


def _obstacles() -> rx.Component:
    return rx.cond(
        ReviewState.obstacles.length() > 0,
        banner(
            rx.el.ul(rx.foreach(ReviewState.obstacles, _obstacle), class_name="cs-wizard-obstacles"),
            kind="danger",
            title="This campaign cannot start yet",
        ),
    )


def _obstacle(obstacle: ObjectVar[Obstacle]) -> rx.Component:
    return rx.el.li(
        rx.el.span(obstacle.sentence),
        rx.link(
            as_text("Mend it in ") + as_text(obstacle.step),
            glyph("arrow-right", size=13),
            href=obstacle.href,
            class_name="cs-wizard-link",
        ),
    )


def _warnings() -> rx.Component:
    return rx.cond(
        ReviewState.warnings.length() > 0,
        banner(
            rx.el.ul(
                rx.foreach(ReviewState.warnings, lambda warning: rx.el.li(warning.to(str))),
                class_name="cs-wizard-list",
            ),
            kind="warning",
            title="Worth a look before you start",
        ),
    )


def _headline() -> rx.Component:
    return metric_grid(rx.foreach(ReviewState.headline, _figure), label="The campaign in short")


def _skipped() -> rx.Component:
    campaign_id = rx.State.campaign_id  # type: ignore[attr-defined]  # Reflex makes it from the route
    return skipped_note(ReviewState.skipped, campaign_id, on_leave=ReviewState.close(False))


def _figure(fact: ObjectVar[Fact]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(fact.label, class_name="cs-metric-label"),
        rx.el.dd(fact.value, class_name="cs-wizard-headline cs-number"),
        class_name="cs-metric",
    )


def _summary(title: str, step: WizardStep, content: rx.Component) -> rx.Component:
    edit = rx.link(
        glyph("pencil", size=13),
        "Edit",
        href=address_of(step),
        aria_label=f"Edit {title}",
        class_name="cs-wizard-link",
    )
    return panel(content, title=title, actions=[rx.cond(allows(Right.EDIT_CAMPAIGNS), edit)])


def _facts(facts: ArrayVar[Any]) -> rx.Component:
    return rx.el.dl(rx.foreach(facts, _fact), class_name="cs-facts")


def _fact(fact: ObjectVar[Fact]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact.label), rx.el.dd(fact.value))


def _message() -> rx.Component:
    return rx.el.div(
        rx.cond(
            ReviewState.message_of != "",
            rx.el.p(as_text("As ") + ReviewState.message_of + as_text(" gets it."), class_name="cs-help"),
        ),
        rx.foreach(ReviewState.message, _said),
        class_name="cs-wizard-preview cs-wizard-flat",
    )


def _said(said: ObjectVar[Said]) -> rx.Component:
    return rx.el.div(
        rx.el.span(said.label, class_name="cs-wizard-speaker"),
        rx.el.p(said.text),
        class_name="cs-wizard-bubble",
    )


def _go() -> rx.Component:
    return rx.cond(
        allows(Right.RUN_CAMPAIGNS),
        primary_button(
            ReviewState.verb,
            on_click=ReviewState.ask,
            icon="play",
            disabled=ReviewState.obstacles.length() > 0,
        ),
        rx.el.span("Your role does not allow starting campaigns.", class_name="cs-help"),
    )


def _question() -> rx.Component:
    return confirm_dialog(
        is_open=ReviewState.asking,
        on_open_change=ReviewState.close,
        title=ReviewState.question,
        sentence=ReviewState.sentence,
        confirm_label=ReviewState.confirm,
        body=_skipped(),
        on_confirm=ReviewState.go,
        busy=ReviewState.saving,
        destructive=False,
    )
