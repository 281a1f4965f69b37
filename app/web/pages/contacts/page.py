"""The address book."""

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.domain.rights import Right
from app.web.components import (
    badge,
    cell,
    chip,
    choose,
    column,
    data_table,
    disposition_badge,
    empty_state,
    lead_cell,
    no_matches,
    page_header,
    pagination_bar,
    panel,
    phone_text,
    primary_button,
    row,
    search_field,
    sortable_column,
    table_states,
    time_text,
    toolbar,
)
from app.web.components.kinds import Text, present
from app.web.layout import shell
from app.web.pages.campaign.words import Moment
from app.web.pages.contacts.card import ContactCardState
from app.web.pages.contacts.drawer import contact_drawer
from app.web.pages.contacts.state import ContactsState
from app.web.pages.contacts.tabs import contacts_tabs
from app.web.pages.contacts.words import ContactItem
from app.web.session import allows


@shell("Contacts")
def contacts() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header(
            "Contacts",
            description="Everyone you call or text: one entry a number, whatever the campaign.",
            actions=[_new_button()],
        ),
        contacts_tabs("People"),
        panel(
            rx.cond(
                ~ContactsState.loading & ((ContactsState.rows.length() > 0) | present(ContactsState.search)),
                toolbar(
                    search=search_field(
                        value=ContactsState.search,
                        on_change=ContactsState.find,
                        label="Search contacts",
                        placeholder="Start of a name or number",
                    )
                ),
            ),
            table_states(
                rx.fragment(_table(), _pages()),
                loading=ContactsState.loading,
                problem=ContactsState.problem,
                is_empty=ContactsState.rows.length() == 0,
                empty=rx.cond(
                    present(ContactsState.search), no_matches(on_clear=ContactsState.find("")), _none_yet()
                ),
                on_retry=ContactsState.load,
            ),
            flush=True,
        ),
        contact_drawer(),
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
        sentence="Contacts come in with a campaign's file, or one by one by hand. "
        "Each is kept here with all that campaigns did.",
        action=_new_button(),
    )


def _table() -> rx.Component:
    return data_table(
        label="Contacts",
        head=[
            _sortable("Name", "name"),
            _sortable("Number", "phone_number"),
            column("Tags"),
            column("Campaigns", align="end"),
            column("Last outcome"),
            column("Last contact"),
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
    return row(
        lead_cell(
            rx.el.div(
                rx.el.button(
                    choose(present(contact.name), contact.name, "No name"),
                    type="button",
                    on_click=ContactCardState.open(contact.id),
                    class_name="cs-text-button",
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
    return pagination_bar(
        text=ContactsState.range_text,
        page=ContactsState.page,
        pages=ContactsState.pages,
        on_previous=ContactsState.turn_page(-1),
        on_next=ContactsState.turn_page(1),
    )
