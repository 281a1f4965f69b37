"""The safeguards of a campaign: why it was paused, what to do, and the progress of pilot, ramp and budget."""

import reflex as rx
from reflex.vars import ObjectVar, StringVar

from app.web import routes
from app.web.components import banner, disposition_badge, panel, primary_button, record, time_text
from app.web.components.kinds import Flag, as_text
from app.web.pages.campaign.actions_state import CampaignActionsState as Actions
from app.web.pages.campaign.overview.presenter import Overview
from app.web.pages.campaign.overview.safeguards_presenter import Safeguard, SafeguardsNow, Stop, Witness
from app.web.pages.campaign.overview.state import OverviewState
from app.web.pages.campaign.state import CampaignState, Header
from app.web.session import here


def stopped(may_run: Flag) -> rx.Component:
    """Return why the campaign failed, was paused on a bad sign or waits for a person, with the resume button."""
    guards = record(record(OverviewState.overview, Overview).safeguards, SafeguardsNow)
    return rx.fragment(
        _failed_banner(may_run),
        rx.foreach(OverviewState.stops, lambda stop: rx.cond(stop.is_now, _stop_banner(stop, may_run))),
        rx.cond(
            guards.waits != "",
            banner(rx.el.p(guards.todo), kind="warning", title=guards.waits, action=_resume(may_run)),
        ),
    )


def safeguards_panel() -> rx.Component:
    """Return the progress of pilot, ramp and budget, and the trips of the breaker; nothing without any of these."""
    guards = record(record(OverviewState.overview, Overview).safeguards, SafeguardsNow)
    return rx.cond(
        (guards.lines.length() > 0) | (OverviewState.stops.length() > 0),
        panel(
            rx.el.ul(rx.foreach(guards.lines, _line), class_name="cs-safeguards"),
            rx.cond(
                OverviewState.stops.length() > 0,
                rx.el.div(
                    rx.el.h3("Paused on bad signs"),
                    rx.el.ol(rx.foreach(OverviewState.stops, _stop), class_name="cs-stops"),
                    class_name="cs-section",
                ),
            ),
            title="Safeguards",
        ),
    )


def _failed_banner(may_run: Flag) -> rx.Component:
    header = record(CampaignState.header, Header)
    return rx.cond(
        header.status == "failed",
        banner(
            rx.el.p(header.status_reason),
            rx.el.p(
                "Waiting contacts keep their place, calls in progress are not cut off, and refused attempts "
                "do not count. Fix this, then resume: Callsheet checks it first."
            ),
            kind="danger",
            title="This campaign failed",
            action=_resume(may_run),
        ),
    )


def _stop_banner(stop: ObjectVar[Stop], may_run: Flag) -> rx.Component:
    return banner(
        rx.el.p(
            "No more calls or texts are placed. Find the cause before you resume: then these attempts no longer count."
        ),
        _witnesses(stop),
        kind="danger",
        title=as_text("Paused: ") + as_text(stop.sentence),
        action=_resume(may_run),
    )


def _resume(may_run: Flag) -> rx.Component:
    header = record(CampaignState.header, Header)
    return rx.cond(
        may_run & header.can_resume,
        primary_button("Resume", icon="play", on_click=Actions.resume(header.id)),
    )


def _line(line: ObjectVar[Safeguard]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(line.title, class_name="cs-strong"),
            rx.el.span(line.text, class_name="cs-number"),
            class_name="cs-safeguard-head",
        ),
        rx.el.progress(value=line.percent, max=100, aria_label=line.title, class_name="cs-meter"),
        rx.el.span(line.note, class_name="cs-quiet cs-number"),
        key=line.title,
    )


def _stop(stop: ObjectVar[Stop]) -> rx.Component:
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.el.span(stop.sentence),
                time_text(stop.at.text, zone=stop.at.zone, iso=stop.at.iso),
            ),
            _witnesses(stop),
        ),
        key=stop.id,
    )


def _witnesses(stop: ObjectVar[Stop]) -> rx.Component:
    return rx.fragment(
        rx.el.ul(rx.foreach(stop.witnesses, _witness), class_name="cs-witnesses"),
        rx.cond(
            stop.more != "",
            rx.link(stop.more, href=_call_log(), size="2"),
        ),
    )


def _witness(witness: ObjectVar[Witness]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.link(witness.name, href=_call_log() + "?search=" + as_text(witness.search)),
            rx.el.span(witness.number, class_name="cs-quiet cs-number cs-nowrap"),
            class_name="cs-two-lines",
        ),
        rx.el.span(witness.why, class_name="cs-quiet"),
        disposition_badge(witness.disposition),
        key=witness.id,
    )


def _call_log() -> StringVar[str]:
    campaign_id = rx.State.campaign_id  # type: ignore[attr-defined]  # Reflex makes it from the route
    return as_text(routes.campaign_calls(here(), campaign_id))
