"""The agents page."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    actions_cell,
    actions_menu,
    badge,
    cell,
    column,
    confirm_dialog,
    data_table,
    empty_state,
    lead_cell,
    menu_item,
    page_header,
    panel,
    phone_text,
    primary_button,
    row,
    table_states,
)
from app.web.components.kinds import as_text, present
from app.web.layout import shell
from app.web.pages.agents.parts.form import agent_drawer
from app.web.pages.agents.state import AgentRow, AgentsState
from app.web.session import allows


@shell("Agents")
def agents() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header(
            "Agents",
            description="An agent speaks on your calls. It has a voice, a language and a limit of calls at once.",
            actions=[_new_button()],
        ),
        panel(
            table_states(
                _table(),
                loading=AgentsState.loading,
                problem=AgentsState.problem,
                is_empty=AgentsState.rows.length() == 0,
                empty=_none_yet(),
                on_retry=AgentsState.load,
            ),
            flush=True,
        ),
        agent_drawer(),
        _switch_off_question(),
    )


def _new_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_AGENTS),
        primary_button("New agent", icon="plus", on_click=AgentsState.open(0)),
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="bot",
        title="No agents yet",
        sentence="A call campaign needs an agent: the voice and the language of its calls. "
        "Create one, then choose it in your campaigns.",
        action=_new_button(),
    )


def _table() -> rx.Component:
    return data_table(
        label="Agents",
        head=[
            column("Agent"),
            column("Voice"),
            column("Limit"),
            column("Default caller ID"),
            column("Live calls", align="end"),
            column("Campaigns", align="end"),
            column("Status"),
            column("Actions", hidden_label=True, align="end"),
        ],
        rows=rx.foreach(AgentsState.rows, _row),
    )


def _row(agent: ObjectVar[AgentRow]) -> rx.Component:
    return row(
        lead_cell(
            rx.el.button(
                agent.name, type="button", on_click=AgentsState.open(agent.id), class_name="cs-text-button"
            ),
            note=agent.description,
        ),
        cell(
            rx.el.div(
                rx.el.div(agent.voice),
                rx.el.div(agent.language, class_name="cs-lead-note"),
                class_name="cs-two",
            ),
            label="Voice",
        ),
        cell(rx.el.span(agent.limit, class_name="cs-nowrap"), label="Limit", number=True),
        cell(
            rx.cond(
                present(agent.number),
                phone_text(agent.number),
                rx.el.span("Organization's", class_name="cs-quiet"),
            ),
            label="Default caller ID",
        ),
        cell(agent.live_calls, label="Live calls", align="end", number=True),
        cell(agent.campaigns, label="Campaigns", align="end", number=True),
        cell(
            rx.cond(
                agent.active,
                badge("Active", tone="green", icon="circle-check"),
                badge("Inactive", tone="gray", icon="circle-off"),
            ),
            label="Status",
        ),
        actions_cell(rx.cond(allows(Right.EDIT_AGENTS), _menu(agent))),
        key=agent.id,
    )


def _menu(agent: ObjectVar[AgentRow]) -> rx.Component:
    return actions_menu(
        menu_item("Edit", icon="pencil", on_select=AgentsState.open(agent.id)),
        rx.cond(
            agent.active,
            menu_item(
                "Deactivate",
                icon="circle-off",
                on_select=AgentsState.ask_to_switch_off(agent.id),
                danger=True,
            ),
            menu_item("Activate", icon="circle-check", on_select=AgentsState.switch(agent.id, True)),
        ),
        label=as_text("Actions of ") + as_text(agent.name),
    )


def _switch_off_question() -> rx.Component:
    return confirm_dialog(
        is_open=AgentsState.switching_off > 0,
        on_open_change=AgentsState.ask_to_switch_off(0),
        title=as_text("Deactivate ") + as_text(AgentsState.switching_off_name) + "?",
        sentence="It can no longer be chosen for campaigns. Past calls keep its name. You can activate it again "
        "at any time.",
        confirm_label="Deactivate",
        on_confirm=AgentsState.switch(AgentsState.switching_off, False),
    )
