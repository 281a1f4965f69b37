"""The page of every address that no other page has."""

import reflex as rx

from app.web.layout import bare, way_home


@bare
def not_found() -> rx.Component:
    """Return the page."""
    return way_home(
        "Page not found", "There is nothing at this address. It may have been mistyped, or moved."
    )
