"""The head of every page of the address book: title, actions, tabs."""

import reflex as rx

from app.domain.rights import Right
from app.web import routes
from app.web.components import Tab, link_button, page_header, tabs_nav
from app.web.session import allows, here


def address_book_head(current: str, description: str, *actions: rx.Component) -> rx.Component:
    """Return the head of a page; `current` is the marked tab's word."""
    return rx.fragment(
        page_header("Contacts", description=description, actions=list(actions)), contacts_tabs(current)
    )


def contacts_tabs(current: str) -> rx.Component:
    """Return the tabs; `current` is the marked one's word."""
    return tabs_nav(
        [
            Tab("People", routes.contacts(here())),
            Tab("Imports", routes.imports(here())),
            Tab("Do not contact", routes.suppressions(here())),
        ],
        current=current,
        label="Contacts",
    )


def import_button() -> rx.Component:
    """Return the link to an import, for people who may import."""
    return rx.cond(
        allows(Right.EDIT_CONTACTS),
        link_button("Import people", icon="file-up", href=routes.contacts_import(here())),
    )
