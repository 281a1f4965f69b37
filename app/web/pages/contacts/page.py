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
    no_matches,
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
from app.web.pages.contacts.bulk_history_state import BulkHistoryState
from app.web.pages.contacts.bulk_state import ContactBulkState
from app.web.pages.contacts.card_state import ContactCardState
from app.web.pages.contacts.filter_state import FilterFormState
from app.web.pages.contacts.parts.bulk import bulk_bar, bulk_dialogs
from app.web.pages.contacts.parts.bulk_history import bulk_history_sheet, under_way_bar
from app.web.pages.contacts.parts.card import contact_drawer
from app.web.pages.contacts.parts.filter import conditions, filter_dialog
from app.web.pages.contacts.parts.segments import segment_actions, segments_sheet
from app.web.pages.contacts.parts.tabs import address_book_head, import_button
from app.web.pages.contacts.presenter import ContactListRow
from app.web.pages.contacts.segments_state import SegmentsState
from app.web.pages.contacts.state import ContactsState
from app.web.row_selection import is_ticked, tick_cell, tick_head
from app.web.session import allows, here
from app.web.words import Moment


@shell("Contacts")
def contacts() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        address_book_head(
            "People",
            "One entry per phone number, shared by all campaigns.",
            import_button(),
            _new_button(),
        ),
        panel(
            rx.cond(
                ~ContactsState.loading & ((ContactsState.rows.length() > 0) | ContactsState.is_filtered),
                rx.fragment(_toolbar(), _filter_bar()),
            ),
            under_way_bar(),
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
            bulk_bar(),
            flush=True,
        ),
        contact_drawer(),
        filter_dialog(FilterFormState, sentence="The list then shows only people who match it."),
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
                    href=as_text(routes.download_list(here(), "contacts")) + ContactsState.filters,
                ),
            )
        ],
    )


def _filter_bar() -> rx.Component:
    return rx.cond(
        ContactsState.is_filtered | (ContactsState.segment_id > 0),
        rx.el.div(
            conditions(),
            segment_actions(),
            role="group",
            aria_label="Active filter",
            class_name="cs-conditions",
        ),
    )


def _new_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CONTACTS),
        primary_button("New contact", icon="plus", on_click=ContactCardState.open(0)),
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="users",
        title="No contacts yet",
        sentence="Contacts come in from a file or a pasted list, with a campaign, or one by one by hand. "
        "Each is kept here with all that campaigns did.",
        action=import_button(),
    )


def _table() -> rx.Component:
    return data_table(
        label="Contacts",
        head=[
            rx.cond(
                allows(Right.EDIT_CONTACTS),
                tick_head(ContactBulkState, on_page=ContactsState.rows.length()),
            ),
            _sortable("Name", "name"),
            _sortable("Number", "phone_number"),
            column("Tags"),
            column("Campaigns", align="end", wide_only=True),
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


def _row(contact: ObjectVar[ContactListRow]) -> rx.Component:
    return row(
        rx.cond(
            allows(Right.EDIT_CONTACTS),
            tick_cell(
                ContactBulkState,
                contact.id,
                choose(present(contact.name), contact.name, contact.number),
            ),
        ),
        lead_cell(
            rx.el.div(
                rx.link(
                    choose(present(contact.name), contact.name, "No name"),
                    href=routes.contact(here(), contact.id),
                    class_name="cs-row-link",
                ),
                rx.cond(contact.suppressed, badge("Do not contact", tone="red", icon="user-x")),
                class_name="cs-lead-line",
            ),
            note=contact.note,
        ),
        cell(phone_text(contact.number), label="Number"),
        cell(_tags(contact.tags), label="Tags"),
        cell(contact.campaigns, label="Campaigns", align="end", number=True, wide_only=True),
        cell(disposition_badge(contact.outcome), label="Last outcome"),
        cell(_moment(contact.contacted.to(Moment)), label="Last contact"),
        cell(_added(contact.added.to(Moment)), label="Added"),
        key=contact.id,
        selected=is_ticked(ContactBulkState, contact.id),
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
    """Return the time without its zone: the table is wide, and the day is enough here."""
    return time_text(moment.text, zone="", iso=moment.iso)


def _pages() -> rx.Component:
    return cursor_bar(
        text=as_text(ContactsState.count)
        + as_text(choose(ContactsState.count == "1", " contact", " contacts")),
        has_previous=ContactsState.has_previous,
        has_next=ContactsState.has_next,
        on_previous=ContactsState.turn_page(-1),
        on_next=ContactsState.turn_page(1),
        clock="your clock",
    )
