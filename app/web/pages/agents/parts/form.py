"""The form of an agent, in a sheet at the side."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    choose,
    drawer,
    error_of,
    form_actions,
    form_field,
    form_row,
    record,
    secondary_button,
    select_input,
    stacked_form,
    submit_button,
    text_area,
    text_input,
)
from app.web.components.kinds import as_text, present
from app.web.options import draw_option
from app.web.pages.agents.state import AgentForm, AgentsState
from app.web.pages.agents.voices_presenter import LANGUAGES, VOICES, language_words
from app.web.session import allows

_VARIABLES = "{{name}}, {{assistant_name}}, {{company}}"


def agent_drawer() -> rx.Component:
    """Return the sheet with the form; people who may not change agents can only read it."""
    form, may_edit = record(AgentsState.form, AgentForm), allows(Right.EDIT_AGENTS)
    return drawer(
        stacked_form(
            _name(form, ~may_edit),
            _description(form, ~may_edit),
            form_row(_voice(form, ~may_edit), _language(form, ~may_edit)),
            _greeting(form, ~may_edit),
            _prompt(form, ~may_edit),
            form_row(_limit(form, ~may_edit), _number(form, ~may_edit)),
            rx.cond(
                may_edit,
                form_actions(
                    secondary_button("Cancel", on_click=AgentsState.set_open(False)),
                    submit_button(
                        choose(form.id == 0, "Create agent", "Save changes"), saving=AgentsState.saving
                    ),
                ),
            ),
            state=AgentsState,
            on_submit=AgentsState.save,
        ),
        is_open=AgentsState.is_open,
        on_open_change=AgentsState.set_open,
        title=choose(form.id == 0, "New agent", as_text(form.name)),
        sentence=choose(form.id == 0, "A voice for your campaigns.", "Changes apply from the next call."),
    )


def _name(form: ObjectVar[AgentForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(AgentsState, "name")
    return form_field(
        text_input(
            name="name",
            default_value=form.name,
            placeholder="Ava",
            error=error,
            required=True,
            disabled=disabled,
            record=AgentsState.form_version,
        ),
        name="name",
        label="Name",
        help_text="Messages use it as {{assistant_name}}.",
        error=error,
    )


def _description(form: ObjectVar[AgentForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(AgentsState, "description")
    return form_field(
        text_input(
            name="description",
            default_value=form.description,
            error=error,
            disabled=disabled,
            record=AgentsState.form_version,
        ),
        name="description",
        label="Description",
        help_text="Internal note.",
        error=error,
        optional=True,
    )


def _voice(form: ObjectVar[AgentForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(AgentsState, "voice")
    groups = [
        rx.el.optgroup(
            *[rx.el.option(words, value=voice) for voice, words in voices], label=language_words(language)
        )
        for language, voices in VOICES.items()
    ]
    unlisted = rx.cond(
        present(form.unlisted_voice), rx.el.option(form.unlisted_voice, value=form.unlisted_voice)
    )
    return form_field(
        select_input(
            name="voice",
            options=rx.fragment(unlisted, *groups),
            default_value=form.voice,
            on_change=AgentsState.choose_voice,
            error=error,
            disabled=disabled,
            record=AgentsState.form_version,
        ),
        name="voice",
        label="Voice",
        error=error,
    )


def _language(form: ObjectVar[AgentForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(AgentsState, "language")
    unlisted = rx.cond(
        present(form.unlisted_language), rx.el.option(form.unlisted_language, value=form.unlisted_language)
    )
    return form_field(
        select_input(
            name="language",
            options=rx.fragment(unlisted, *[rx.el.option(words, value=code) for code, words in LANGUAGES]),
            default_value=AgentsState.language,
            error=error,
            disabled=disabled,
            record=as_text(AgentsState.form_version) + AgentsState.language,
        ),
        name="language",
        label="Language",
        help_text="Language the agent listens for. Set by the voice.",
        error=error,
    )


def _greeting(form: ObjectVar[AgentForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(AgentsState, "greeting")
    return form_field(
        text_area(
            name="greeting",
            default_value=form.greeting,
            error=error,
            rows=3,
            disabled=disabled,
            record=AgentsState.form_version,
        ),
        name="greeting",
        label="Greeting",
        help_text=f"Said first if the campaign has no greeting. Variables: {_VARIABLES}, "
        "and every column of your contacts.",
        error=error,
        optional=True,
    )


def _prompt(form: ObjectVar[AgentForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(AgentsState, "prompt")
    return form_field(
        text_area(
            name="prompt",
            default_value=form.prompt,
            error=error,
            rows=5,
            disabled=disabled,
            record=AgentsState.form_version,
        ),
        name="prompt",
        label="Prompt",
        help_text="Instructions for agents that speak freely. Scripted calls use the campaign's texts.",
        error=error,
        optional=True,
    )


def _limit(form: ObjectVar[AgentForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(AgentsState, "max_concurrent_calls")
    return form_field(
        text_input(
            name="max_concurrent_calls",
            input_type="number",
            default_value=as_text(form.max_concurrent_calls),
            error=error,
            min_value=0,
            max_value=1000,
            disabled=disabled,
            record=AgentsState.form_version,
        ),
        name="max_concurrent_calls",
        label="Calls at once",
        help_text="All campaigns together. 0 = no limit.",
        error=error,
    )


def _number(form: ObjectVar[AgentForm], disabled: rx.Var[bool]) -> rx.Component:
    error = error_of(AgentsState, "default_phone_number_id")
    return form_field(
        select_input(
            name="default_phone_number_id",
            options=rx.fragment(
                rx.el.option("The organization's", value=""),
                rx.foreach(AgentsState.numbers, draw_option),
            ),
            default_value=form.number_id,
            error=error,
            disabled=disabled,
            record=AgentsState.form_version,
        ),
        name="default_phone_number_id",
        label="Default caller ID",
        help_text="Used if the campaign has no number.",
        error=error,
    )
