"""The Contacts tab."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.services.campaigns.eligibility import SKIPPED_AHEAD
from app.web import routes
from app.web.components import (
    actions_cell,
    actions_menu,
    cell,
    column,
    data_table,
    disposition_badge,
    download_link,
    empty_state,
    lead_cell,
    menu_item,
    number_there,
    panel,
    recipient_badge,
    record,
    row,
    select_filter,
    time_text,
    toolbar,
)
from app.web.layout import shell
from app.web.list_parts import list_column, list_pages, list_search, list_states
from app.web.listing import ALL
from app.web.pages.audiences.parts.form import audience_panel
from app.web.pages.audiences.parts.rules import audience_rules
from app.web.pages.campaign.contacts.parts.adding import add_buttons, book_dialog, hand_dialog
from app.web.pages.campaign.contacts.parts.bulk import bulk_bar, bulk_dialog
from app.web.pages.campaign.contacts.parts.person import person_drawer
from app.web.pages.campaign.contacts.person_state import PersonState
from app.web.pages.campaign.contacts.presenter import CampaignContactsQuery, Person
from app.web.pages.campaign.contacts.selection_state import SelectionState
from app.web.pages.campaign.contacts.state import CampaignContactsState as Contacts
from app.web.pages.campaign.parts.frame import campaign_frame
from app.web.pages.campaign.parts.runs import run_choice
from app.web.pages.contacts.parts.hold import hold_question
from app.web.recipient_words import SKIPPED_WORDS, STATUS_WORDS, WAITING_WORDS
from app.web.row_selection import is_ticked, tick_cell, tick_head
from app.web.session import allows, here


@shell("Campaigns")
def campaign_contacts() -> rx.Component:
    """Return the page."""
    return campaign_frame(
        audience_panel(),
        audience_rules(),
        panel(
            _toolbar(),
            list_states(
                Contacts,
                rx.el.div(
                    _table(),
                    list_pages(Contacts, clock="the campaign's clock, those under “Why” on the person's"),
                    class_name="cs-people",
                ),
                none_yet=_none_yet(),
            ),
            bulk_bar(),
            flush=True,
        ),
        person_drawer(),
        hold_question(then=(PersonState.read_again,)),
        bulk_dialog(),
        hand_dialog(),
        book_dialog(),
        tab="Contacts",
    )


def _toolbar() -> rx.Component:
    query = record(Contacts.query, CampaignContactsQuery)
    return toolbar(
        select_filter(
            label="Status",
            value=query.status,
            options=[
                (ALL, "All statuses"),
                *((each.value, word) for each, word in STATUS_WORDS.items()),
                (SKIPPED_AHEAD, "Skipped or will be"),
            ],
            on_change=Contacts.filter_by("status"),
        ),
        run_choice(query.run.to(str), Contacts.filter_by("run")),
        select_filter(
            label="Why",
            value=query.reason,
            options=[(ALL, "All reasons"), *WAITING_WORDS.items(), *SKIPPED_WORDS.items()],
            on_change=Contacts.filter_by("reason"),
        ),
        search=list_search(Contacts, "Search name or number"),
        end=[_download(), add_buttons()],
    )


def _download() -> rx.Component:
    campaign_id = rx.State.campaign_id  # type: ignore[attr-defined]  # Reflex makes it from the route
    address = rx.Var.create(routes.download_of_campaign(here(), campaign_id, "contacts")).to(str)
    return rx.cond(
        allows(Right.EXPORT) & (Contacts.rows.length() > 0),
        download_link("Download CSV", href=address + Contacts.filters),
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="users",
        title="No contacts yet",
        sentence="Add people by hand or from your address book, or upload a list while the campaign is "
        "a draft.",
        action=add_buttons(),
    )


def _table() -> rx.Component:
    return data_table(
        label="Contacts of this campaign",
        head=[
            tick_head(SelectionState, on_page=Contacts.rows.length()),
            list_column(Contacts, "#", "position"),
            list_column(Contacts, "Contact", "name"),
            list_column(Contacts, "Status", "status"),
            column("Why"),
            list_column(Contacts, "Attempts", "attempts"),
            list_column(Contacts, "Last outcome", "last_attempt"),
            list_column(Contacts, "Next attempt", "next"),
            column("Actions", hidden_label=True),
        ],
        rows=rx.foreach(Contacts.rows, _row),
    )


def _row(person: ObjectVar[Person]) -> rx.Component:
    return row(
        tick_cell(SelectionState, person.id, person.name.to(str)),
        rx.el.td(person.position, role="cell", class_name="cs-number cs-position"),
        lead_cell(
            rx.el.button(
                person.name, type="button", on_click=PersonState.show(person.id), class_name="cs-row-link"
            ),
            note=number_there(person.number, person.there),
        ),
        cell(recipient_badge(person.status), label="Status"),
        cell(
            rx.cond(
                person.why != "",
                rx.el.span(person.why, class_name="cs-why-cell"),
                rx.el.span("\u2013", class_name="cs-none", aria_label="none"),
            ),
            label="Why",
        ),
        cell(person.attempts, label="Attempts", number=True),
        cell(_last(person), label="Last outcome"),
        cell(_next(person), label="Next attempt"),
        actions_cell(_menu(person)),
        key=person.id,
        selected=is_ticked(SelectionState, person.id),
    )


def _last(person: ObjectVar[Person]) -> rx.Component:
    return rx.el.div(
        disposition_badge(person.disposition),
        rx.cond(
            person.last.text != "",
            rx.el.span(
                time_text(person.last.text, zone=person.last.zone, iso=person.last.iso),
                class_name="cs-quiet",
            ),
        ),
        class_name="cs-two-lines",
    )


def _next(person: ObjectVar[Person]) -> rx.Component:
    return rx.cond(
        person.next.text != "",
        time_text(person.next.text, zone=person.next.zone, iso=person.next.iso),
        rx.cond(
            person.next_word != "",
            rx.el.span(person.next_word),
            rx.el.span("\u2013", class_name="cs-none", aria_label="none"),
        ),
    )


def _menu(person: ObjectVar[Person]) -> rx.Component:
    return actions_menu(
        menu_item("Show details", icon="panel-right-open", on_select=PersonState.show(person.id)),
        rx.cond(
            allows(Right.RUN_CAMPAIGNS) & person.can_retry,
            menu_item("Retry", icon="rotate-ccw", on_select=SelectionState.do("retry", person.id)),
        ),
        rx.cond(
            allows(Right.RUN_CAMPAIGNS) & person.can_skip,
            menu_item("Skip", icon="skip-forward", on_select=SelectionState.do("skip", person.id)),
        ),
        rx.cond(
            allows(Right.EDIT_CAMPAIGNS) & person.can_remove,
            menu_item(
                "Remove", icon="trash-2", danger=True, on_select=SelectionState.ask("remove", person.id)
            ),
        ),
        label=rx.Var.create("Actions for ") + person.name.to(str),
    )
