"""Who calls, and from which number."""

import reflex as rx
from reflex.vars import ObjectVar

from app.web import routes
from app.web.components import (
    Choice,
    choice_cards,
    choose,
    error_of,
    field_error,
    form_field,
    form_row,
    glyph,
    panel,
    select_input,
    text_area,
    text_input,
)
from app.web.layout import shell
from app.web.options import draw_option
from app.web.pages.wizard.basics.state import DEFAULT, ONE, POOL, BasicsState, NumberOption
from app.web.pages.wizard.parts.frame import Kept, form_values, wizard_form
from app.web.pages.wizard.steps import WizardStep
from app.web.session import here

_CHANNELS = [
    Choice("call", "Call", "Your agent calls, speaks and listens for an answer.", "phone-call"),
    Choice("sms", "SMS", "A text message, made personal for each contact.", "message-square-text"),
]
_NUMBERS = [
    Choice(DEFAULT, "The default caller ID", "The agent's own, else your organization's.", "phone"),
    Choice(ONE, "One number", "Everybody sees the same one.", "hash"),
    Choice(POOL, "A pool of numbers", "Used in turn, so that none calls too often.", "layers"),
]


@shell("Campaigns")
def basics() -> rx.Component:
    """Return the wizard's first step."""
    return wizard_form(
        WizardStep.BASICS,
        BasicsState,
        panel(_name(), title="About the campaign", description="What your team will see in the list."),
        panel(_channel(), title="How people are reached"),
        panel(_numbers(), title="Caller ID", description="The number that people see."),
    )


def _name() -> rx.Component:
    return rx.el.div(
        form_field(
            text_input(
                name="name",
                default_value=BasicsState.name,
                placeholder="March appointment reminders",
                error=error_of(BasicsState, "name"),
                record=BasicsState.revision,
            ),
            name="name",
            label="Name",
            help_text="Purpose, audience and time make a campaign easy to find again. 1 to 200 characters.",
            error=error_of(BasicsState, "name"),
        ),
        form_field(
            text_area(
                name="description",
                default_value=BasicsState.description,
                rows=2,
                error=error_of(BasicsState, "description"),
                record=BasicsState.revision,
            ),
            name="description",
            label="Description",
            help_text="Notes for your team. Nobody you contact sees them.",
            error=error_of(BasicsState, "description"),
            optional=True,
        ),
        class_name="cs-wizard-fields",
    )


def _channel() -> rx.Component:
    return rx.el.div(
        choice_cards(
            name="channel",
            legend="Channel",
            choices=_CHANNELS,
            value=BasicsState.channel,
            on_change=BasicsState.choose_channel,
            disabled=BasicsState.channel_fixed,
        ),
        rx.cond(
            BasicsState.channel_fixed,
            rx.el.p("The channel is fixed once a campaign has been started.", class_name="cs-help"),
        ),
        field_error("channel", error_of(BasicsState, "channel")),
        _agent(),
        class_name="cs-wizard-fields",
    )


def _agent() -> rx.Component:
    error = error_of(BasicsState, "agent_id")
    return form_row(
        rx.cond(
            BasicsState.agents.length() > 0,
            Kept.create(
                form_field(
                    select_input(
                        name="agent_id",
                        options=rx.fragment(
                            rx.el.option("Choose an agent", value=""),
                            rx.foreach(BasicsState.agents, draw_option),
                        ),
                        default_value=BasicsState.agent,
                        error=error,
                        record=BasicsState.revision,
                    ),
                    name="agent_id",
                    label="Agent",
                    help_text=choose(
                        BasicsState.channel == "call",
                        "Who speaks. Choose a prompt meant for outbound calls, in the contacts' language.",
                        "Whose name {{assistant_name}} says. A text message needs no agent.",
                    ),
                    error=error,
                ),
                rx.el.p(_new_agent("Create another agent"), class_name="cs-help"),
                on_change=form_values(BasicsState.keep),
                class_name="cs-wizard-narrow",
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
    return rx.el.div(
        choice_cards(
            name="number_choice",
            legend="Which caller ID",
            choices=_NUMBERS,
            value=BasicsState.number_choice,
            on_change=BasicsState.choose_numbers,
        ),
        rx.match(
            BasicsState.number_choice,
            (ONE, _one_number()),
            (POOL, _pool()),
            rx.el.p(glyph("phone", size=14), BasicsState.default_number, class_name="cs-wizard-note"),
        ),
        class_name="cs-wizard-fields",
    )


def _one_number() -> rx.Component:
    error = error_of(BasicsState, "phone_number_id")
    return Kept.create(
        form_field(
            select_input(
                name="phone_number_id",
                options=rx.fragment(
                    rx.el.option("Choose a number", value=""), rx.foreach(BasicsState.numbers, _number_option)
                ),
                default_value=BasicsState.number,
                error=error,
                record=BasicsState.revision,
            ),
            name="phone_number_id",
            label="Caller ID",
            help_text=_none_fits(),
            error=error,
        ),
        on_change=form_values(BasicsState.keep),
        class_name="cs-wizard-narrow",
    )


def _number_option(number: ObjectVar[NumberOption]) -> rx.Component:
    return rx.el.option(number.words, value=number.value)


def _none_fits() -> rx.Var[str]:
    return choose(
        BasicsState.numbers.length() > 0,
        "Carriers flag a number that calls many people: above 20 contacts, use a pool.",
        "None of your numbers fits this channel. Add or activate one under Numbers.",
    )


def _pool() -> rx.Component:
    return Kept.create(
        rx.el.fieldset(
            rx.el.legend("Numbers of the pool"),
            rx.el.p(BasicsState.pool_advice, id="number_pool-help", class_name="cs-help"),
            rx.el.div(rx.foreach(BasicsState.numbers, _pool_number), class_name="cs-wizard-boxes"),
            field_error("number_pool", error_of(BasicsState, "number_pool")),
            aria_describedby="number_pool-help number_pool-error",
            class_name="cs-wizard-group",
        ),
        on_change=form_values(BasicsState.keep),
    )


def _pool_number(number: ObjectVar[NumberOption]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=number.box,
            default_checked=number.ticked,
            class_name="cs-checkbox",
        ),
        rx.el.span(number.words, class_name="cs-number"),
        rx.el.span(number.note, class_name="cs-help"),
        class_name="cs-wizard-box",
    )
