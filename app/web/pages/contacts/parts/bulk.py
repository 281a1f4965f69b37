"""The bar with the actions for ticked people, and the question before each."""

from typing import Any, Final

import reflex as rx
from reflex.vars import StringVar

from app.domain.rights import Right
from app.web.components import (
    choose,
    confirm_dialog,
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
from app.web.components.kinds import as_text
from app.web.pages.contacts.bulk_state import ContactBulkState
from app.web.pages.contacts.presenter import SCOPES
from app.web.pages.contacts.state import ContactsState
from app.web.row_selection import bar_action, ticked_bar, whom
from app.web.session import allows

_LABELS: Final = {"tag": "Tag", "untag": "Untag", "suppress": "Do not contact", "delete": "Delete"}


def bulk_bar() -> rx.Component:
    """Return the bar, while anybody is ticked."""
    return ticked_bar(
        ContactBulkState,
        *[
            bar_action(label, ContactBulkState.ask(action), danger=action in {"delete", "suppress"})
            for action, label in _LABELS.items()
        ],
        everybody=ContactsState.count,
        has_more=ContactsState.has_next | ContactsState.has_previous,
        is_shown=allows(Right.EDIT_CONTACTS),
    )


def bulk_dialogs() -> rx.Component:
    """Return the questions."""
    who = whom(ContactBulkState, ContactBulkState.meant.to(str))
    return rx.fragment(
        _tags_dialog(who),
        _suppress_dialog(who),
        confirm_dialog(
            is_open=ContactBulkState.asking == "delete",
            on_open_change=ContactBulkState.close,
            title=as_text("Delete ") + who + "?",
            sentence="They are removed from the address book for good. People who are or were in a campaign are kept, "
            "because its record says who was contacted. Blocks stay.",
            confirm_label="Delete",
            on_confirm=ContactBulkState.confirm,
            busy=ContactBulkState.saving,
        ),
    )


def _tags_dialog(who: StringVar[str]) -> rx.Component:
    asking = ContactBulkState.asking
    return form_dialog(
        stacked_form(
            form_field(
                text_input(
                    name="bulk_tags",
                    placeholder="vip, newsletter",
                    required=True,
                    error=error_of(ContactBulkState, "tags"),
                ),
                name="bulk_tags",
                label="Tags",
                help_text="Separated by commas.",
                error=error_of(ContactBulkState, "tags"),
            ),
            _buttons(choose(asking == "tag", "Tag", "Untag")),
            state=ContactBulkState,
            on_submit=ContactBulkState.submit,
        ),
        is_open=(asking == "tag") | (asking == "untag"),
        on_open_change=ContactBulkState.close,
        title=as_text(choose(asking == "tag", "Tag ", "Untag ")) + who,
        sentence=choose(asking == "tag", "The tags are added to those they have.", "The tags are taken off."),
    )


def _suppress_dialog(who: StringVar[str]) -> rx.Component:
    return form_dialog(
        stacked_form(
            form_field(
                select_input(
                    name="bulk_scope", options=[(scope.value, words) for scope, words in SCOPES.items()]
                ),
                name="bulk_scope",
                label="What to stop",
            ),
            form_field(
                text_input(
                    name="bulk_reason",
                    placeholder="Asked by e-mail",
                    error=error_of(ContactBulkState, "reason"),
                ),
                name="bulk_reason",
                label="Reason",
                help_text="Kept with your name and the time.",
                error=error_of(ContactBulkState, "reason"),
                optional=True,
            ),
            _buttons("Block"),
            state=ContactBulkState,
            on_submit=ContactBulkState.submit,
        ),
        is_open=ContactBulkState.asking == "suppress",
        on_open_change=ContactBulkState.close,
        title=as_text("Do not contact ") + who + "?",
        sentence="Every campaign skips their numbers from now on, also the running ones.",
    )


def _buttons(label: Any) -> rx.Component:
    return form_actions(
        secondary_button("Go back", on_click=ContactBulkState.close(False)),
        submit_button(label, saving=ContactBulkState.saving),
    )
