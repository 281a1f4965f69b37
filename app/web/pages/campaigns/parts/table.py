"""The table of campaigns, and what may be done with each row."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    ProgressView,
    actions_cell,
    actions_menu,
    campaign_badge,
    cell,
    column,
    data_table,
    glyph,
    icon_action,
    lead_cell,
    menu_item,
    progress_cell,
    record,
    row,
    time_text,
)
from app.web.list_parts import list_column
from app.web.pages.campaign.actions_state import CampaignActionsState as Actions
from app.web.pages.campaign.questions_state import CampaignQuestionState as Questions
from app.web.pages.campaigns.presenter import Item
from app.web.pages.campaigns.state import CampaignsState
from app.web.session import allows, here


def campaign_table() -> rx.Component:
    """Return the rows of the page."""
    return data_table(
        label="Campaigns",
        head=[
            list_column(CampaignsState, "Campaign", "name"),
            list_column(CampaignsState, "Status", "status"),
            list_column(CampaignsState, "Progress", "progress"),
            column("Results"),
            list_column(CampaignsState, "Created", "created"),
            column("Actions", hidden_label=True),
        ],
        rows=rx.foreach(CampaignsState.rows, _row),
    )


def _row(item: ObjectVar[Item]) -> rx.Component:
    return row(
        lead_cell(
            rx.link(item.name, href=routes.campaign(here(), item.id)),
            note=rx.el.span(_channel(item), rx.el.span(item.agent), class_name="cs-note"),
        ),
        cell(campaign_badge(item.status), label="Status"),
        cell(progress_cell(record(item.progress, ProgressView)), label="Progress"),
        cell(
            rx.el.div(
                rx.el.span(item.reached, class_name="cs-nowrap"),
                rx.el.span(item.attempts, class_name="cs-quiet cs-nowrap"),
                class_name="cs-two-lines cs-number",
            ),
            label="Results",
        ),
        cell(_times(item), label="Created"),
        actions_cell(_quick_action(item), _menu(item)),
        key=item.id,
    )


def _channel(item: ObjectVar[Item]) -> rx.Component:
    return rx.cond(
        item.channel == "sms",
        rx.fragment(glyph("message-square", size=13), rx.el.span("Text")),
        rx.fragment(glyph("phone", size=13), rx.el.span("Call")),
    )


def _times(item: ObjectVar[Item]) -> rx.Component:
    return rx.el.div(
        time_text(item.created.text, zone=item.created.zone, iso=item.created.iso),
        rx.cond(
            item.scheduled.text != "",
            rx.el.span(
                glyph("calendar-clock", size=13),
                "Starts ",
                time_text(item.scheduled.text, zone=item.scheduled.zone, iso=item.scheduled.iso),
                class_name="cs-note",
            ),
        ),
        class_name="cs-two-lines",
    )


def _quick_action(item: ObjectVar[Item]) -> rx.Component:
    return rx.cond(
        allows(Right.RUN_CAMPAIGNS),
        rx.fragment(
            rx.cond(
                item.can_start,
                icon_action("play", label=_named("Start", item), on_click=Actions.ask_start(item.id)),
            ),
            rx.cond(
                item.can_pause,
                icon_action("pause", label=_named("Pause", item), on_click=Actions.pause(item.id)),
            ),
            rx.cond(
                item.can_resume,
                icon_action("play", label=_named("Resume", item), on_click=Actions.resume(item.id)),
            ),
            rx.cond(
                item.can_retry,
                icon_action(
                    "rotate-ccw",
                    label=_named("Retry contacts of", item),
                    on_click=Questions.ask("retry", item.id),
                ),
            ),
        ),
    )


def _menu(item: ObjectVar[Item]) -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CAMPAIGNS),
        actions_menu(
            rx.cond(
                item.can_edit,
                menu_item(
                    "Continue editing",
                    icon="pencil-line",
                    on_select=rx.redirect(rx.Var.create(routes.edit_step(here(), item.id))),
                ),
            ),
            menu_item("Duplicate", icon="copy", on_select=Actions.duplicate(item.id)),
            rx.cond(
                item.can_cancel,
                menu_item(
                    "Cancel campaign", icon="ban", danger=True, on_select=Questions.ask("cancel", item.id)
                ),
            ),
            rx.cond(
                item.can_delete,
                menu_item(
                    "Delete draft", icon="trash-2", danger=True, on_select=Questions.ask("delete", item.id)
                ),
            ),
            label=_named("More actions for", item),
        ),
    )


def _named(action: str, item: ObjectVar[Item]) -> rx.Var[str]:
    named: rx.Var[str] = rx.Var.create(f"{action} ") + item.name.to(str)
    return named
