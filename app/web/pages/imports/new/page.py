"""People into the address book: the wizard's file panel, without a campaign."""

import reflex as rx

from app.web import routes
from app.web.components import columns, error_state, glyph, link_button, page_header, panel, spinner_text
from app.web.imports.parts.file import file_panel
from app.web.imports.state import ImportState
from app.web.layout import shell
from app.web.pages.contacts.parts.tabs import contacts_tabs
from app.web.session import here


@shell("Contacts")
def new_import() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header(
            "Import people",
            description="Adds people to the address book. No calls or texts are placed.",
            actions=[link_button("Back to contacts", icon="arrow-left", href=routes.contacts(here()))],
        ),
        contacts_tabs("Imports"),
        rx.cond(
            ImportState.problem != "",
            error_state(ImportState.problem, on_retry=ImportState.load),
            rx.cond(
                ImportState.loading,
                panel(spinner_text("Looking for an unfinished import")),
                columns(file_panel(), aside=_aside()),
            ),
        ),
    )


def _aside() -> rx.Component:
    return panel(
        rx.el.p(
            "A number already in the address book is not added twice. Values in the file replace the old ones; "
            "empty cells replace nothing.",
            class_name="cs-help",
        ),
        rx.link(
            "All imports, and how to undo one",
            glyph("arrow-right", size=13),
            href=routes.imports(here()),
            class_name="cs-wizard-link",
        ),
        title="Good to know",
    )
