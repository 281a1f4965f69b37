"""The tabs of the address book."""

import reflex as rx

from app.web import routes
from app.web.components import Tab, tabs_nav
from app.web.session import here


def contacts_tabs(current: str) -> rx.Component:
    """Return the tabs; `current` is the marked one's word."""
    return tabs_nav(
        [
            Tab("People", routes.contacts(here())),
            Tab("Imports", routes.imports(here())),
            Tab("Suppressed", routes.suppressions(here())),
        ],
        current=current,
        label="Contacts",
    )
