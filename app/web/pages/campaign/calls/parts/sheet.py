"""The sheet of one attempt: its transcript, the carrier's events and the outcome."""

import reflex as rx
from reflex.vars import ObjectVar

from app.web.components import (
    attempt_badge,
    banner,
    copy_button,
    disposition_badge,
    drawer,
    facts,
    phone_text,
    record,
    time_text,
)
from app.web.components.kinds import Child
from app.web.pages.campaign.calls.presenter import CallDetail, CallItem, CarrierEvent, Part, TranscriptEntry
from app.web.pages.campaign.calls.state import CallLogState
from app.web.words import Moment


def call_sheet() -> rx.Component:
    """Return the sheet, open while an attempt is shown."""
    detail = record(CallLogState.detail, CallDetail)
    item = record(detail.item, CallItem)
    return drawer(
        rx.cond(item.error != "", banner(item.error, kind="warning", title="What went wrong")),
        _facts(detail, item),
        _section(
            "Transcript",
            rx.cond(
                detail.lines.length() > 0,
                rx.el.ol(rx.foreach(detail.lines.to(list[TranscriptEntry]), _line), class_name="cs-talk"),
                rx.el.p("Nothing was said.", class_name="cs-quiet"),
            ),
        ),
        _section("Text of this attempt", rx.el.dl(rx.foreach(detail.parts.to(list[Part]), _part))),
        _section(
            "Events",
            rx.cond(
                detail.events.length() > 0,
                rx.el.ol(rx.foreach(detail.events.to(list[CarrierEvent]), _event), class_name="cs-events"),
                rx.el.p("The carrier has not reported anything yet.", class_name="cs-quiet"),
            ),
        ),
        is_open=CallLogState.is_open,
        on_open_change=CallLogState.close,
        title=item.name,
        sentence=item.number,
    )


def _facts(detail: ObjectVar[CallDetail], item: ObjectVar[CallItem]) -> rx.Component:
    at = record(item.at, Moment)
    return facts(
        ("Outcome", disposition_badge(item.disposition)),
        ("Status", attempt_badge(item.status)),
        ("Time", time_text(at.text, zone=at.zone, iso=at.iso)),
        ("Number used", phone_text(item.number_from)),
        ("Attempt", rx.el.span(item.ordinal, class_name="cs-number")),
        ("Duration", rx.el.span(item.duration, class_name="cs-number")),
        ("Cost", rx.el.span(item.cost, class_name="cs-number")),
        ("Who answered", _or_dash(item.answered_by)),
        ("Reply", _or_dash(item.reply)),
        ("Carrier's id", _provider_id(detail)),
    )


def _provider_id(detail: ObjectVar[CallDetail]) -> rx.Component:
    return rx.cond(
        detail.provider_id != "",
        rx.el.span(
            rx.el.code(detail.provider_id, class_name="cs-code"),
            copy_button(detail.provider_id, label="Copy the carrier's id"),
            class_name="cs-note cs-code-line",
        ),
        _or_dash(""),
    )


def _or_dash(text: str | rx.Var[str]) -> rx.Component:
    return rx.fragment(
        rx.cond(text != "", rx.el.span(text), rx.el.span("\u2013", class_name="cs-none", aria_label="none"))
    )


def _section(title: str, content: Child) -> rx.Component:
    return rx.el.section(rx.el.h3(title), content, class_name="cs-section")


def _line(line: ObjectVar[TranscriptEntry]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(line.speaker, class_name="cs-strong"),
            rx.el.span(line.at, class_name="cs-quiet cs-number"),
        ),
        rx.el.p(line.text),
        custom_attrs={"data-agent": line.is_agent},
    )


def _part(part: ObjectVar[Part]) -> rx.Component:
    return rx.el.div(rx.el.dt(part.label), rx.el.dd(part.text), class_name="cs-part")


def _event(event: ObjectVar[CarrierEvent]) -> rx.Component:
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.el.span(event.kind, class_name="cs-strong"),
                rx.el.span(event.at, class_name="cs-quiet cs-number"),
            ),
            rx.el.pre(event.payload),
        )
    )
