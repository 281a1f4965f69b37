"""The sheet of one contact: its variables, its attempts, and why it was contacted or not."""

from collections.abc import Callable
from typing import Any, Final

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.web.components import (
    attempt_badge,
    disposition_badge,
    drawer,
    facts,
    recipient_badge,
    record,
    time_text,
)
from app.web.components.kinds import Text, present
from app.web.pages.campaign.calls.presenter import CallItem
from app.web.pages.campaign.contacts.person_state import PersonState
from app.web.pages.campaign.contacts.presenter import ContactStep, Person, PersonDetail, Variable
from app.web.pages.contacts.parts.hold import hold_line
from app.web.words import Moment

_AGAIN: Final = (PersonState.read_again,)


def person_drawer() -> rx.Component:
    """Return the sheet."""
    detail = record(PersonState.detail, PersonDetail)
    person = record(detail.person, Person)
    return drawer(
        rx.el.div(
            recipient_badge(person.status),
            rx.el.p(detail.answer),
            rx.cond(
                detail.rule != "",
                rx.el.p("Rule: ", detail.rule, class_name="cs-quiet"),
            ),
            class_name="cs-why",
        ),
        hold_line(
            detail.hold,
            detail.contact_id.to(int),
            then=_AGAIN,
            said_above=detail.hold.to(str) == detail.answer.to(str),
        ),
        facts(
            ("Next time", _or_none(detail.until)),
            ("Where they are", _or_none(person.there)),
            ("Place in the queue", rx.el.span(person.position, class_name="cs-number")),
            ("Attempts", rx.el.span(person.attempts, class_name="cs-number")),
            ("Last outcome", disposition_badge(person.disposition)),
        ),
        _section("Attempts", "No attempt yet.", detail.attempts.to(list[CallItem]), _attempt),
        _section("Variables", "No variables.", detail.variables.to(list[Variable]), _variable),
        _section("History", "No change of status yet.", detail.steps.to(list[ContactStep]), _step),
        is_open=PersonState.is_open,
        on_open_change=PersonState.close,
        title=person.name,
        sentence=person.number,
    )


def _or_none(text: Text) -> rx.Component:
    return rx.cond(
        present(text), rx.el.span(text, class_name="cs-number"), rx.el.span("\u2013", class_name="cs-none")
    )


def _section(
    title: str, nothing: str, rows: ArrayVar[Any], draw: Callable[[Any], rx.Component]
) -> rx.Component:
    return rx.el.section(
        rx.el.h3(title),
        rx.cond(
            rows.length() == 0,
            rx.el.p(nothing, class_name="cs-quiet"),
            rx.el.ul(rx.foreach(rows, draw), class_name="cs-entries"),
        ),
        class_name="cs-section",
    )


def _attempt(attempt: ObjectVar[CallItem]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            _time(record(attempt.at, Moment)),
            rx.el.span("from ", attempt.number_from, class_name="cs-quiet cs-number"),
            rx.cond(attempt.error != "", rx.el.span(attempt.error, class_name="cs-quiet")),
            class_name="cs-two-lines",
        ),
        rx.cond(
            attempt.disposition != "",
            disposition_badge(attempt.disposition),
            attempt_badge(attempt.status),
        ),
    )


def _variable(variable: ObjectVar[Variable]) -> rx.Component:
    return rx.el.li(rx.el.code(variable.label), rx.el.span(variable.value, class_name="cs-value"))


def _step(step: ObjectVar[ContactStep]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(step.reason),
            rx.el.span(_time(record(step.at, Moment)), class_name="cs-quiet"),
            class_name="cs-two-lines",
        ),
        recipient_badge(step.status),
    )


def _time(at: ObjectVar[Moment]) -> rx.Component:
    return time_text(at.text, zone=at.zone, iso=at.iso)
