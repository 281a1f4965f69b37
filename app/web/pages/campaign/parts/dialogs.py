"""The dialogs of a campaign's actions, drawn once on every page that offers them."""

from typing import Any

import reflex as rx
from reflex.vars import ObjectVar

from app.services.campaigns.eligibility import SKIPPED_AHEAD
from app.web import routes
from app.web.components import banner, confirm_dialog, form_dialog, glyph, link_button, record
from app.web.components.kinds import Change, Click
from app.web.pages.campaign.actions_state import CampaignActionsState as Actions
from app.web.pages.campaign.questions_state import CampaignQuestionState as Questions
from app.web.pages.campaign.questions_state import Outcome
from app.web.pages.campaign.start_presenter import StartQuestion
from app.web.session import here


def campaign_dialogs() -> rx.Component:
    """Return every dialog; at most one is open."""
    return rx.fragment(_start(), _cancel(), _delete(), _retry(), _carrier(), _not_ready())


def _start() -> rx.Component:
    question = record(Actions.question, StartQuestion)
    return confirm_dialog(
        is_open=question.title != "",
        on_open_change=Actions.close,
        title=question.title,
        sentence=question.sentence,
        confirm_label=question.confirm,
        on_confirm=Actions.start(Actions.campaign_id),
        destructive=False,
        body=rx.fragment(
            skipped_note(question.skipped, Actions.campaign_id, on_leave=Actions.close(False)),
            rx.cond(
                question.warnings.length() > 0,
                banner(
                    rx.el.ul(
                        rx.foreach(question.warnings.to(list[str]), rx.el.li), class_name="cs-wizard-list"
                    ),
                    kind="warning",
                    title="Worth a look before you start",
                ),
            ),
        ),
    )


def skipped_note(sentence: rx.Var[str], campaign_id: Any, *, on_leave: Click) -> rx.Component:
    """Return how many are skipped and why, with a link to them; nothing if nobody is skipped.

    `on_leave` also runs when the link is used: it closes the dialog that holds the note.
    """
    them = routes.campaign_contacts(here(), campaign_id) + f"?status={SKIPPED_AHEAD}"
    link = rx.link(
        "See them", glyph("arrow-right", size=13), href=them, on_click=on_leave, class_name="cs-wizard-link"
    )
    return rx.cond(
        sentence != "",
        rx.el.p(
            glyph("skip-forward", size=15),
            rx.el.span(sentence, " ", link),
            class_name="cs-skipped-note",
        ),
    )


def _cancel() -> rx.Component:
    return confirm_dialog(
        is_open=Questions.asking == "cancel",
        on_open_change=Questions.close,
        title=rx.Var.create("Cancel “") + Questions.campaign_name + "”?",
        sentence=Questions.sentence,
        confirm_label="Cancel campaign",
        on_confirm=Questions.cancel,
        body=rx.cond(Questions.calls != "", rx.el.div(_hang_up_too(), class_name="cs-ticks")),
    )


def _hang_up_too() -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=Questions.hang_up,
            on_change=Questions.tick_hang_up,
            class_name="cs-checkbox",
        ),
        rx.el.span("Also hang up calls in progress"),
        rx.el.span(Questions.calls, class_name="cs-number cs-quiet cs-nowrap"),
        class_name="cs-tick",
    )


def _delete() -> rx.Component:
    return confirm_dialog(
        is_open=Questions.asking == "delete",
        on_open_change=Questions.close,
        title=rx.Var.create("Delete “") + Questions.campaign_name + "”?",
        sentence="The draft, its settings and its list of contacts are deleted. "
        "The people stay in your address book.",
        confirm_label="Delete draft",
        on_confirm=Questions.delete,
    )


def _retry() -> rx.Component:
    return confirm_dialog(
        is_open=(Questions.asking == "retry") & (Questions.carrier_question == ""),
        on_open_change=Questions.close,
        title="Retry contacts",
        sentence="The campaign runs again for contacts whose last outcome you tick, with their attempts "
        "reset.",
        confirm_label=Questions.retry_label,
        on_confirm=Questions.retry,
        destructive=False,
        body=rx.el.div(rx.foreach(Questions.outcomes, _outcome), class_name="cs-ticks"),
    )


def _outcome(outcome: ObjectVar[Outcome]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=outcome.ticked,
            disabled=outcome.count == 0,
            on_change=Questions.tick(outcome.status),
            class_name="cs-checkbox",
        ),
        rx.el.span(outcome.label),
        rx.el.span(outcome.text, class_name="cs-number cs-quiet"),
        class_name="cs-tick",
    )


def _carrier() -> rx.Component:
    return rx.fragment(
        carrier_dialog(Actions.carrier_question, on_close=Actions.close, on_confirm=Actions.confirm_carrier),
        carrier_dialog(
            Questions.carrier_question, on_close=Questions.close, on_confirm=Questions.confirm_carrier
        ),
    )


def carrier_dialog(question: rx.Var[str], *, on_close: Change, on_confirm: Click) -> rx.Component:
    """Return the question before a campaign continues at a different carrier."""
    return confirm_dialog(
        is_open=question != "",
        on_open_change=on_close,
        title="Another carrier",
        sentence=question,
        confirm_label="Continue with this carrier",
        on_confirm=on_confirm,
    )


def _not_ready() -> rx.Component:
    return form_dialog(
        rx.el.ul(
            rx.foreach(
                Actions.errors,
                lambda entry: rx.el.li(glyph("circle-alert", size=16), rx.el.span(entry[1])),
            ),
            class_name="cs-problems",
        ),
        rx.el.div(
            rx.button(
                "Close", on_click=Actions.close(False), variant="soft", color_scheme="gray", type="button"
            ),
            link_button(
                "Continue editing", href=routes.edit_step(here(), Actions.campaign_id, "review"), primary=True
            ),
            class_name="cs-dialog-actions",
        ),
        is_open=Actions.errors.length() > 0,
        on_open_change=Actions.close,
        title="Not ready to start yet",
        sentence="Fix this first:",
    )
