"""The frame of a campaign's tabs: header, actions, tabs, dialogs."""

from typing import Literal

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    Crumb,
    Tab,
    actions_menu,
    badge,
    campaign_badge,
    choose,
    error_state,
    link_button,
    menu_item,
    page_header,
    panel,
    primary_button,
    record,
    secondary_button,
    tabs_nav,
)
from app.web.components.kinds import Child
from app.web.pages.campaign.actions_state import CampaignActionsState as Actions
from app.web.pages.campaign.parts.dialogs import campaign_dialogs
from app.web.pages.campaign.parts.unknown_campaign import at_a_campaign
from app.web.pages.campaign.questions_state import CampaignQuestionState as Questions
from app.web.pages.campaign.state import CampaignState, Header
from app.web.session import allows, here

TabName = Literal["Overview", "Contacts", "Settings", "Call log"]


def campaign_frame(*content: Child, tab: TabName) -> rx.Component:
    """Return a tab of a campaign; one error in its place if there is no such campaign."""
    header = record(CampaignState.header, Header)
    return at_a_campaign(
        rx.cond(
            CampaignState.problem != "",
            _not_loaded(),
            rx.fragment(_header(header), _tabs(header, tab), *content, campaign_dialogs()),
        )
    )


def _not_loaded() -> rx.Component:
    return rx.fragment(
        page_header("Campaign", breadcrumbs=[Crumb("Campaigns", routes.campaigns(here()))]),
        panel(error_state(CampaignState.problem, on_retry=CampaignState.load), flush=True),
    )


def _header(header: ObjectVar[Header]) -> rx.Component:
    return page_header(
        choose(header.name != "", header.name.to(str), "\u00a0"),
        breadcrumbs=[Crumb("Campaigns", routes.campaigns(here()))],
        beside_title=[
            rx.cond(
                header.status != "",
                rx.fragment(
                    campaign_badge(header.status),
                    _channel(header),
                    rx.cond(header.simulated, badge("Simulated carrier", tone="amber", icon="flask-conical")),
                ),
                rx.el.span(class_name="cs-skeleton cs-skeleton-pill"),
            )
        ],
        description=header.description,
        actions=[
            rx.cond(
                header.id == 0,
                rx.el.span(class_name="cs-skeleton cs-skeleton-button"),
                rx.fragment(_run_actions(header), _edit_actions(header)),
            )
        ],
    )


def _channel(header: ObjectVar[Header]) -> rx.Component:
    return rx.el.span(
        rx.cond(
            header.channel == "Call",
            badge("Call", tone="gray", icon="phone"),
            badge("Text", tone="gray", icon="message-square"),
        )
    )


def _run_actions(header: ObjectVar[Header]) -> rx.Component:
    return rx.cond(
        allows(Right.RUN_CAMPAIGNS),
        rx.fragment(
            rx.cond(
                header.can_start, primary_button("Start", icon="play", on_click=Actions.ask_start(header.id))
            ),
            rx.cond(
                header.can_pause, secondary_button("Pause", icon="pause", on_click=Actions.pause(header.id))
            ),
            rx.cond(
                header.can_resume,
                primary_button("Resume", icon="play", on_click=Actions.resume(header.id)),
            ),
            rx.cond(
                header.can_retry,
                secondary_button(
                    "Retry failed", icon="rotate-ccw", on_click=Questions.ask("retry", header.id)
                ),
            ),
        ),
    )


def _edit_actions(header: ObjectVar[Header]) -> rx.Component:
    edit = link_button("Edit settings", icon="pencil-line", href=routes.edit_step(here(), header.id))
    return rx.cond(
        allows(Right.EDIT_CAMPAIGNS) & (header.id != 0),
        rx.fragment(
            rx.cond(
                header.can_delete,
                link_button("Continue editing", icon="pencil-line", href=routes.edit_step(here(), header.id)),
                rx.cond(header.can_edit, edit),
            ),
            _menu(header),
        ),
    )


def _menu(header: ObjectVar[Header]) -> rx.Component:
    return actions_menu(
        menu_item("Duplicate", icon="copy", on_select=Actions.duplicate(header.id)),
        rx.cond(
            header.can_cancel,
            menu_item(
                "Cancel campaign", icon="ban", danger=True, on_select=Questions.ask("cancel", header.id)
            ),
        ),
        rx.cond(
            header.can_delete,
            menu_item(
                "Delete draft", icon="trash-2", danger=True, on_select=Questions.ask("delete", header.id)
            ),
        ),
        label="More actions",
    )


def _tabs(header: ObjectVar[Header], current: TabName) -> rx.Component:
    campaign_id = rx.State.campaign_id  # type: ignore[attr-defined]  # Reflex makes it from the route

    def at(address: str) -> rx.Var[str]:
        # Until the page is connected the id is empty: such an address would be the list's.
        return choose(campaign_id == "", "#", address)

    return tabs_nav(
        [
            Tab("Overview", at(routes.campaign(here(), campaign_id))),
            Tab("Contacts", at(routes.campaign_contacts(here(), campaign_id)), count=header.total.to(int)),
            Tab("Settings", at(routes.campaign_settings(here(), campaign_id))),
            Tab("Call log", at(routes.campaign_calls(here(), campaign_id))),
        ],
        current=current,
        label="Campaign",
    )
