"""The set-up page: one form, or what to do when its link is no longer valid."""

import reflex as rx

from app.services.access.passwords import SHORTEST
from app.web import routes
from app.web.components import (
    card_heading,
    checkbox_field,
    choose,
    error_of,
    error_state,
    form_field,
    glyph,
    link_button,
    spinner_text,
    stacked_form,
    submit_button,
    text_input,
)
from app.web.components.kinds import InputType, present
from app.web.layout import bare
from app.web.pages.setup.state import SetupState
from app.web.session import SessionState


@bare
def setup() -> rx.Component:
    """Return the page."""
    return rx.cond(
        present(SetupState.problem),
        error_state(SetupState.problem, on_retry=SetupState.load),
        rx.cond(
            SetupState.loading,
            spinner_text("Checking the set-up link"),
            rx.cond(SetupState.usable, _form(), _link_is_no_longer_good()),
        ),
    )


def _form() -> rx.Component:
    return rx.el.div(
        card_heading("Welcome to Callsheet", "Create the owner account."),
        stacked_form(
            _field("name", "Your name", auto_complete="name"),
            _field("email", "E-mail", input_type="email", auto_complete="username", required=True),
            _field(
                "password",
                "Password",
                input_type="password",
                auto_complete="new-password",
                help_text=f"At least {SHORTEST} characters. Four random words make a good one.",
                required=True,
            ),
            _field(
                "organization_name",
                "Organization",
                auto_complete="organization",
                help_text="Your contacts hear this name when a message uses {{company}}.",
                required=True,
            ),
            checkbox_field(
                name="load_sample_data",
                label="Load sample data",
                help_text=choose(
                    SessionState.simulated,
                    "An agent, three numbers and a campaign of three contacts, ready to start.",
                    "An agent and a draft campaign of three contacts. Nothing is called until you start it.",
                ),
                default_checked=SessionState.simulated,
            ),
            rx.el.div(
                submit_button("Create account and sign in", saving=SetupState.saving),
                class_name="cs-wide-button",
            ),
            state=SetupState,
            on_submit=SetupState.complete,
        ),
        class_name="cs-card-stack",
    )


def _field(
    name: str,
    label: str,
    *,
    auto_complete: str,
    input_type: InputType = "text",
    help_text: str | None = None,
    required: bool = False,
) -> rx.Component:
    error = error_of(SetupState, name)
    return form_field(
        text_input(
            name=name, input_type=input_type, auto_complete=auto_complete, error=error, required=required
        ),
        name=name,
        label=label,
        help_text=help_text,
        error=error,
        optional=not required,
    )


def _link_is_no_longer_good() -> rx.Component:
    return rx.el.div(
        rx.el.div(glyph("link-2-off", size=22), class_name="cs-empty-icon"),
        card_heading(
            "This set-up link is no longer good",
            "It works once, for 24 hours, and only while Callsheet has no owner.",
        ),
        rx.el.ul(
            rx.el.li("If Callsheet has been set up already, sign in."),
            rx.el.li(
                "Otherwise start ",
                rx.el.code("uv run callsheet up"),
                " again on the server: it prints a new link.",
            ),
            class_name="cs-bullets",
        ),
        link_button("Go to sign-in", href=routes.SIGN_IN, primary=True),
        class_name="cs-card-stack",
    )
