"""A person's hold: what it says, how it is lifted, and the question that sets one."""

from collections.abc import Sequence

import reflex as rx
from reflex.event import EventCallback

from app.domain.rights import Right
from app.web.components import (
    error_of,
    form_actions,
    form_dialog,
    form_field,
    glyph,
    secondary_button,
    stacked_form,
    submit_button,
    text_input,
)
from app.web.components.kinds import Flag, Text, as_text, present
from app.web.pages.contacts.hold_state import HoldState
from app.web.session import allows

Then = Sequence[EventCallback[()]]
"""Handlers that show the person anew."""


def hold_line(hold: Text, contact_id: rx.Var[int], *, then: Then, said_above: Flag = False) -> rx.Component:
    """Return a person's hold (`hold`, a sentence; empty: none), with the buttons that set one and lift it.

    `said_above`: the sentence stands above already.
    """
    return rx.el.div(
        rx.cond(
            present(hold) & ~rx.Var.create(said_above).to(bool),
            rx.el.p(glyph("calendar-clock", size=15), as_text(hold), class_name="cs-hold-sentence"),
            rx.fragment(),
        ),
        rx.cond(
            allows(Right.EDIT_CONTACTS),
            rx.el.div(
                secondary_button(
                    "Not before \u2026", icon="calendar-clock", on_click=HoldState.ask(contact_id)
                ),
                rx.cond(
                    present(hold),
                    secondary_button(
                        "Lift the hold", icon="undo-2", on_click=[HoldState.lift(contact_id), *then]
                    ),
                    rx.fragment(),
                ),
                class_name="cs-hold-buttons",
            ),
            rx.fragment(),
        ),
        class_name="cs-hold",
    )


def hold_question(*, then: Then) -> rx.Component:
    """Return the question until when a person must not be contacted."""
    return form_dialog(
        stacked_form(
            form_field(
                text_input(
                    name="hold_date",
                    input_type="date",
                    error=error_of(HoldState, "hold_date"),
                    record=HoldState.contact_id,
                    required=True,
                ),
                name="hold_date",
                label="Not before",
                help_text=HoldState.whose,
                error=error_of(HoldState, "hold_date"),
            ),
            form_field(
                text_input(name="hold_time", input_type="time", record=HoldState.contact_id),
                name="hold_time",
                label="Time",
                help_text="Without a time: from 00:00 on.",
                optional=True,
            ),
            form_field(
                text_input(
                    name="hold_reason",
                    placeholder="On holiday",
                    error=error_of(HoldState, "hold_reason"),
                    record=HoldState.contact_id,
                ),
                name="hold_reason",
                label="Reason",
                help_text="Shown where they wait, with your name.",
                error=error_of(HoldState, "hold_reason"),
                optional=True,
            ),
            form_actions(
                secondary_button("Go back", on_click=HoldState.close(False)),
                submit_button("Hold", saving=HoldState.saving),
            ),
            state=HoldState,
            on_submit=[HoldState.hold, *then],
        ),
        is_open=HoldState.contact_id > 0,
        on_open_change=HoldState.close,
        title="When may they be contacted again?",
        sentence="No campaign calls or texts them before then. It spends none of their attempts.",
    )
