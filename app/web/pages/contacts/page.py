"""The address book."""

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    badge,
    cell,
    chip,
    choose,
    column,
    cursor_bar,
    data_table,
    disposition_badge,
    download_link,
    empty_state,
    lead_cell,
    link_button,
    no_matches,
    page_header,
    panel,
    phone_text,
    primary_button,
    row,
    search_field,
    secondary_button,
    sortable_column,
    table_states,
    time_text,
    toolbar,
)
from app.web.components.kinds import Text, as_text, present
from app.web.layout import shell
from app.web.pages.contacts.bulk import ContactBulkState, bulk_bar, bulk_dialogs, tick_head
from app.web.pages.contacts.bulk_history import BulkHistoryState, bulk_history_sheet, under_way_bar
from app.web.pages.contacts.card import ContactCardState
from app.web.pages.contacts.drawer import contact_drawer
from app.web.pages.contacts.filter_form import FilterFormState, conditions_bar, filter_dialog
from app.web.pages.contacts.segments import SegmentsState, segment_bar, segments_sheet
from app.web.pages.contacts.state import ContactsState
from app.web.pages.contacts.tabs import contacts_tabs
from app.web.pages.contacts.words import ContactItem
from app.web.session import allows, here
from app.web.words import Moment


@shell("Contacts")
def contacts() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header(
            "Contacts",
            description="Everyone you call or text: one entry a number, whatever the campaign.",
            actions=[_import_button(), _new_button()],
        ),
        contacts_tabs("People"),
        panel(
            rx.cond(
                ~ContactsState.loading & ((ContactsState.rows.length() > 0) | ContactsState.is_filtered),
                rx.fragment(_toolbar(), conditions_bar(), segment_bar()),
            ),
            under_way_bar(),
            bulk_bar(),
            table_states(
                rx.fragment(_table(), _pages()),
                loading=ContactsState.loading,
                problem=ContactsState.problem,
                is_empty=ContactsState.rows.length() == 0,
                empty=rx.cond(
                    ContactsState.is_filtered, no_matches(on_clear=ContactsState.clear), _none_yet()
                ),
                on_retry=ContactsState.load,
            ),
            flush=True,
        ),
        contact_drawer(),
        filter_dialog(FilterFormState, sentence="Only people who meet it are listed."),
        segments_sheet(),
        bulk_history_sheet(),
        bulk_dialogs(),
    )


def _toolbar() -> rx.Component:
    return toolbar(
        secondary_button("Add filter", icon="list-filter", on_click=FilterFormState.open),
        secondary_button("Segments", icon="bookmark", on_click=SegmentsState.open),
        secondary_button("Bulk changes", icon="history", on_click=BulkHistoryState.open),
        search=search_field(
            value=ContactsState.search,
            on_change=ContactsState.find,
            label="Search contacts",
            placeholder="Start of a name or number",
        ),
        end=[
            rx.cond(
                allows(Right.EXPORT) & (ContactsState.rows.length() > 0),
                download_link(
                    "Download CSV",
                    href=as_text(routes.download_address_book(here())) + ContactsState.filters,
                ),
            )
        ],
    )


def _new_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CONTACTS),
        primary_button("New contact", icon="plus", on_click=ContactCardState.open(0)),
    )


def _import_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CONTACTS),
        link_button("Import people", icon="file-up", href=routes.contacts_import(here())),
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="users",
        title="No contacts yet",
        sentence="Contacts come in from a file or a pasted list, with a campaign, or one by one by hand. "
        "Each is kept here with all that campaigns did.",
        action=_import_button(),
    )


def _table() -> rx.Component:
    return data_table(
        label="Contacts",
        head=[
            rx.cond(allows(Right.EDIT_CONTACTS), tick_head()),
            _sortable("Name", "name"),
            _sortable("Number", "phone_number"),
            column("Tags"),
            column("Campaigns", align="end"),
            column("Last outcome"),
            _sortable("Last contact", "last_contacted"),
            _sortable("Added", "created"),
        ],
        rows=rx.foreach(ContactsState.rows, _row),
    )


def _sortable(label: str, key: str) -> rx.Component:
    return sortable_column(
        label,
        key=key,
        sorted_by=ContactsState.sort,
        descending=ContactsState.descending,
        on_sort=ContactsState.sort_by(key),
    )


def _row(contact: ObjectVar[ContactItem]) -> rx.Component:
    ticked = ContactBulkState.all_matching | ContactBulkState.ids.contains(contact.id)
    return row(
        rx.cond(
            allows(Right.EDIT_CONTACTS),
            rx.el.td(
                rx.el.input(
                    type="checkbox",
                    checked=ticked,
                    on_change=ContactBulkState.tick(contact.id),
                    aria_label=as_text("Select ")
                    + as_text(choose(present(contact.name), contact.name, contact.number)),
                    class_name="cs-checkbox",
                ),
                role="cell",
                class_name="cs-tick-cell",
            ),
        ),
        lead_cell(
            rx.el.div(
                rx.link(
                    choose(present(contact.name), contact.name, "No name"),
                    href=routes.contact(here(), contact.id),
                    class_name="cs-row-link",
                ),
                rx.cond(contact.suppressed, badge("Suppressed", tone="red", icon="user-x")),
                class_name="cs-lead-line",
            ),
            note=contact.note,
        ),
        cell(phone_text(contact.number), label="Number"),
        cell(_tags(contact.tags), label="Tags"),
        cell(contact.campaigns, label="Campaigns", align="end", number=True),
        cell(disposition_badge(contact.outcome), label="Last outcome"),
        cell(_moment(contact.contacted.to(Moment)), label="Last contact"),
        cell(_added(contact.added.to(Moment)), label="Added"),
        key=contact.id,
        selected=ticked,
    )


def _tags(tags: ArrayVar[list[str]] | rx.Var[list[str]]) -> rx.Component:
    words: ArrayVar[list[str]] = rx.Var.create(tags).to(list[str])
    return rx.cond(
        words.length() > 0,
        rx.el.div(rx.foreach(words, _tag), class_name="cs-badges"),
        rx.el.span("\N{EN DASH}", class_name="cs-none"),
    )


def _tag(word: rx.Var[str]) -> rx.Component:
    return chip(word)


def _moment(moment: ObjectVar[Moment]) -> rx.Component:
    text: Text = moment.text
    return rx.cond(
        present(text),
        time_text(text, zone=moment.zone, iso=moment.iso),
        rx.el.span("Never", class_name="cs-quiet"),
    )


def _added(moment: ObjectVar[Moment]) -> rx.Component:
    """Without its zone: to the hour nobody asks, and the table is wide."""
    return time_text(moment.text, zone="", iso=moment.iso)


def _pages() -> rx.Component:
    return cursor_bar(
        text=as_text(ContactsState.count)
        + as_text(choose(ContactsState.count == "1", " contact", " contacts")),
        has_previous=ContactsState.has_previous,
        has_next=ContactsState.has_next,
        on_previous=ContactsState.turn_page(-1),
        on_next=ContactsState.turn_page(1),
    )
