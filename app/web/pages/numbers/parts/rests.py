"""The resting numbers, above the list, and the questions before a rest begins or ends."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.number_health import NumberRest
from app.domain.rights import Right
from app.web.components import (
    choose,
    confirm_dialog,
    error_of,
    form_actions,
    form_dialog,
    form_field,
    panel,
    record,
    secondary_button,
    select_input,
    stacked_form,
    submit_button,
    text_input,
    time_text,
)
from app.web.components.kinds import as_text, present
from app.web.pages.numbers.presenter import WHY, RestRow
from app.web.pages.numbers.rests_state import OPEN_END, SPANS, NumberRestState
from app.web.pages.numbers.state import NumbersState
from app.web.session import allows
from app.web.words import Moment


def resting_panel() -> rx.Component:
    """Return the panel; nothing while all numbers work."""
    return rx.fragment(
        rx.cond(
            NumbersState.resting.length() > 0,
            panel(
                rx.el.ul(rx.foreach(NumbersState.resting, _resting), class_name="cs-card-entries"),
                title="Resting numbers",
                description="They make no calls. Campaigns use their other numbers, or wait.",
            ),
        )
    )


def _resting(rest: ObjectVar[RestRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(rest.shown, class_name="cs-number"),
            rx.cond(
                allows(Right.EDIT_NUMBERS),
                rx.button(
                    "Put back to work",
                    on_click=NumberRestState.ask(rest.id),
                    aria_label=as_text("Put back to work: ") + as_text(rest.shown),
                    variant="surface",
                    color_scheme="gray",
                    size="1",
                    type="button",
                ),
            ),
            class_name="cs-card-entry-head",
        ),
        rx.el.span(as_text(rest.reason) + ". " + as_text(rest.why)),
        _times(rest),
        key=rest.id,
    )


def _times(rest: ObjectVar[RestRow]) -> rx.Component:
    since: ObjectVar[Moment] = rest.since.to(Moment)
    until: ObjectVar[Moment] = rest.until.to(Moment)
    return rx.el.span(
        "Since ",
        time_text(since.text, zone=since.zone, iso=since.iso),
        rx.cond(
            present(until.text),
            rx.fragment(", until ", time_text(until.text, zone=until.zone, iso=until.iso)),
            ", until somebody puts it back to work",
        ),
        class_name="cs-card-entry-note",
    )


def rest_dialogs() -> rx.Component:
    """Return both questions; at most one is open."""
    asked = record(NumberRestState.asked, RestRow)
    is_asked = asked.id.to(int) > 0
    warning = choose(
        asked.reason == WHY[NumberRest.MANUAL],
        "",
        " If the cause is not fixed, its calls will still be rejected or ignored.",
    )
    return rx.fragment(
        form_dialog(
            _rest_form(),
            is_open=is_asked & ~NumberRestState.is_resting,
            on_open_change=NumberRestState.close,
            title=as_text("Rest ") + as_text(asked.shown) + "?",
            sentence="Until the rest ends, it makes no calls and sends no texts. Campaigns use their other numbers, or "
            "wait for it. Calls in progress are not cut off.",
        ),
        confirm_dialog(
            is_open=is_asked & NumberRestState.is_resting,
            on_open_change=NumberRestState.close,
            title=as_text("Put ") + as_text(asked.shown) + " back to work?",
            sentence=as_text(asked.reason) + ". " + as_text(asked.why) + as_text(warning),
            confirm_label="Put back to work",
            on_confirm=NumberRestState.resume(asked.id),
            destructive=False,
        ),
    )


def _rest_form() -> rx.Component:
    until, why = error_of(NumberRestState, "until"), error_of(NumberRestState, "why")
    return stacked_form(
        form_field(
            select_input(
                name="span",
                options=[(value, words) for value, (words, _) in SPANS.items()],
                default_value=OPEN_END,
                error=until,
            ),
            name="span",
            label="For how long",
            error=until,
        ),
        form_field(
            text_input(name="why", placeholder="People complained about it", error=why),
            name="why",
            label="Why",
            help_text="Internal note.",
            error=why,
            optional=True,
        ),
        form_actions(
            secondary_button("Go back", on_click=NumberRestState.close(False)),
            submit_button("Rest this number", saving=NumberRestState.saving),
        ),
        state=NumberRestState,
        on_submit=NumberRestState.rest,
    )
