"""The settings page: the organization's settings on the left, the running system on the right."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    badge,
    banner,
    cell,
    choose,
    column,
    columns,
    copy_button,
    data_table,
    error_state,
    facts,
    lead_cell,
    page_header,
    panel,
    record,
    row,
    secondary_button,
    stack,
    table_skeleton,
    time_text,
)
from app.web.components.kinds import as_text, present
from app.web.layout import shell
from app.web.pages.campaigns.parts.stop import switch_dialogs
from app.web.pages.campaigns.stop_state import StopSwitchState
from app.web.pages.settings.parts.form import organization_form
from app.web.pages.settings.parts.keys import keys_panel
from app.web.pages.settings.parts.legal import blackout_panel, legal_hours_panel
from app.web.pages.settings.state import Machinery, MemberRow, OrganizationForm, SettingsState
from app.web.session import allows
from app.web.words import Moment


@shell("Settings")
def settings() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header("Settings", description="Applies to every campaign of this organization."),
        rx.cond(
            present(SettingsState.problem),
            panel(error_state(SettingsState.problem, on_retry=SettingsState.load)),
            columns(
                panel(
                    rx.cond(SettingsState.loading, table_skeleton(), organization_form()),
                    title="Organization",
                    description="Its name, and the defaults for numbers and campaigns.",
                ),
                legal_hours_panel(),
                blackout_panel(),
                _members(),
                keys_panel(),
                aside=stack(_dialing(), _system()),
            ),
        ),
        switch_dialogs(),
    )


def _dialing() -> rx.Component:
    machinery = record(SettingsState.machinery, Machinery)
    return panel(
        rx.el.div(
            rx.cond(
                machinery.stopped,
                banner(machinery.stop_note, kind="danger", title="All dialing is stopped"),
                rx.el.p(
                    "Dialing is allowed. The switch stops every campaign at once: no new call or text is placed. "
                    "Calls in progress are not cut off.",
                    class_name="cs-quiet",
                ),
            ),
            _switch(machinery),
            class_name="cs-card-stack",
        ),
        title="Emergency stop",
    )


def _switch(machinery: ObjectVar[Machinery]) -> rx.Component:
    resume = secondary_button("Resume dialing", icon="play", on_click=StopSwitchState.ask("resume"))
    stop = rx.button(
        "Stop all dialing",
        on_click=StopSwitchState.ask("stop"),
        color_scheme="red",
        variant="soft",
        type="button",
    )
    return rx.cond(
        machinery.stopped,
        rx.cond(allows(Right.RESUME_DIALING), resume, _not_yours("Managers and owners can resume it.")),
        rx.cond(allows(Right.STOP_DIALING), stop, _not_yours("Your role cannot stop it.")),
    )


def _not_yours(sentence: str) -> rx.Component:
    return rx.el.p(sentence, class_name="cs-help")


def _system() -> rx.Component:
    machinery = record(SettingsState.machinery, Machinery)
    return panel(
        rx.cond(
            SettingsState.loading,
            table_skeleton(rows=2),
            rx.el.div(
                rx.cond(
                    machinery.dials,
                    rx.fragment(),
                    banner(
                        machinery.seen,
                        " Nothing is dialed until one runs: start it on the server with ",
                        rx.el.code("uv run callsheet up"),
                        ".",
                        kind="warning",
                        title="No dialing worker answers",
                    ),
                ),
                facts(
                    (
                        "Dialing",
                        rx.cond(
                            machinery.dials,
                            badge(machinery.workers, tone="green", icon="circle-check"),
                            badge("None running", tone="amber", icon="triangle-alert"),
                        ),
                    ),
                    ("Carrier", SettingsState.carrier),
                    ("Public address", rx.el.span(SettingsState.public_url, class_name="cs-number")),
                ),
                class_name="cs-card-stack",
            ),
        ),
        title="System",
    )


def _members() -> rx.Component:
    return panel(
        rx.cond(
            SettingsState.loading,
            table_skeleton(rows=2),
            data_table(
                label="Members",
                head=[column("Member"), column("Role"), column("Since")],
                rows=rx.foreach(SettingsState.members, _member),
            ),
        ),
        _how_to_add(),
        title="Members",
        description="The people who can sign in.",
        flush=True,
    )


def _how_to_add() -> rx.Component:
    organization = record(SettingsState.form, OrganizationForm).name
    command = (
        as_text('uv run callsheet user create name@example.com --organization "')
        + as_text(organization)
        + '" --role operator'
    )
    return rx.el.div(
        rx.el.p("To add a person, run this on the server:", class_name="cs-help"),
        rx.el.div(
            rx.el.code(command, class_name="cs-code"),
            copy_button(command, label="Copy the command"),
            class_name="cs-key",
        ),
        class_name="cs-how-to-add",
    )


def _member(member: ObjectVar[MemberRow]) -> rx.Component:
    since: ObjectVar[Moment] = member.since.to(Moment)
    return row(
        lead_cell(
            rx.el.div(
                member.name,
                rx.cond(member.is_me, badge("You", tone="indigo", icon="user")),
                class_name="cs-lead-line",
            ),
            note=choose(member.name == member.email, "", member.email),
        ),
        cell(member.role, label="Role"),
        cell(time_text(since.text, zone=since.zone, iso=since.iso), label="Since"),
        key=member.id,
    )
