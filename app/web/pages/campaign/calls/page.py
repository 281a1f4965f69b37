"""The Call log tab."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.attempt import Disposition
from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    attempt_badge,
    cell,
    column,
    data_table,
    disposition_badge,
    download_link,
    empty_state,
    lead_cell,
    number_there,
    panel,
    phone_text,
    record,
    row,
    select_filter,
    time_text,
    toolbar,
)
from app.web.layout import shell
from app.web.list_parts import list_pages, list_search, list_states
from app.web.listing import ALL
from app.web.pages.campaign.calls.parts.sheet import call_sheet
from app.web.pages.campaign.calls.presenter import CallItem, CallLogQuery
from app.web.pages.campaign.calls.state import CallLogState
from app.web.pages.campaign.parts.frame import campaign_frame
from app.web.pages.campaign.parts.runs import run_choice
from app.web.session import allows, here
from app.web.words import Moment


@shell("Campaigns")
def campaign_calls() -> rx.Component:
    """Return the page."""
    return campaign_frame(
        panel(
            _toolbar(),
            list_states(
                CallLogState,
                rx.fragment(_table(), list_pages(CallLogState, clock="the campaign's clock")),
                none_yet=_none_yet(),
            ),
            flush=True,
        ),
        call_sheet(),
        tab="Call log",
    )


def _toolbar() -> rx.Component:
    query = record(CallLogState.query, CallLogQuery)
    outcomes = [(each.value, each.value.replace("_", " ").capitalize()) for each in Disposition]
    return toolbar(
        select_filter(
            label="Outcome",
            value=query.disposition,
            options=[(ALL, "All outcomes"), *outcomes],
            on_change=CallLogState.filter_by("disposition"),
        ),
        run_choice(query.run.to(str), CallLogState.filter_by("run")),
        search=list_search(CallLogState, "Search name or number"),
        end=[_download()],
    )


def _download() -> rx.Component:
    campaign_id = rx.State.campaign_id  # type: ignore[attr-defined]  # Reflex makes it from the route
    address = rx.Var.create(routes.download_of_campaign(here(), campaign_id, "calls")).to(str)
    return rx.cond(
        allows(Right.EXPORT) & (CallLogState.rows.length() > 0),
        download_link("Download CSV", href=address + CallLogState.filters),
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="phone-outgoing",
        title="No calls yet",
        sentence="Every call and text of this campaign is listed here as soon as it is placed, with what "
        "was said and what the carrier reported.",
    )


def _table() -> rx.Component:
    return data_table(
        label="Call log",
        head=[
            column("Contact"),
            column("Time"),
            column("Number used"),
            column("Outcome"),
            column("Duration", align="end"),
            column("Cost", align="end"),
        ],
        rows=rx.foreach(CallLogState.rows, _row),
    )


def _row(item: ObjectVar[CallItem]) -> rx.Component:
    at = record(item.at, Moment)
    return row(
        lead_cell(
            rx.el.button(
                item.name, type="button", on_click=CallLogState.show(item.id), class_name="cs-row-link"
            ),
            note=number_there(item.number, item.there),
        ),
        cell(time_text(at.text, zone=at.zone, iso=at.iso), label="Time"),
        cell(phone_text(item.number_from), label="Number used"),
        cell(_outcome(item), label="Outcome"),
        cell(item.duration, label="Duration", align="end", number=True),
        cell(item.cost, label="Cost", align="end", number=True),
        key=item.id,
    )


def _outcome(item: ObjectVar[CallItem]) -> rx.Component:
    return rx.el.div(
        rx.cond(item.disposition != "", disposition_badge(item.disposition), attempt_badge(item.status)),
        rx.cond(
            item.reply != "",
            rx.el.span(item.reply, class_name="cs-quiet cs-why-short"),
            rx.cond(item.error != "", rx.el.span(item.error, class_name="cs-quiet cs-why-short")),
        ),
        class_name="cs-two-lines",
    )
