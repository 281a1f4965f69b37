"""Who calls, and from which number."""

import reflex as rx

from app.web import routes
from app.web.components import (
    choice_cards,
    choose,
    error_of,
    field_error,
    form_row,
    glyph,
    panel,
)
from app.web.layout import shell
from app.web.pages.campaign.fields import basics as fields_of
from app.web.pages.campaign.fields.drawing import Editor, fields, narrow
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.parts.frame import wizard_form
from app.web.pages.wizard.steps import WizardStep
from app.web.session import here

_EDITOR = Editor(BasicsState, BasicsState.channel == "sms")


@shell("Campaigns")
def basics() -> rx.Component:
    """Return the wizard's first step."""
    return wizard_form(
        WizardStep.BASICS,
        BasicsState,
        panel(
            fields(fields_of.NAME.draw(_EDITOR), fields_of.DESCRIPTION.draw(_EDITOR)),
            title="About the campaign",
            description="What your team will see in the list.",
        ),
        panel(_purpose(), title="What it is for"),
        panel(_channel(), title="How people are reached"),
        panel(_numbers(), title="Caller ID", description="The number that people see."),
    )


def _purpose() -> rx.Component:
    name = fields_of.PURPOSE
    return fields(
        choice_cards(
            name=name,
            legend=fields_of.LABELS[name],
            choices=fields_of.PURPOSES,
            value=BasicsState.purpose,
            on_change=BasicsState.choose_purpose,
        ),
        field_error(name, error_of(BasicsState, name)),
    )


def _channel() -> rx.Component:
    name = fields_of.CHANNEL
    return fields(
        choice_cards(
            name=name,
            legend=fields_of.LABELS[name],
            choices=fields_of.CHANNELS,
            value=BasicsState.channel,
            on_change=BasicsState.choose_channel,
            disabled=BasicsState.channel_fixed,
        ),
        rx.cond(
            BasicsState.channel_fixed,
            rx.el.p("The channel is fixed once a campaign has been started.", class_name="cs-help"),
        ),
        field_error(name, error_of(BasicsState, name)),
        _agent(),
    )


def _agent() -> rx.Component:
    help_text = choose(
        BasicsState.channel == "call",
        "Who speaks. Choose a prompt meant for outbound calls, in the contacts' language.",
        "Whose name {{assistant_name}} says. A text message needs no agent.",
    )
    return form_row(
        rx.cond(
            BasicsState.agents.length() > 0,
            narrow(
                fields_of.agent_box(_EDITOR, BasicsState.agents, help_text),
                rx.el.p(_new_agent("Create another agent"), class_name="cs-help"),
            ),
            rx.el.div(
                rx.el.strong("You have no active agent yet"),
                rx.el.p("A call campaign needs one: who speaks, with which voice, in which language."),
                _new_agent("Create an agent"),
                class_name="cs-wizard-nothing",
            ),
        )
    )


def _new_agent(words: str) -> rx.Component:
    return rx.link(
        words, glyph("arrow-up-right", size=13), href=routes.agents(here()), class_name="cs-wizard-link"
    )


def _numbers() -> rx.Component:
    return fields(
        choice_cards(
            name="number_choice",
            legend="Which caller ID",
            choices=fields_of.NUMBER_CHOICES,
            value=BasicsState.number_choice,
            on_change=BasicsState.choose_numbers,
        ),
        rx.match(
            BasicsState.number_choice,
            (fields_of.ONE, fields_of.number_box(_EDITOR, BasicsState.numbers, _none_fits())),
            (fields_of.POOL, fields_of.pool_boxes(_EDITOR, BasicsState.numbers, BasicsState.pool_advice)),
            rx.el.p(glyph("phone", size=14), BasicsState.default_number, class_name="cs-wizard-note"),
        ),
    )


def _none_fits() -> rx.Var[str]:
    return choose(
        BasicsState.numbers.length() > 0,
        "Carriers flag a number that calls many people: above 20 contacts, use a pool.",
        "None of your numbers fits this channel. Add or activate one under Numbers.",
    )
