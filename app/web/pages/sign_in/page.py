"""The sign-in page."""

import reflex as rx

from app.web.components import (
    banner,
    card_heading,
    form_field,
    spinner_text,
    stacked_form,
    submit_button,
    text_input,
)
from app.web.components.kinds import present
from app.web.layout import bare
from app.web.pages.sign_in.state import SignInState


@bare
def sign_in() -> rx.Component:
    """Return the page."""
    return rx.cond(SignInState.is_open, _form(), spinner_text("Checking who you are"))


def _form() -> rx.Component:
    return rx.el.div(
        card_heading("Sign in", "With the e-mail and password of your Callsheet account."),
        rx.cond(
            present(SignInState.refusal),
            banner(SignInState.refusal, kind="danger"),
            rx.cond(present(SignInState.notice), banner(SignInState.notice, kind="warning")),
        ),
        stacked_form(
            form_field(
                text_input(name="email", input_type="email", auto_complete="username", required=True),
                name="email",
                label="E-mail",
            ),
            form_field(
                text_input(
                    name="password", input_type="password", auto_complete="current-password", required=True
                ),
                name="password",
                label="Password",
            ),
            rx.el.div(submit_button("Sign in", saving=SignInState.saving), class_name="cs-wide-button"),
            state=SignInState,
            on_submit=SignInState.sign_in,
        ),
        rx.el.p(
            "Forgot your password? Your administrator can reset it on the server.",
            class_name="cs-help",
        ),
        class_name="cs-card-stack",
    )
