"""`/` and `/[org]`: shown for a moment, before the person is sent to their campaigns."""

import reflex as rx

from app.web.components import card_heading, error_state, glyph, secondary_button, spinner_text
from app.web.components.kinds import present
from app.web.layout import bare
from app.web.pages.home.state import HomeState
from app.web.session import SessionState


@bare
def home() -> rx.Component:
    """Return the page shown while the organization is looked up, and if there is none."""
    return rx.cond(
        present(HomeState.problem),
        error_state(HomeState.problem, on_retry=HomeState.find_the_way),
        rx.cond(present(HomeState.email), _nowhere_to_go(), spinner_text("Opening Callsheet")),
    )


def _nowhere_to_go() -> rx.Component:
    return rx.el.div(
        rx.el.div(glyph("building-2", size=22), class_name="cs-empty-icon"),
        card_heading(
            "You are in no organization",
            "Your account belongs to no organization yet, so there is nothing to show.",
        ),
        rx.el.p("Ask an owner to add ", rx.el.strong(HomeState.email), ", then come back to this page."),
        rx.el.div(
            secondary_button("Try again", icon="rotate-ccw", on_click=HomeState.find_the_way),
            secondary_button("Sign out", icon="log-out", on_click=SessionState.sign_out),
            class_name="cs-form-buttons",
        ),
        class_name="cs-card-stack",
    )
