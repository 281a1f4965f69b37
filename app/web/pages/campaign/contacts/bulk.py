"""The bar of what can be done to the ticked contacts, and the question before it is done."""

import reflex as rx
from reflex.vars import StringVar

from app.domain.rights import Right
from app.web.components import choose, confirm_dialog, record
from app.web.components.kinds import Click, Text, as_text
from app.web.pages.audiences.rules import AudiencesState
from app.web.pages.campaign.contacts.selection import SelectionState
from app.web.pages.campaign.contacts.state import CampaignContactsState as Contacts
from app.web.pages.campaign.dialogs import carrier_dialog
from app.web.pages.campaign.state import CampaignState, Header
from app.web.session import allows


def tick_head() -> rx.Component:
    """Return the head of the ticks: everybody on the page."""
    return rx.el.th(
        rx.el.input(
            type="checkbox",
            checked=SelectionState.all_matching | (SelectionState.ids.length() >= Contacts.people.length()),
            on_change=SelectionState.tick_page,
            aria_label="Select this page",
            class_name="cs-checkbox",
        ),
        scope="col",
        role="columnheader",
        class_name="cs-tick-cell",
    )


def bulk_bar() -> rx.Component:
    """Return the bar, while anybody is ticked."""
    chosen = SelectionState.all_matching | (SelectionState.ids.length() > 0)
    return rx.cond(
        chosen & (Contacts.people.length() > 0),
        rx.el.div(
            rx.el.strong(_how_many(), " selected", class_name="cs-number", role="status"),
            rx.cond(
                ~SelectionState.all_matching & (Contacts.total > SelectionState.ids.length()),
                _quiet(
                    rx.Var.create("Select all ") + Contacts.total.to(str) + " that match",
                    SelectionState.tick_all,
                ),
            ),
            _quiet("Clear selection", SelectionState.untick),
            rx.el.div(_actions(), class_name="cs-toolbar-end"),
            class_name="cs-bulk",
        ),
    )


def _actions() -> rx.Component:
    return rx.fragment(
        rx.cond(
            allows(Right.RUN_CAMPAIGNS),
            rx.fragment(_action("Retry", "retry"), _action("Skip", "skip")),
        ),
        rx.cond(
            allows(Right.EDIT_CAMPAIGNS) & record(CampaignState.header, Header).can_edit,
            _action("Remove", "remove"),
        ),
    )


def bulk_dialog() -> rx.Component:
    """Return the question before contacts are retried, skipped or removed."""
    how_many = as_text(choose(SelectionState.single != 0, "1 contact", _how_many() + " contacts"))
    asking = SelectionState.asking
    return rx.fragment(
        carrier_dialog(
            SelectionState.carrier_question,
            on_close=SelectionState.close,
            on_confirm=SelectionState.confirm_carrier,
        ),
        confirm_dialog(
            is_open=(asking == "retry") & (SelectionState.carrier_question == ""),
            on_open_change=SelectionState.close,
            title=rx.Var.create("Retry ") + how_many + "?",
            sentence="Each gets one more attempt. Those who were reached, wait or are being contacted are "
            "left alone. A completed campaign runs again for them.",
            confirm_label="Retry",
            on_confirm=SelectionState.confirm,
            destructive=False,
        ),
        confirm_dialog(
            is_open=asking == "skip",
            on_open_change=SelectionState.close,
            title=rx.Var.create("Skip ") + how_many + "?",
            sentence="Those who wait are not contacted in this campaign. You can retry them later.",
            confirm_label="Skip",
            on_confirm=SelectionState.confirm,
        ),
        confirm_dialog(
            is_open=(asking == "remove") & AudiencesState.keeps_adding,
            on_open_change=SelectionState.close,
            title=rx.Var.create("Skip ") + how_many + " instead?",
            sentence="A rule keeps adding who matches: whoever is removed would come back. Skipped people stay on "
            "the list and are not contacted. To remove them, end the rule first.",
            confirm_label="Skip instead",
            on_confirm=SelectionState.skip_instead,
        ),
        confirm_dialog(
            is_open=(asking == "remove") & ~AudiencesState.keeps_adding,
            on_open_change=SelectionState.close,
            title=rx.Var.create("Remove ") + how_many + "?",
            sentence="They leave this campaign and stay in your address book. Those already tried are kept, "
            "with what happened.",
            confirm_label="Remove",
            on_confirm=SelectionState.confirm,
        ),
    )


def _how_many() -> StringVar[str]:
    everybody, ticked = Contacts.total.to(str), SelectionState.ids.length().to(str)
    return as_text(choose(SelectionState.all_matching, everybody, ticked))


def _action(label: str, action: str) -> rx.Component:
    return rx.button(
        label,
        on_click=SelectionState.ask(action, 0),
        variant="surface",
        color_scheme="red" if action == "remove" else "gray",
        size="1",
        type="button",
    )


def _quiet(label: Text, on_click: Click) -> rx.Component:
    return rx.button(label, on_click=on_click, variant="ghost", size="1", type="button")
