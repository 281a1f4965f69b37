"""The campaigns page: four cards, the list, and the switch that stops all dialing."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.web.components import (
    empty_state,
    metric_card,
    metric_grid,
    page_header,
    panel,
    primary_button,
    record,
    select_filter,
    toolbar,
)
from app.web.layout import shell
from app.web.list_parts import list_pages, list_search, list_states
from app.web.listing import ALL
from app.web.pages.campaign.parts.dialogs import campaign_dialogs
from app.web.pages.campaigns.parts.stop import stop_button, stopped_banner, switch_dialogs
from app.web.pages.campaigns.parts.table import campaign_table
from app.web.pages.campaigns.presenter import PERIODS, CampaignsQuery, Cards
from app.web.pages.campaigns.state import CampaignsState
from app.web.session import allows


@shell("Campaigns")
def campaigns() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header("Campaigns", actions=[stop_button(), _create_button()]),
        stopped_banner(),
        _cards(),
        panel(
            _toolbar(),
            list_states(
                CampaignsState,
                rx.el.div(
                    campaign_table(),
                    list_pages(CampaignsState, clock="your clock"),
                    class_name="cs-campaigns",
                ),
                none_yet=_none_yet(),
            ),
            flush=True,
        ),
        campaign_dialogs(),
        switch_dialogs(),
    )


def _create_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CAMPAIGNS),
        primary_button(
            "Create campaign", icon="plus", on_click=CampaignsState.create, busy=CampaignsState.saving
        ),
    )


def _cards() -> rx.Component:
    cards = record(CampaignsState.cards, Cards)
    return rx.el.div(
        rx.el.div(_period_filter(), class_name="cs-period"),
        metric_grid(
            _card("Total campaigns", cards.total, icon="megaphone", note="Drafts included"),
            _card("Running now", cards.running, icon="activity", note="Queued or running"),
            _card("Calls completed", cards.calls, icon="phone", note="All outcomes"),
            _card("Call success rate", cards.success, icon="target", note="Answered / finished calls"),
            label="Measures of all campaigns",
        ),
        class_name="cs-cards",
    )


def _card(label: str, value: rx.Var[str], *, icon: str, note: str) -> rx.Component:
    return metric_card(label, value, icon=icon, note=note, loading=CampaignsState.loading)


def _period_filter() -> rx.Component:
    return select_filter(
        label="Period of the measures",
        value=record(CampaignsState.query, CampaignsQuery).period,
        options=PERIODS,
        on_change=CampaignsState.filter_by("period"),
    )


def _toolbar() -> rx.Component:
    query = record(CampaignsState.query, CampaignsQuery)
    return toolbar(
        select_filter(
            label="Status",
            value=query.status,
            options=[
                (ALL, "All statuses"),
                *[(each.value, each.value.capitalize()) for each in CampaignStatus],
            ],
            on_change=CampaignsState.filter_by("status"),
        ),
        select_filter(
            label="Channel",
            value=query.channel,
            options=[(ALL, "Calls and texts"), ("call", "Calls"), ("sms", "Texts")],
            on_change=CampaignsState.filter_by("channel"),
        ),
        _agent_filter(query),
        search=list_search(CampaignsState, "Search campaigns"),
        end=[
            rx.cond(
                CampaignsState.is_filtered,
                rx.button(
                    "Clear",
                    on_click=CampaignsState.clear,
                    variant="ghost",
                    color_scheme="gray",
                    type="button",
                ),
            )
        ],
    )


def _agent_filter(query: ObjectVar[CampaignsQuery]) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label="Agent", variant="surface"),
        rx.select.content(
            rx.select.item("All agents", value=ALL),
            rx.foreach(CampaignsState.agents, lambda agent: rx.select.item(agent.words, value=agent.value)),
            position="popper",
            variant="soft",
        ),
        value=query.agent,
        on_change=CampaignsState.filter_by("agent"),
        name="Agent",
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="megaphone",
        title="No campaigns yet",
        sentence="A campaign calls or texts a list of people with your message, each at an hour that is "
        "right for them. Create one, add contacts, and start it when it is ready.",
        action=_create_button(),
    )
