"""Who is contacted."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import columns, download_icon, glyph, panel
from app.web.components.kinds import as_text, choose
from app.web.imports.parts.file import file_panel
from app.web.imports.presenter import FileLine
from app.web.imports.state import ImportState
from app.web.layout import shell
from app.web.pages.audiences.form_state import AudienceFormState
from app.web.pages.audiences.parts.form import audience_button, audience_dialogs, audience_form
from app.web.pages.audiences.parts.rules import audience_rules
from app.web.pages.wizard.contacts.parts.people import address_book_panel, by_hand_panel
from app.web.pages.wizard.contacts.parts.unimported import unimported_question
from app.web.pages.wizard.contacts.state import ContactsStepState
from app.web.pages.wizard.parts.frame import (
    back_link,
    campaign_here,
    closing_bar,
    next_button,
    next_link,
    wizard_page,
)
from app.web.pages.wizard.state import WizardState
from app.web.pages.wizard.steps import WizardStep
from app.web.session import allows, here


@shell("Campaigns")
def contacts() -> rx.Component:
    """Return the wizard's third step."""
    step = WizardStep.CONTACTS
    return wizard_page(
        step,
        ContactsStepState,
        columns(file_panel(), by_hand_panel(), _rule_panel(), address_book_panel(), aside=_aside()),
        audience_dialogs(),
        closing_bar(_next(step), back=back_link(step)),
        unimported_question(step),
    )


def _rule_panel() -> rx.Component:
    return rx.fragment(
        panel(
            rx.cond(AudienceFormState.is_open, audience_form(), audience_button()),
            title="Add from the address book",
            description="Everyone, a segment, a filter, or who did not answer another campaign.",
        ),
        audience_rules(),
    )


def _next(step: WizardStep) -> rx.Component:
    asked = next_button(step, on_click=ContactsStepState.ask(True))
    return rx.fragment(rx.cond(ImportState.stage == "uploaded", asked, next_link(step)))


def _aside() -> rx.Component:
    return rx.el.div(
        panel(
            rx.el.p(
                rx.el.span(WizardState.contacts, class_name="cs-wizard-figure cs-number"),
                choose(WizardState.contacts == 1, " contact", " contacts"),
                aria_live="polite",
            ),
            rx.cond(
                WizardState.contacts > 0,
                rx.link(
                    "See them all",
                    glyph("arrow-right", size=13),
                    href=routes.campaign_contacts(here(), campaign_here()),
                    class_name="cs-wizard-link",
                ),
            ),
            title="In this campaign",
        ),
        rx.cond(ImportState.earlier.length() > 0, _earlier()),
        class_name="cs-wizard-aside cs-stack",
    )


def _earlier() -> rx.Component:
    return panel(
        rx.el.ul(rx.foreach(ImportState.earlier, _file), class_name="cs-wizard-files"),
        title="Files so far",
    )


def _file(line: ObjectVar[FileLine]) -> rx.Component:
    return rx.el.li(
        glyph("file-check-2", size=16),
        rx.el.div(
            rx.el.span(line.name, class_name="cs-wizard-who"),
            rx.el.span(line.text, class_name="cs-help cs-number"),
        ),
        rx.cond(
            allows(Right.EXPORT) & line.text.contains(" not"),
            download_icon(
                as_text("Download what did not go in from ") + as_text(line.name),
                href=rx.Var.create(routes.download_not_imported(here(), line.id)).to(str),
            ),
        ),
        key=line.id,
    )
