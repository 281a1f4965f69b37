"""What is said while the server cannot be reached: in place of Reflex's own toast, which speaks of sockets."""

import reflex as rx
from reflex_components_core.core.banner import has_too_many_connection_errors

from app.web.components.kinds import as_text


def connection_notice(stateful: bool) -> rx.Component | None:  # noqa: FBT001 - what Reflex tells an app wrap
    """Return the notice that lies over every page; None for an app without state, which has no connection."""
    return rx.fragment(_lost_connection()) if stateful else None


@rx.memo
def _lost_connection() -> rx.Component:
    # The live region is always there: one that came together with its text would not be announced.
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
