"""`/` and `/[org]`: a moment's wait on the way to where one belongs."""

import reflex as rx

from app.web.components import spinner_text
from app.web.layout import bare


@bare
def home() -> rx.Component:
    """Return the page shown while the way is looked up."""
    return spinner_text("Opening Callsheet")
