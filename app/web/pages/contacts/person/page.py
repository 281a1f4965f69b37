"""A person's page."""

from typing import Final

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    Crumb,
    actions_menu,
    badge,
    choose,
    columns,
    confirm_dialog,
    disposition_badge,
    glyph,
    menu_item,
    number_there,
    page_header,
    panel,
    primary_button,
    record,
    secondary_button,
    table_states,
)
from app.web.components.kinds import present
from app.web.layout import shell
from app.web.pages.contacts.card_state import ContactCardState
from app.web.pages.contacts.parts.card import card_facts, contact_drawer, suppressions
from app.web.pages.contacts.parts.hold import hold_line, hold_question
from app.web.pages.contacts.person.presenter import ICONS, Happened
from app.web.pages.contacts.person.state import PersonPageState
from app.web.pages.contacts.presenter import ContactCard
from app.web.session import allows, here

_AGAIN: Final = (ContactCardState.read_again,)


@shell("Contacts")
def contact() -> rx.Component:
    """Return the page."""
    card = record(ContactCardState.card, ContactCard)
    return rx.fragment(
        page_header(
            choose(card.id == 0, "Contact", choose(present(card.name), card.name, "No name")),
            breadcrumbs=[Crumb("Contacts", routes.contacts(here()))],
            beside_title=[
                number_there(card.number, card.there),
                rx.cond(card.suppressed, badge("Do not contact", tone="red", icon="user-x")),
            ],
            actions=[_actions(card)],
        ),
        table_states(
            columns(_history(), aside=_aside(card)),
            loading=PersonPageState.loading,
            problem=PersonPageState.problem,
            is_empty=False,
            empty=rx.fragment(),
            on_retry=PersonPageState.load,
        ),
        contact_drawer(),
        hold_question(then=_AGAIN),
        confirm_dialog(
            is_open=ContactCardState.asking == "delete",
            on_open_change=ContactCardState.ask("", 0),
            title="Delete this contact?",
            sentence="They are removed from the address book for good. People who are or were in a campaign "
            "cannot be deleted: its record is evidence.",
            confirm_label="Delete",
            on_confirm=ContactCardState.delete,
            busy=ContactCardState.saving,
        ),
    )


def _actions(card: ObjectVar[ContactCard]) -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CONTACTS) & (card.id.to(int) > 0),
        rx.el.div(
            secondary_button("Edit", icon="pencil", on_click=ContactCardState.edit),
            primary_button("Do not contact", icon="user-x", on_click=ContactCardState.ask("suppress", 0)),
            actions_menu(
                menu_item("Delete", icon="trash-2", danger=True, on_select=ContactCardState.ask("delete", 0)),
                label="More actions",
            ),
            class_name="cs-header-actions",
        ),
    )


def _aside(card: ObjectVar[ContactCard]) -> rx.Component:
    return rx.fragment(
        panel(
            suppressions(),
            hold_line(card.hold, card.id.to(int), then=_AGAIN),
            title="May we contact them?",
        ),
        panel(card_facts(card), title="Details"),
    )


def _history() -> rx.Component:
    return panel(
        rx.el.ol(rx.foreach(PersonPageState.events, _event), class_name="cs-timeline"),
        rx.cond(
            PersonPageState.has_more, secondary_button("Show earlier", on_click=PersonPageState.show_more)
        ),
        title="History",
        description="Every campaign, call and text, newest first. In brackets: their local time.",
    )


def _event(event: ObjectVar[Happened]) -> rx.Component:
    return rx.el.li(
        rx.el.span(
            rx.match(
                event.icon, *[(kind, glyph(icon, size=15)) for kind, icon in ICONS.items()], rx.fragment()
            ),
            class_name="cs-timeline-mark",
            aria_hidden="true",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.strong(event.title),
                rx.cond(present(event.outcome), disposition_badge(event.outcome)),
                class_name="cs-timeline-head",
            ),
            rx.cond(
                event.campaign_id.to(int) > 0,
                rx.link(
                    event.campaign,
                    href=routes.campaign(here(), event.campaign_id),
                    class_name="cs-card-entry-link",
                ),
            ),
            rx.cond(
                event.import_id.to(int) > 0,
                rx.link(
                    "See the import",
                    href=routes.import_sheet(here(), event.import_id),
                    class_name="cs-card-entry-link",
                ),
            ),
            rx.cond(present(event.detail), rx.el.p(event.detail, class_name="cs-words")),
            rx.el.time(event.when, date_time=event.iso, class_name="cs-quiet cs-number"),
            class_name="cs-timeline-body",
        ),
        key=event.key,
    )
