"""The notice of a lost connection. It replaces Reflex's own toast, which mentions sockets."""

import reflex as rx
from reflex_components_core.core.banner import has_too_many_connection_errors

from app.web.components.kinds import as_text


@rx.memo
def lost_connection() -> rx.Component:
    """Return the notice, which is over every page, and visible only without a connection."""
    # The live region is always there: a screen reader does not announce one that is added together with its text.
    return rx.el.div(
        rx.cond(
            has_too_many_connection_errors,
            rx.el.div(
                rx.el.strong("Connection lost."),
                rx.el.span(as_text("Trying again…")),
                class_name="cs-connection-lost",
            ),
        ),
        role="status",
        aria_live="polite",
        class_name="cs-connection",
    )
