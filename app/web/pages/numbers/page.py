"""The numbers page."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    actions_cell,
    actions_menu,
    badge,
    cell,
    choose,
    column,
    confirm_dialog,
    copy_button,
    data_table,
    empty_state,
    facts,
    lead_cell,
    menu_item,
    page_header,
    panel,
    primary_button,
    record,
    row,
    secondary_button,
    table_states,
)
from app.web.components.kinds import as_text, flag_word, present
from app.web.layout import shell
from app.web.pages.numbers.parts.form import number_drawer
from app.web.pages.numbers.parts.rests import rest_dialogs, resting_panel
from app.web.pages.numbers.presenter import NumberRow
from app.web.pages.numbers.rests_state import NumberRestState
from app.web.pages.numbers.state import NumberForm, NumbersState
from app.web.session import allows


@shell("Numbers")
def numbers() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header(
            "Numbers",
            description="The numbers your contacts see. Campaigns use their own number first, then the agent's, "
            "then the default.",
            actions=[_fetch_button(), _new_button()],
        ),
        resting_panel(),
        panel(
            table_states(
                _table(),
                loading=NumbersState.loading,
                problem=NumbersState.problem,
                is_empty=NumbersState.rows.length() == 0,
                empty=_none_yet(),
                on_retry=NumbersState.load,
            ),
            flush=True,
        ),
        rx.cond(present(NumbersState.texts_address), _texts_address()),
        number_drawer(),
        _switch_off_question(),
        rest_dialogs(),
    )


def _texts_address() -> rx.Component:
    return panel(
        rx.el.p(
            "When a contact texts one of these numbers, your carrier sends the text to the address below. Then "
            "people who answer STOP are not contacted again. Callsheet sets the address at the carrier "
            "automatically. If a number shows “Replies not received”, set it there by hand."
        ),
        facts(
            (
                "Webhook for incoming messages",
                rx.fragment(
                    rx.el.code(NumbersState.texts_address),
                    copy_button(NumbersState.texts_address, label="Copy the address"),
                ),
            )
        ),
        title="Replies by text",
    )


def _new_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_NUMBERS),
        primary_button("Add number", icon="plus", on_click=NumbersState.open(0)),
    )


def _fetch_button() -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_NUMBERS),
        secondary_button(
            "Import from carrier",
            icon="cloud-download",
            on_click=NumbersState.fetch,
            busy=NumbersState.fetching,
        ),
    )


def _none_yet() -> rx.Component:
    return empty_state(
        icon="phone",
        title="No numbers yet",
        sentence="Campaigns need a number to call and text from. Import the numbers of your carrier "
        "account, or add one by hand.",
        action=rx.el.div(_fetch_button(), _new_button(), class_name="cs-empty-actions"),
    )


def _table() -> rx.Component:
    return data_table(
        label="Numbers",
        head=[
            column("Number"),
            column("Label"),
            column("Used for"),
            column("Campaigns", align="end"),
            column("Last 24 hours", align="end"),
            column("Calls made", align="end"),
            column("Status"),
            column("Actions", hidden_label=True, align="end"),
        ],
        rows=rx.foreach(NumbersState.rows, _row),
    )


def _row(number: ObjectVar[NumberRow]) -> rx.Component:
    return row(
        lead_cell(
            rx.el.div(
                rx.el.button(
                    number.pretty,
                    type="button",
                    on_click=NumbersState.open(number.id),
                    class_name="cs-text-button cs-number",
                ),
                rx.cond(number.is_default, badge("Default", tone="indigo", icon="star")),
                rx.cond(
                    present(number.texts_problem),
                    rx.tooltip(
                        badge("Replies not received", tone="amber", icon="triangle-alert"),
                        content=number.texts_problem,
                    ),
                ),
                class_name="cs-lead-line",
            ),
            note=rx.el.span(
                number.number,
                choose(present(number.carrier), as_text(" · ") + as_text(number.carrier), ""),
                class_name="cs-number",
            ),
        ),
        cell(
            rx.cond(present(number.label), number.label, rx.el.span("\N{EN DASH}", class_name="cs-none")),
            label="Label",
        ),
        cell(
            rx.el.div(
                rx.cond(number.voice, badge("Calls", tone="gray", icon="phone")),
                rx.cond(number.sms, badge("Texts", tone="gray", icon="message-square")),
                rx.cond(
                    number.voice | number.sms,
                    rx.fragment(),
                    rx.el.span("Nothing", class_name="cs-quiet"),
                ),
                class_name="cs-badges",
            ),
            label="Used for",
        ),
        cell(number.campaigns, label="Campaigns", align="end", number=True),
        cell(
            rx.el.span(number.calls_in_a_day, class_name="cs-full", data_full=flag_word(number.cap_reached)),
            label="Last 24 hours",
            align="end",
            number=True,
        ),
        cell(number.calls, label="Calls made", align="end", number=True),
        cell(
            rx.cond(
                number.active,
                rx.cond(
                    number.resting,
                    badge("Resting", tone="amber", icon="moon"),
                    badge("Active", tone="green", icon="circle-check"),
                ),
                badge("Inactive", tone="gray", icon="circle-off"),
            ),
            label="Status",
        ),
        actions_cell(rx.cond(allows(Right.EDIT_NUMBERS), _menu(number))),
        key=number.id,
    )


def _menu(number: ObjectVar[NumberRow]) -> rx.Component:
    return actions_menu(
        menu_item("Edit", icon="pencil", on_select=NumbersState.open(number.id)),
        rx.cond(
            number.is_default,
            menu_item("No longer default", icon="star-off", on_select=NumbersState.make_default(0)),
            menu_item(
                "Make default",
                icon="star",
                on_select=NumbersState.make_default(number.id),
                disabled=~number.active,
            ),
        ),
        rx.cond(
            number.resting,
            menu_item("Put back to work", icon="sun", on_select=NumberRestState.ask(number.id)),
            menu_item("Rest this number", icon="moon", on_select=NumberRestState.ask(number.id)),
        ),
        rx.cond(
            number.active,
            menu_item(
                "Deactivate",
                icon="circle-off",
                on_select=NumbersState.ask_to_switch_off(number.id),
                danger=True,
            ),
            menu_item("Activate", icon="circle-check", on_select=NumbersState.switch(number.id, True)),
        ),
        label=as_text("Actions of ") + as_text(number.pretty),
    )


def _switch_off_question() -> rx.Component:
    asked = record(NumbersState.switching_off, NumberForm)
    return confirm_dialog(
        is_open=asked.id != 0,
        on_open_change=NumbersState.ask_to_switch_off(0),
        title=as_text("Deactivate ") + as_text(asked.pretty) + "?",
        sentence="It makes no calls and sends no texts until you activate it again. Its past calls stay in the "
        "call logs.",
        confirm_label="Deactivate",
        on_confirm=NumbersState.switch(asked.id, False),
    )
