"""The rules by which people are added, and the question before one is ended."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import badge, panel, time_text
from app.web.components.kinds import as_text, present
from app.web.pages.audiences.presenter import RuleLine
from app.web.pages.audiences.state import AudiencesState
from app.web.session import allows


def audience_rules() -> rx.Component:
    """Return the rules that add or added people, newest first; nothing if there are none."""
    return rx.cond(
        AudiencesState.lines.length() > 0,
        panel(
            rx.el.ul(rx.foreach(AudiencesState.lines, _rule), class_name="cs-card-entries"),
            title="Added from the address book",
        ),
    )


def _rule(line: ObjectVar[RuleLine]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(line.whom, class_name="cs-words"),
            rx.el.div(
                _state(line),
                rx.cond(
                    line.is_unfinished & allows(Right.EDIT_CAMPAIGNS),
                    rx.button(
                        "End",
                        on_click=AudiencesState.ask(line.id),
                        aria_label=as_text("End: ") + as_text(line.whom),
                        variant="surface",
                        color_scheme="gray",
                        size="1",
                        type="button",
                    ),
                ),
                class_name="cs-audience-state",
            ),
            class_name="cs-card-entry-head",
        ),
        rx.cond(present(line.left_out), rx.el.span(line.left_out, class_name="cs-card-entry-note")),
        rx.el.span(
            line.result,
            " · ",
            time_text(line.at.text, zone=line.at.zone, iso=line.at.iso),
            " ",
            line.by,
            class_name="cs-card-entry-note cs-number",
        ),
        key=line.id,
    )


def _state(line: ObjectVar[RuleLine]) -> rx.Component:
    return rx.el.span(
        rx.match(
            line.state,
            ("adding", badge(line.state_words, tone="blue", icon="loader")),
            ("waiting", badge(line.state_words, tone="amber", icon="clock")),
            ("standing", badge(line.state_words, tone="indigo", icon="repeat")),
            ("done", badge(line.state_words, tone="green", icon="check")),
            badge(line.state_words, tone="gray", icon="circle-stop"),
        ),
        aria_live="polite",
    )
