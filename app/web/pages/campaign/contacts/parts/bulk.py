"""The bar with the actions for ticked contacts, and the question before each."""

import reflex as rx

from app.domain.rights import Right
from app.web.components import choose, confirm_dialog, record
from app.web.components.kinds import as_text
from app.web.pages.audiences.state import AudiencesState
from app.web.pages.campaign.contacts.selection_state import SelectionState
from app.web.pages.campaign.contacts.state import CampaignContactsState as Contacts
from app.web.pages.campaign.parts.dialogs import carrier_dialog
from app.web.pages.campaign.state import CampaignState, Header
from app.web.row_selection import bar_action, ticked_bar, whom
from app.web.session import allows


def bulk_bar() -> rx.Component:
    """Return the bar, while anybody is ticked."""
    return ticked_bar(
        SelectionState,
        rx.cond(
            allows(Right.RUN_CAMPAIGNS),
            rx.fragment(
                bar_action("Retry", SelectionState.ask("retry", 0)),
                bar_action("Skip", SelectionState.ask("skip", 0)),
            ),
        ),
        rx.cond(
            allows(Right.EDIT_CAMPAIGNS) & record(CampaignState.header, Header).can_edit,
            bar_action("Remove", SelectionState.ask("remove", 0), danger=True),
        ),
        everybody=Contacts.total.to(str),
        has_more=Contacts.total > SelectionState.ids.length(),
        is_shown=Contacts.rows.length() > 0,
    )


def bulk_dialog() -> rx.Component:
    """Return the question before contacts are retried, skipped or removed."""
    chosen = whom(SelectionState, Contacts.total.to(str))
    who = as_text(choose(SelectionState.single != 0, "1 contact", chosen))
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
            title=rx.Var.create("Retry ") + who + "?",
            sentence="Each gets one more attempt. Contacts who were reached, who wait or who are being contacted "
            "are left alone. A completed campaign runs again.",
            confirm_label="Retry",
            on_confirm=SelectionState.confirm,
            destructive=False,
        ),
        confirm_dialog(
            is_open=asking == "skip",
            on_open_change=SelectionState.close,
            title=rx.Var.create("Skip ") + who + "?",
            sentence="Waiting contacts are not contacted in this campaign. You can retry them later.",
            confirm_label="Skip",
            on_confirm=SelectionState.confirm,
        ),
        confirm_dialog(
            is_open=(asking == "remove") & AudiencesState.keeps_adding,
            on_open_change=SelectionState.close,
            title=rx.Var.create("Skip ") + who + " instead?",
            sentence="A rule keeps adding people who match, so removed people would come back. Skipped people stay "
            "on the list and are not contacted. To remove them, end the rule first.",
            confirm_label="Skip instead",
            on_confirm=SelectionState.skip_instead,
        ),
        confirm_dialog(
            is_open=(asking == "remove") & ~AudiencesState.keeps_adding,
            on_open_change=SelectionState.close,
            title=rx.Var.create("Remove ") + who + "?",
            sentence="They are removed from this campaign and stay in your address book. Contacts already tried "
            "are kept, with their history.",
            confirm_label="Remove",
            on_confirm=SelectionState.confirm,
        ),
    )
