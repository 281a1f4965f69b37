"""The sheet of one contact: its variables, its attempts, and why it was, or was not, contacted."""

from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.domain.rights import Right
from app.runtime.context import get_context
from app.services.access.principal import Principal
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.call_log import get_recipient
from app.web.campaign_here import campaign_here
from app.web.components import (
    attempt_badge,
    disposition_badge,
    drawer,
    facts,
    recipient_badge,
    record,
    time_text,
)
from app.web.guard import PageState, anyone, guarded
from app.web.pages.campaign.calls.view import CallItem
from app.web.pages.campaign.contacts.view import Person, PersonDetail, Step, Variable, person_detail
from app.web.words import Moment


class PersonState(PageState, rx.State):
    """The contact whose sheet is open."""

    is_open: rx.Field[bool] = rx.field(False)
    detail: rx.Field[PersonDetail] = rx.field(default_factory=PersonDetail)

    @guarded(Right.VIEW)
    async def show(self, principal: Principal, recipient_id: int) -> None:
        """Open the sheet of a contact of this campaign."""
        campaign_id = campaign_here(self)
        async with get_context().database.session() as session:
            campaign = await campaign_brief(session, principal=principal, campaign_ref=campaign_id)
            found = await get_recipient(
                session, principal=principal, campaign_ref=campaign_id, recipient_id=recipient_id
            )
        self.detail = person_detail(found, zone=campaign.time_zone, now=get_context().clock.now())
        self.is_open = True

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Close the sheet."""
        self.is_open = is_open and self.is_open


def person_drawer() -> rx.Component:
    """Return the sheet."""
    detail = record(PersonState.detail, PersonDetail)
    person = record(detail.person, Person)
    return drawer(
        rx.el.div(recipient_badge(person.status), rx.el.p(detail.answer), class_name="cs-why"),
        facts(
            ("Place in line", rx.el.span(person.position, class_name="cs-number")),
            ("Attempts", rx.el.span(person.attempts, class_name="cs-number")),
            ("Last outcome", disposition_badge(person.disposition)),
        ),
        _section("Attempts", "No attempt yet.", detail.attempts.to(list[CallItem]), _attempt),
        _section("Variables", "No values of its own.", detail.variables.to(list[Variable]), _variable),
        _section("History", "No change of status yet.", detail.steps.to(list[Step]), _step),
        is_open=PersonState.is_open,
        on_open_change=PersonState.close,
        title=person.name,
        sentence=person.number,
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


def _step(step: ObjectVar[Step]) -> rx.Component:
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
