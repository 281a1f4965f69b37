"""The panel of API keys and its two dialogs."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right, Role
from app.web.components import (
    actions_cell,
    badge,
    banner,
    cell,
    column,
    confirm_dialog,
    copy_button,
    data_table,
    empty_state,
    error_of,
    form_actions,
    form_dialog,
    form_field,
    lead_cell,
    panel,
    primary_button,
    row,
    secondary_button,
    select_input,
    stacked_form,
    submit_button,
    table_states,
    text_input,
    time_text,
)
from app.web.components.kinds import as_text, present
from app.web.pages.settings.keys_state import KeyRow, KeysState
from app.web.session import allows
from app.web.words import Moment

_ROLES: list[tuple[str, str]] = [
    (Role.VIEWER.value, "Viewer: reads everything"),
    (Role.OPERATOR.value, "Operator: starts and pauses campaigns"),
    (Role.MANAGER.value, "Manager: creates campaigns, contacts, agents and numbers"),
    (Role.OWNER.value, "Owner: everything, settings and keys too"),
]


def keys_panel() -> rx.Component:
    """Return the panel."""
    return rx.fragment(
        rx.cond(
            allows(Right.MANAGE_KEYS),
            _keys(),
            panel(
                rx.el.p("Only owners can see and create API keys.", class_name="cs-help"), title="API keys"
            ),
        ),
        _new_dialog(),
        _revoke_question(),
    )


def _keys() -> rx.Component:
    return panel(
        table_states(
            _table(),
            loading=KeysState.loading,
            problem=KeysState.problem,
            is_empty=KeysState.rows.length() == 0,
            empty=empty_state(
                icon="key-round",
                title="No API keys yet",
                sentence="Other systems sign in with a key, to create campaigns, import contacts "
                "and read results.",
                action=_new_button(),
            ),
            on_retry=KeysState.load,
        ),
        title="API keys",
        description="Bearer tokens for the API, described at /api/docs.",
        actions=[rx.cond(KeysState.rows.length() > 0, _new_button())],
        flush=True,
    )


def _new_button() -> rx.Component:
    return rx.cond(
        allows(Right.MANAGE_KEYS),
        secondary_button("New key", icon="plus", on_click=KeysState.set_open(True)),
    )


def _table() -> rx.Component:
    return data_table(
        label="API keys",
        head=[
            column("Key"),
            column("Role"),
            column("Created"),
            column("Last used"),
            column("Actions", hidden_label=True, align="end"),
        ],
        rows=rx.foreach(KeysState.rows, _row),
    )


def _row(key: ObjectVar[KeyRow]) -> rx.Component:
    revoked: ObjectVar[Moment] = key.revoked.to(Moment)
    return row(
        lead_cell(
            rx.el.div(
                key.name,
                rx.cond(present(revoked.text), badge("Revoked", tone="gray", icon="ban")),
                class_name="cs-lead-line",
            ),
            note=rx.el.code(key.prefix, class_name="cs-code"),
        ),
        cell(key.role, label="Role"),
        cell(_moment(key.created.to(Moment)), label="Created"),
        cell(_moment(key.used.to(Moment)), label="Last used"),
        actions_cell(
            rx.cond(
                allows(Right.MANAGE_KEYS) & ~present(revoked.text),
                rx.button(
                    "Revoke",
                    on_click=KeysState.ask_to_revoke(key.id),
                    variant="ghost",
                    color_scheme="red",
                    size="1",
                    type="button",
                ),
            )
        ),
        key=key.id,
    )


def _moment(moment: ObjectVar[Moment]) -> rx.Component:
    return rx.cond(
        present(moment.text),
        time_text(moment.text, zone=moment.zone, iso=moment.iso),
        rx.el.span("Never", class_name="cs-quiet"),
    )


def _new_dialog() -> rx.Component:
    return form_dialog(
        rx.cond(present(KeysState.new_key), _shown_once(), _form()),
        is_open=KeysState.is_open,
        on_open_change=KeysState.set_open,
        title="New API key",
        sentence="Name it after the system that will use it.",
    )


def _form() -> rx.Component:
    name, role = error_of(KeysState, "name"), error_of(KeysState, "role")
    return stacked_form(
        form_field(
            text_input(name="key_name", placeholder="CRM", error=name, required=True),
            name="key_name",
            label="Name",
            error=name,
        ),
        form_field(
            select_input(name="role", options=_ROLES, default_value=Role.MANAGER.value, error=role),
            name="role",
            label="Role",
            help_text="What the system may do with it.",
            error=role,
        ),
        form_actions(
            secondary_button("Go back", on_click=KeysState.set_open(False)),
            submit_button("Create key", saving=KeysState.saving),
        ),
        state=KeysState,
        on_submit=KeysState.create,
    )


def _shown_once() -> rx.Component:
    return rx.el.div(
        banner("Copy it now. You won't see it again.", kind="warning"),
        rx.el.div(
            rx.el.code(KeysState.new_key, class_name="cs-code"),
            copy_button(KeysState.new_key, label="Copy the key"),
            class_name="cs-key",
        ),
        form_actions(primary_button("Done", on_click=KeysState.set_open(False))),
        class_name="cs-card-stack",
    )


def _revoke_question() -> rx.Component:
    return confirm_dialog(
        is_open=KeysState.revoking > 0,
        on_open_change=KeysState.ask_to_revoke(0),
        title=as_text("Revoke ") + as_text(KeysState.revoking_name) + "?",
        sentence="Systems that use this key are refused from their next request on. A revoked key cannot be "
        "restored; create a new one instead.",
        confirm_label="Revoke the key",
        on_confirm=KeysState.revoke(KeysState.revoking),
    )
