"""The suppression list."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    actions_cell,
    actions_menu,
    badge,
    cell,
    column,
    cursor_bar,
    data_table,
    download_link,
    empty_state,
    lead_cell,
    menu_item,
    panel,
    phone_text,
    primary_button,
    record,
    row,
    secondary_button,
    select_filter,
    time_text,
    toolbar,
)
from app.web.components.kinds import Text, as_text, present
from app.web.layout import shell
from app.web.list_parts import list_search, list_states
from app.web.pages.contacts.parts.tabs import address_book_head
from app.web.pages.suppressions.change_state import SuppressionChangeState
from app.web.pages.suppressions.file_state import SuppressionFileState
from app.web.pages.suppressions.parts.dialogs import add_dialog, file_dialog, history_drawer, lift_dialog
from app.web.pages.suppressions.presenter import (
    SCOPE_OPTIONS,
    SOURCE_OPTIONS,
    STATES,
    SuppressionRow,
    SuppressionsQuery,
)
from app.web.pages.suppressions.state import SuppressionsState
from app.web.session import allows, here
from app.web.words import Moment


@shell("Contacts")
def suppressions() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        address_book_head(
            "Do not contact",
            "Numbers that no campaign, import or API call may contact.",
            _buttons(),
        ),
        panel(
            rx.cond(
                ~SuppressionsState.loading
                & ((SuppressionsState.rows.length() > 0) | SuppressionsState.is_filtered),
                _toolbar(),
            ),
            list_states(SuppressionsState, rx.fragment(_table(), _pages()), none_yet=_none_yet()),
            flush=True,
        ),
        add_dialog(),
        lift_dialog(),
        history_drawer(),
        file_dialog(),
    )


def _buttons() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CONTACTS),
        rx.el.div(
            secondary_button("Import", icon="file-up", on_click=SuppressionFileState.open),
            primary_button("Block a number", icon="user-x", on_click=SuppressionChangeState.ask_to_add),
            class_name="cs-header-actions",
        ),
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="user-x",
        title="No blocked numbers",
        sentence="People who press 9, ask to be removed or text STOP are listed here automatically. Add numbers "
        "that asked in another way, or import a list you already have.",
        action=_buttons(),
    )


def _toolbar() -> rx.Component:
    query = record(SuppressionsState.query, SuppressionsQuery)
    return toolbar(
        select_filter(
            label="State",
            value=query.standing,
            options=STATES,
            on_change=SuppressionsState.filter_by("standing"),
        ),
        select_filter(
            label="Channel",
            value=query.scope,
            options=SCOPE_OPTIONS,
            on_change=SuppressionsState.filter_by("scope"),
        ),
        select_filter(
            label="Source",
            value=query.source,
            options=SOURCE_OPTIONS,
            on_change=SuppressionsState.filter_by("source"),
        ),
        search=list_search(SuppressionsState, "Search blocked numbers", "Start of a number or name"),
        end=[
            rx.cond(
                allows(Right.EXPORT) & (SuppressionsState.rows.length() > 0),
                download_link(
                    "Download CSV",
                    href=as_text(routes.download_list(here(), "suppressions")) + SuppressionsState.filters,
                ),
            )
        ],
    )


def _table() -> rx.Component:
    return data_table(
        label="Blocked numbers",
        head=[
            column("Number"),
            column("Block"),
            column("Reason"),
            column("Source"),
            column("Since"),
            column("Actions", hidden_label=True),
        ],
        rows=rx.foreach(SuppressionsState.rows, _row),
    )


def _row(item: ObjectVar[SuppressionRow]) -> rx.Component:
    return row(
        lead_cell(phone_text(item.number), note=item.name),
        cell(scope_badge(item), label="Block"),
        cell(_reason(item), label="Reason"),
        cell(_source(item), label="Source"),
        cell(_when(item.at.to(Moment)), label="Since"),
        actions_cell(_menu(item)),
        key=item.id,
    )


def scope_badge(item: ObjectVar[SuppressionRow]) -> rx.Component:
    """Return the channels of a suppression; grey if it is lifted."""
    return rx.cond(
        item.is_lifted,
        badge(as_text("Removed: ") + as_text(item.scope), tone="gray", icon="undo-2"),
        badge(item.scope, tone="red", icon="user-x"),
    )


def _reason(item: ObjectVar[SuppressionRow]) -> rx.Component:
    none = rx.el.span("\N{EN DASH}", class_name="cs-none")
    return rx.el.div(
        rx.cond(present(item.reason), rx.el.span(item.reason, class_name="cs-words"), none),
        rx.cond(present(item.lifted), rx.el.span(item.lifted, class_name="cs-quiet cs-words")),
        class_name="cs-two-lines",
    )


def _source(item: ObjectVar[SuppressionRow]) -> rx.Component:
    return rx.el.div(
        rx.el.span(item.source),
        rx.cond(present(item.by), rx.el.span(item.by, class_name="cs-quiet cs-words")),
        class_name="cs-two-lines",
    )


def _when(at: ObjectVar[Moment]) -> rx.Component:
    text: Text = at.text
    return time_text(text, zone=at.zone, iso=at.iso)


def _menu(item: ObjectVar[SuppressionRow]) -> rx.Component:
    return actions_menu(
        menu_item(
            "History of this number",
            icon="history",
            on_select=SuppressionChangeState.show_history(item.e164, item.name),
        ),
        rx.cond(
            allows(Right.EDIT_CONTACTS) & ~item.is_lifted.to(bool),
            menu_item("Remove block", icon="undo-2", on_select=SuppressionChangeState.ask_to_lift(item.id)),
        ),
        label=as_text("Actions for ") + as_text(item.number),
    )


def _pages() -> rx.Component:
    return cursor_bar(
        text=SuppressionsState.range_text,
        has_previous=record(SuppressionsState.query, SuppressionsQuery).page.to(int) > 1,
        has_next=SuppressionsState.has_next,
        on_previous=SuppressionsState.turn_page(-1),
        on_next=SuppressionsState.turn_page(1),
        clock="your clock",
    )
