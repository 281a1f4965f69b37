"""The Overview tab: progress, measures, current activity and history."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    ProgressView,
    banner,
    campaign_badge,
    choose,
    columns,
    error_state,
    metric_card,
    metric_grid,
    panel,
    progress_bar,
    recipient_badge,
    record,
    time_text,
)
from app.web.layout import shell
from app.web.pages.campaign.overview.parts.now import reviews_panel, right_now, seconds_panel
from app.web.pages.campaign.overview.parts.safeguards import safeguards_panel, stopped
from app.web.pages.campaign.overview.presenter import Measures, Overview, StatusChange, StatusShare
from app.web.pages.campaign.overview.state import OverviewState
from app.web.pages.campaign.parts.frame import campaign_frame
from app.web.pages.campaign.parts.runs import run_choice
from app.web.session import allows, here


@shell("Campaigns")
def campaign_overview() -> rx.Component:
    """Return the page."""
    return campaign_frame(
        rx.cond(
            OverviewState.problem != "",
            error_state(OverviewState.problem, on_retry=OverviewState.load),
            rx.el.div(
                run_choice(OverviewState.run, OverviewState.choose_run),
                columns(
                    stopped(allows(Right.RUN_CAMPAIGNS)),
                    rx.cond(OverviewState.reviews.length() > 0, reviews_panel(allows(Right.RUN_CAMPAIGNS))),
                    rx.cond(OverviewState.seconds.length() > 0, seconds_panel()),
                    _progress(),
                    _measures(),
                    aside=rx.fragment(right_now(), safeguards_panel(), _history()),
                ),
                class_name="cs-overview",
            ),
        ),
        tab="Overview",
    )


def _progress() -> rx.Component:
    overview = record(OverviewState.overview, Overview)
    progress = record(overview.progress, ProgressView)
    return panel(
        rx.el.div(
            rx.el.div(
                rx.cond(
                    OverviewState.loading,
                    rx.el.span(class_name="cs-skeleton cs-skeleton-figure"),
                    rx.el.span(progress.percent, "%", class_name="cs-figure cs-number"),
                ),
                rx.el.span(progress.text, aria_live="polite", class_name="cs-quiet cs-number"),
                class_name="cs-progress-head",
            ),
            progress_bar(progress, label="Progress of the campaign", large=True),
            rx.el.ul(rx.foreach(overview.shares, _share), class_name="cs-shares"),
            rx.cond(
                overview.conserved,
                rx.el.p(overview.conservation, class_name="cs-quiet cs-number cs-conservation"),
                banner(overview.conservation, kind="danger", title="These numbers do not add up"),
            ),
            class_name="cs-progress-panel",
        ),
        title="Progress",
    )


def _share(share: ObjectVar[StatusShare]) -> rx.Component:
    campaign_id = rx.State.campaign_id  # type: ignore[attr-defined]  # Reflex makes it from the route
    contacts = rx.Var.create(routes.campaign_contacts(here(), campaign_id)).to(str)
    return rx.el.li(
        rx.link(
            recipient_badge(share.status),
            rx.el.span(share.count, class_name="cs-share-count cs-number"),
            rx.el.span(share.share, class_name="cs-share-percent cs-quiet cs-number"),
            href=contacts + "?status=" + share.status.to(str) + _of_run().to(str),
            underline="none",
            class_name="cs-share",
            custom_attrs={"data-none": share.unused},
        ),
        key=share.status,
    )


def _of_run() -> rx.Var[str]:
    """Return what a link to a list needs to show the run that was chosen here."""
    return choose(OverviewState.run != "", rx.Var.create("&run=") + OverviewState.run.to(str), "")


def _measures() -> rx.Component:
    measures = record(record(OverviewState.overview, Overview).measures, Measures)
    loading = OverviewState.loading
    return rx.el.div(
        metric_grid(
            metric_card(
                "Completion rate", measures.completion, note="Processed / all contacts", loading=loading
            ),
            metric_card("Success rate", measures.success, note="Completed / tried", loading=loading),
            metric_card("Answer rate", measures.answer, note="People and machines", loading=loading),
            metric_card(
                "Answered by a person", measures.human_answer, note=measures.calls_note, loading=loading
            ),
            metric_card("Average duration", measures.duration, note="Of answered calls", loading=loading),
            metric_card("Total cost", measures.cost, note=measures.cost_note, loading=loading),
            label="Measures of this campaign",
        ),
        class_name="cs-three",
    )


def _history() -> rx.Component:
    return panel(
        rx.cond(
            OverviewState.history.length() == 0,
            rx.el.p("No changes yet. Each change of status is listed here.", class_name="cs-quiet"),
            rx.el.ol(rx.foreach(OverviewState.history, _change), class_name="cs-history"),
        ),
        title="History",
        description="Times are on the campaign's clock.",
    )


def _change(change: ObjectVar[StatusChange]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            campaign_badge(change.status),
            time_text(change.at.text, zone=change.at.zone, iso=change.at.iso),
        ),
        rx.el.p(change.sentence, class_name="cs-quiet"),
    )
