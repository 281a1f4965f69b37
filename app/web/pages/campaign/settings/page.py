"""The Settings tab."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    banner,
    error_state,
    glyph,
    panel,
    record,
    secondary_button,
    table_skeleton,
)
from app.web.components.kinds import as_text
from app.web.layout import shell
from app.web.pages.campaign.actions_state import CampaignActionsState as Actions
from app.web.pages.campaign.fields.boxes import Fact
from app.web.pages.campaign.parts.frame import campaign_frame
from app.web.pages.campaign.settings.presenter import SettingsGroup
from app.web.pages.campaign.settings.state import CampaignSettingsState as Settings
from app.web.pages.campaign.state import CampaignState, Header
from app.web.session import allows


@shell("Campaigns")
def campaign_settings() -> rx.Component:
    """Return the page."""
    return campaign_frame(
        rx.cond(
            Settings.problem != "",
            error_state(Settings.problem, on_retry=Settings.load),
            rx.cond(
                Settings.loading,
                panel(table_skeleton(), flush=True),
                _reading(),
            ),
        ),
        tab="Settings",
    )


def _reading() -> rx.Component:
    return rx.el.div(
        _locked(),
        rx.foreach(Settings.warnings, lambda warning: banner(warning, kind="warning")),
        rx.el.div(rx.foreach(Settings.groups, _group), class_name="cs-groups"),
        class_name="cs-stack",
    )


def _locked() -> rx.Component:
    header = record(CampaignState.header, Header)
    way_on = rx.cond(
        header.can_pause & allows(Right.RUN_CAMPAIGNS),
        secondary_button("Pause", icon="pause", on_click=Actions.pause(header.id)),
        rx.cond(
            allows(Right.EDIT_CAMPAIGNS),
            secondary_button("Duplicate", icon="copy", on_click=Actions.duplicate(header.id)),
        ),
    )
    return rx.cond(
        Settings.locked != "",
        banner(Settings.locked, kind="info", title="These settings are locked", action=way_on),
    )


def _group(group: ObjectVar[SettingsGroup]) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(group.title),
            rx.cond((Settings.locked == "") & allows(Right.EDIT_CAMPAIGNS), _edit(group)),
            class_name="cs-panel-heading",
        ),
        rx.el.div(
            rx.el.dl(rx.foreach(group.facts.to(list[Fact]), _fact), class_name="cs-settings-facts"),
            class_name="cs-panel-body",
        ),
        class_name="cs-panel",
        key=group.title,
    )


def _edit(group: ObjectVar[SettingsGroup]) -> rx.Component:
    return rx.link(
        glyph("pencil", size=13),
        "Edit",
        href=group.edit,
        aria_label=as_text("Edit ") + as_text(group.title),
        class_name="cs-wizard-link",
    )


def _fact(fact: ObjectVar[Fact]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact.label), rx.el.dd(fact.value))
