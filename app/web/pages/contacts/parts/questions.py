"""The questions before a person's number is suppressed, and before a suppression is lifted."""

import reflex as rx

from app.web.components import (
    error_of,
    form_actions,
    form_dialog,
    form_field,
    secondary_button,
    select_input,
    stacked_form,
    submit_button,
    text_input,
)
from app.web.pages.contacts.card_state import ContactCardState
from app.web.pages.contacts.presenter import SCOPES


def suppress_question() -> rx.Component:
    """Return the question before a number is suppressed."""
    error = error_of(ContactCardState, "reason")
    return form_dialog(
        stacked_form(
            form_field(
                select_input(name="scope", options=[(scope.value, words) for scope, words in SCOPES.items()]),
                name="scope",
                label="What to stop",
                error=error_of(ContactCardState, "scope"),
            ),
            form_field(
                text_input(name="reason", placeholder="Asked by e-mail", error=error),
                name="reason",
                label="Reason",
                help_text="Kept with your name and the time.",
                error=error,
                optional=True,
            ),
            form_actions(
                secondary_button("Go back", on_click=ContactCardState.ask("", 0)),
                submit_button("Block", saving=ContactCardState.saving),
            ),
            state=ContactCardState,
            on_submit=ContactCardState.suppress,
        ),
        is_open=ContactCardState.asking == "suppress",
        on_open_change=ContactCardState.ask("", 0),
        title="Do not contact this person?",
        sentence="Every campaign skips their number from now on, also the running ones.",
    )


def lift_question() -> rx.Component:
    """Return the question before a suppression is lifted."""
    error = error_of(ContactCardState, "reason")
    return form_dialog(
        stacked_form(
            form_field(
                text_input(
                    name="lift_reason", placeholder="They asked us to call again", error=error, required=True
                ),
                name="lift_reason",
                label="Why may they be contacted again?",
                help_text="Kept with your name and the time. The old entry stays as evidence.",
                error=error,
            ),
            form_actions(
                secondary_button("Go back", on_click=ContactCardState.ask("", 0)),
                submit_button("Remove block", saving=ContactCardState.saving),
            ),
            state=ContactCardState,
            on_submit=ContactCardState.lift,
        ),
        is_open=ContactCardState.asking == "lift",
        on_open_change=ContactCardState.ask("", 0),
        title="Remove this block?",
        sentence="Calling somebody who asked not to be called can be against the law. Remove the block only if "
        "they changed their mind, or if it was a mistake.",
    )
