"""The sheet with a person's card."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    badge,
    choose,
    copy_button,
    disposition_badge,
    drawer,
    facts,
    phone_text,
    recipient_badge,
    record,
    secondary_button,
    time_text,
)
from app.web.components.kinds import Child, Text, as_text, present
from app.web.pages.contacts.card_state import ContactCardState
from app.web.pages.contacts.parts.form import contact_form
from app.web.pages.contacts.parts.questions import lift_question, suppress_question
from app.web.pages.contacts.presenter import ContactCard, PersonCampaign, SuppressionItem
from app.web.session import allows, here
from app.web.words import Moment


def contact_drawer() -> rx.Component:
    """Return the sheet: the card, or its form while it is edited."""
    card = record(ContactCardState.card, ContactCard)
    is_new = card.id == 0
    return rx.fragment(
        drawer(
            rx.cond(ContactCardState.editing, contact_form(), _card(card)),
            is_open=ContactCardState.is_open,
            on_open_change=ContactCardState.set_open,
            title=choose(is_new, "New contact", choose(present(card.name), card.name, "No name")),
            sentence=choose(is_new, "A person to call or text.", as_text(card.number)),
        ),
        suppress_question(),
        lift_question(),
    )


def _card(card: ObjectVar[ContactCard]) -> rx.Component:
    return rx.fragment(
        _section("Details", card_facts(card), action=_edit_button()),
        _section("May we contact them?", suppressions(), action=_suppress_button()),
        _section("Campaigns", _history()),
    )


def _section(title: str, *children: Child, action: Child | None = None) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h3(title),
            action if action is not None else rx.fragment(),
            class_name="cs-card-section-head",
        ),
        *children,
        class_name="cs-card-section",
    )


def _edit_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CONTACTS),
        secondary_button("Edit", icon="pencil", on_click=ContactCardState.set_editing(True)),
    )


def _suppress_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CONTACTS),
        secondary_button("Do not contact", icon="user-x", on_click=ContactCardState.ask("suppress", 0)),
    )


def card_facts(card: ObjectVar[ContactCard]) -> rx.Component:
    """Return the person's details."""
    return facts(
        ("Number", rx.fragment(phone_text(card.e164), copy_button(card.e164, label="Copy the number"))),
        ("E-mail", _value(card.email)),
        ("Company", _value(card.company)),
        ("Time zone", _where(card)),
        ("Country and state", _value(choose(present(card.state), _joined(card), card.country))),
        ("Language", _value(card.language)),
        ("Tags", _value(card.tags)),
        ("Custom fields", rx.el.span(_value(card.own_fields), class_name="cs-lines")),
        ("Consent", _consent(card)),
        ("Notes", rx.el.span(_value(card.notes), class_name="cs-lines")),
        ("Added", _added(card)),
    )


def _added(card: ObjectVar[ContactCard]) -> rx.Component:
    return rx.el.div(
        rx.el.span(card.added, class_name="cs-number"),
        rx.cond(
            card.import_id.to(int) > 0,
            rx.link("See the import", href=routes.import_sheet(here(), card.import_id)),
        ),
        class_name="cs-two-lines",
    )


def _where(card: ObjectVar[ContactCard]) -> rx.Component:
    return rx.el.div(
        rx.el.span(card.where),
        rx.cond(present(card.there), rx.el.span(card.there, class_name="cs-quiet cs-number")),
        class_name="cs-two-lines",
    )


def _consent(card: ObjectVar[ContactCard]) -> rx.Component:
    return rx.el.div(
        rx.el.span(card.consent_words),
        *[
            rx.cond(present(said), rx.el.span(said, class_name="cs-quiet cs-words"))
            for said in (
                *(card.consent_scope_words, card.consent_at, card.consent_source),
                *(card.consent_wording, card.consent_evidence),
            )
        ],
        class_name="cs-two-lines",
    )


def _joined(card: ObjectVar[ContactCard]) -> rx.Var[str]:
    return as_text(card.country) + " " + as_text(card.state)


def _value(text: Text) -> rx.Component:
    return rx.cond(present(text), rx.el.span(text), rx.el.span("\N{EN DASH}", class_name="cs-none"))


def suppressions() -> rx.Component:
    """Return the person's suppressions, past ones too."""
    return rx.cond(
        ContactCardState.suppressions.length() > 0,
        rx.el.ul(rx.foreach(ContactCardState.suppressions, _suppression), class_name="cs-card-entries"),
        rx.el.p(
            "Can be contacted. If they press 9, ask to be removed or text STOP, they are blocked automatically.",
            class_name="cs-quiet",
        ),
    )


def _suppression(item: ObjectVar[SuppressionItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.cond(
                item.is_lifted,
                badge(as_text("Removed: ") + as_text(item.scope), tone="gray", icon="undo-2"),
                badge(item.scope, tone="red", icon="user-x"),
            ),
            rx.cond(
                allows(Right.EDIT_CONTACTS) & ~item.is_lifted.to(bool),
                rx.button(
                    "Remove block",
                    on_click=ContactCardState.ask("lift", item.id),
                    variant="ghost",
                    size="1",
                    type="button",
                ),
            ),
            class_name="cs-card-entry-head",
        ),
        rx.cond(present(item.reason), rx.el.p(item.reason)),
        rx.el.p(
            _when(item.at.to(Moment)),
            choose(present(item.by), as_text(" · ") + as_text(item.by), ""),
            as_text(" · ") + as_text(item.source),
            class_name="cs-card-entry-note",
        ),
        rx.cond(
            item.is_lifted,
            rx.el.p(
                "Removed ",
                _when(item.lifted_at.to(Moment)),
                as_text(" · ") + as_text(item.lifted_by) + as_text(" · ") + as_text(item.lift_reason),
                class_name="cs-card-entry-note",
            ),
        ),
    )


def _when(at: ObjectVar[Moment]) -> rx.Component:
    return time_text(at.text, zone=at.zone, iso=at.iso)


def _history() -> rx.Component:
    return rx.cond(
        ContactCardState.history.length() > 0,
        rx.el.ul(rx.foreach(ContactCardState.history, _campaign), class_name="cs-card-entries"),
        rx.el.p("In no campaign yet.", class_name="cs-quiet"),
    )


def _campaign(item: ObjectVar[PersonCampaign]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.link(
                item.campaign, href=routes.campaign(here(), item.campaign_id), class_name="cs-card-entry-link"
            ),
            recipient_badge(item.status),
            class_name="cs-card-entry-head",
        ),
        rx.el.div(
            rx.el.span(item.channel, " · ", _when(item.at.to(Moment)), class_name="cs-card-entry-note"),
            rx.cond(present(item.outcome), disposition_badge(item.outcome)),
            class_name="cs-card-entry-head",
        ),
    )
