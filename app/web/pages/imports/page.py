"""The history of imports."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    actions_cell,
    actions_menu,
    cell,
    column,
    confirm_dialog,
    data_table,
    download_icon,
    empty_state,
    lead_cell,
    menu_item,
    panel,
    row,
    time_text,
)
from app.web.components.kinds import as_text, present
from app.web.layout import shell
from app.web.list_parts import list_pages, list_states
from app.web.pages.contacts.parts.tabs import address_book_head, import_button
from app.web.pages.imports.details_state import ImportDetailsState
from app.web.pages.imports.parts.sheet import import_drawer, status_badge
from app.web.pages.imports.presenter import ImportRow
from app.web.pages.imports.state import ImportsState
from app.web.session import allows, here
from app.web.words import Moment


@shell("Contacts")
def imports() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        address_book_head(
            "Imports",
            "Every imported file of people, with its result. An import can be undone.",
            import_button(),
        ),
        panel(
            list_states(
                ImportsState,
                rx.fragment(_table(), list_pages(ImportsState, clock="your clock")),
                none_yet=_none_yet(),
            ),
            flush=True,
        ),
        import_drawer(),
        confirm_dialog(
            is_open=ImportsState.undoing > 0,
            on_open_change=ImportsState.close,
            title=as_text("Undo the import of “") + as_text(ImportsState.name) + "”?",
            sentence="Contacts it created are removed, fields it changed get their old values back, and people it "
            "added to a campaign are removed from it. People who were contacted or changed since then stay.",
            confirm_label="Undo the import",
            on_confirm=ImportsState.undo,
            busy=ImportsState.saving,
        ),
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="file-spreadsheet",
        title="No file yet",
        sentence="Import people here, or in a campaign's Contacts step. Each file is listed with the result of "
        "every row.",
        action=import_button(),
    )


def _table() -> rx.Component:
    return data_table(
        label="Imports",
        head=[
            column("File"),
            column("Status"),
            column("Result"),
            column("Uploaded"),
            column("Actions", hidden_label=True),
        ],
        rows=rx.foreach(ImportsState.rows, _row),
    )


def _row(item: ObjectVar[ImportRow]) -> rx.Component:
    return row(
        lead_cell(
            rx.el.button(
                item.name,
                type="button",
                on_click=ImportDetailsState.open(item.id),
                class_name="cs-row-link cs-words",
            ),
            note=item.note,
        ),
        cell(
            rx.el.div(
                status_badge(item.status),
                rx.cond(present(item.progress), rx.el.span(item.progress, class_name="cs-quiet cs-words")),
                class_name="cs-two-lines",
            ),
            label="Status",
        ),
        cell(_result(item), label="Result"),
        cell(_when(item.at.to(Moment)), label="Uploaded"),
        actions_cell(_actions(item)),
        key=item.id,
    )


def _result(item: ObjectVar[ImportRow]) -> rx.Component:
    none = rx.el.span("\N{EN DASH}", class_name="cs-none")
    return rx.el.div(
        rx.cond(present(item.result), rx.el.span(item.result, class_name="cs-number"), none),
        rx.cond(
            item.campaign_id.to(int) > 0,
            rx.link(
                "Open the campaign",
                href=routes.campaign(here(), item.campaign_id),
                class_name="cs-card-entry-link",
            ),
        ),
        class_name="cs-two-lines",
    )


def _when(at: ObjectVar[Moment]) -> rx.Component:
    return time_text(at.text, zone=at.zone, iso=at.iso)


def _actions(item: ObjectVar[ImportRow]) -> rx.Component:
    return rx.fragment(
        rx.cond(
            allows(Right.EXPORT) & (item.not_in.to(int) > 0),
            download_icon(
                as_text("Download the rows of ") + as_text(item.name) + " that were not imported",
                href=routes.download_not_imported(here(), item.id.to(int)),
            ),
        ),
        rx.cond(
            allows(Right.EDIT_CONTACTS) & item.can_undo.to(bool),
            actions_menu(
                menu_item("Undo", icon="undo-2", danger=True, on_select=ImportsState.ask(item.id)),
                label=as_text("Actions for ") + as_text(item.name),
            ),
        ),
    )
