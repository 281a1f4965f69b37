"""The question on the way on: what about the file that is uploaded and not imported?"""

import reflex as rx

from app.web.components import record
from app.web.components.kinds import as_text
from app.web.imports.parts.file import import_words
from app.web.imports.presenter import Tally
from app.web.imports.state import ImportState
from app.web.pages.wizard.contacts.state import ContactsStepState
from app.web.pages.wizard.parts.frame import address_of
from app.web.pages.wizard.steps import WizardStep, after


def unimported_question(step: WizardStep) -> rx.Component:
    """Return the dialog: import the file and go on, go on without it, or stay."""
    tally = record(ImportState.tally, Tally)
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title("This file is not imported yet", size="4"),
            rx.alert_dialog.description(
                as_text("“")
                + ImportState.file_name
                + as_text("” is uploaded, but its people are not in the campaign."),
                class_name="cs-dialog-sentence",
            ),
            rx.el.div(
                rx.alert_dialog.cancel(
                    rx.button("Stay here", variant="soft", color_scheme="gray", type="button")
                ),
                _without(step),
                rx.cond(tally.accepted.to(int) > 0, _import(tally.accepted)),
                class_name="cs-dialog-actions",
            ),
            max_width="560px",
        ),
        open=ContactsStepState.asking,
        on_open_change=ContactsStepState.ask,
    )


def _without(step: WizardStep) -> rx.Component:
    following = after(step) or step
    return rx.button(
        "Go on without them",
        on_click=[ContactsStepState.ask(False), rx.redirect(address_of(following))],
        variant="surface",
        color_scheme="gray",
        type="button",
    )


def _import(accepted: rx.Var[int]) -> rx.Component:
    return rx.button(
        as_text(import_words(accepted)) + as_text(" and go on"),
        on_click=ContactsStepState.import_and_go_on,
        loading=ContactsStepState.saving,
        type="button",
    )
