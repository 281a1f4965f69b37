"""The form that chooses people to add, and its dialogs."""

from typing import Final

import reflex as rx
from reflex.vars import BooleanVar, ObjectVar

from app.domain.audience import AudienceMode
from app.domain.contact_filter import Match
from app.domain.rights import Right
from app.web.components import (
    Choice,
    choice_cards,
    choose,
    confirm_dialog,
    error_of,
    filter_chip,
    form_actions,
    form_field,
    form_row,
    panel,
    secondary_button,
    select_filter,
    select_input,
    unboxed_errors,
)
from app.web.components.kinds import as_text
from app.web.options import Option, draw_option
from app.web.pages.audiences.form_state import AudienceConditionState, AudienceFormState
from app.web.pages.audiences.presenter import OUTCOMES
from app.web.pages.audiences.state import AudiencesState
from app.web.pages.contacts.parts.filter import filter_dialog
from app.web.recipient_words import STATUS_WORDS
from app.web.session import allows

_WAYS: Final = [
    Choice("everyone", "Everyone", "The whole address book.", "book-user"),
    Choice("segment", "A segment", "A saved filter.", "bookmark"),
    Choice("filter", "A filter", "Tags, last outcome, custom fields…", "list-filter"),
    Choice("outcome", "An outcome", "Their outcome in another campaign.", "phone-missed"),
]
_NOW: Final = "People who match now are added once."
_NOT_NOW: Final = "Not while the campaign runs: pause it first."
_STANDING: Final = (
    "People who match later are added too, until you end the rule. Until then the campaign does not complete."
)
_MODES: Final = {
    is_editable: [
        Choice(
            AudienceMode.SNAPSHOT,
            "Add who matches now",
            _NOW if is_editable else _NOT_NOW,
            "user-plus",
            disabled=not is_editable,
        ),
        Choice(AudienceMode.STANDING, "Keep adding who matches while it runs", _STANDING, "repeat"),
    ]
    for is_editable in (True, False)
}


def audience_button() -> rx.Component:
    """Return the button that opens the form, while people may be added."""
    return rx.cond(
        allows(Right.EDIT_CAMPAIGNS) & ~AudiencesState.is_over,
        secondary_button("From address book", icon="book-user", on_click=AudienceFormState.open),
    )


def audience_panel() -> rx.Component:
    """Return the form, while it is open, with the dialogs it needs."""
    return rx.fragment(
        rx.cond(
            AudienceFormState.is_open,
            panel(
                audience_form(),
                title="Add from the address book",
                description="People already in this campaign are skipped.",
            ),
        ),
        audience_dialogs(),
    )


def audience_dialogs() -> rx.Component:
    """Return the dialog of a filter, and the question before a rule is ended."""
    return rx.fragment(
        filter_dialog(AudienceConditionState, sentence="Only people who match it are added."),
        confirm_dialog(
            is_open=AudiencesState.asked > 0,
            on_open_change=AudiencesState.ask(0),
            title="End this rule?",
            sentence="It adds no more people. People already added stay in the campaign. You can add people again "
            "at any time.",
            confirm_label="End the rule",
            on_confirm=AudiencesState.end,
            busy=AudiencesState.saving,
        ),
    )


def audience_form() -> rx.Component:
    """Return the form: who to add, who to leave out, once or continuously, the count, and the button."""
    return rx.el.div(
        unboxed_errors(AudienceFormState),
        choice_cards(
            name="audience_whom",
            legend="Who to add",
            choices=_WAYS,
            value=AudienceFormState.whom,
            on_change=AudienceFormState.choose("whom"),
        ),
        rx.match(
            AudienceFormState.whom,
            ("segment", _segment()),
            ("filter", _filter()),
            ("outcome", _outcome()),
            rx.fragment(),
        ),
        form_row(_days(), _left_out()),
        rx.cond(AudiencesState.is_editable, _mode(is_editable=True), _mode(is_editable=False)),
        form_actions(
            secondary_button("Cancel", on_click=AudienceFormState.close),
            rx.button(
                choose(
                    _is_standing(), "Keep adding them", as_text("Add ") + as_text(AudienceFormState.would_add)
                ),
                on_click=AudienceFormState.add,
                loading=AudienceFormState.saving,
                disabled=~AudienceFormState.ready | ~(AudienceFormState.adds_anybody | _is_standing()),
                type="button",
            ),
            note=rx.el.span(
                choose(AudienceFormState.counting, "Counting…", AudienceFormState.preview),
                role="status",
                class_name="cs-number",
            ),
        ),
        class_name="cs-audience",
    )


def _is_standing() -> BooleanVar:
    chosen: BooleanVar = as_text(AudienceFormState.mode) == AudienceMode.STANDING.value
    standing: BooleanVar = chosen | ~AudiencesState.is_editable
    return standing


def _mode(*, is_editable: bool) -> rx.Component:
    return choice_cards(
        name="audience_mode",
        legend="For how long",
        choices=_MODES[is_editable],
        value=AudienceFormState.mode if is_editable else AudienceMode.STANDING.value,
        on_change=AudienceFormState.choose_mode,
    )


def _segment() -> rx.Component:
    return rx.cond(
        AudienceFormState.segments.length() > 0,
        form_field(
            select_input(
                name="audience_segment",
                options=rx.foreach(AudienceFormState.segments, draw_option),
                value=AudienceFormState.segment_id,
                on_change=AudienceFormState.choose("segment_id"),
            ),
            name="audience_segment",
            label="Segment",
        ),
    )


def _filter() -> rx.Component:
    return rx.el.div(
        rx.cond(
            AudienceFormState.chips.length() > 1,
            select_filter(
                label="How filters are joined",
                value=AudienceFormState.match,
                options=[(Match.ALL.value, "All of these"), (Match.ANY.value, "Any of these")],
                on_change=AudienceFormState.choose("match"),
            ),
        ),
        rx.foreach(
            AudienceFormState.chips,
            lambda words, place: filter_chip(words, on_remove=AudienceFormState.drop_condition(place)),
        ),
        secondary_button("Add filter", icon="list-filter", on_click=AudienceConditionState.open),
        class_name="cs-audience-chips",
    )


def _outcome() -> rx.Component:
    return rx.cond(
        AudienceFormState.campaigns.length() > 0,
        rx.fragment(
            form_field(
                select_input(
                    name="audience_campaign",
                    options=rx.foreach(AudienceFormState.campaigns, draw_option),
                    value=AudienceFormState.campaign_id,
                    on_change=AudienceFormState.choose("campaign_id"),
                ),
                name="audience_campaign",
                label="Campaign",
            ),
            rx.el.fieldset(
                rx.el.legend("Their outcome there"),
                *[_tick(status.value, STATUS_WORDS[status]) for status in OUTCOMES],
                class_name="cs-audience-ticks",
            ),
        ),
    )


def _tick(status: str, words: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=AudienceFormState.outcomes.contains(status),
            on_change=AudienceFormState.tick_outcome(status),
            class_name="cs-checkbox",
        ),
        words,
    )


def _days() -> rx.Component:
    error = error_of(AudienceFormState, "not_contacted_for_days")
    return form_field(
        rx.debounce_input(
            rx.el.input(
                id="audience_days",
                type="text",
                input_mode="numeric",
                value=AudienceFormState.days,
                on_change=AudienceFormState.choose("days"),
                placeholder="0",
                aria_describedby="audience_days-help audience_days-error",
                class_name="cs-input",
            ),
            debounce_timeout=300,
        ),
        name="audience_days",
        label="Days since the last contact, at least",
        help_text="Leaves out people whom a campaign contacted more recently.",
        error=error,
        optional=True,
    )


def _left_out() -> rx.Component:
    return rx.el.div(
        form_field(
            select_input(
                name="audience_left_out",
                options=rx.fragment(
                    rx.el.option("Choose a campaign…", value=""),
                    rx.foreach(AudienceFormState.campaigns, draw_option),
                ),
                value="",
                on_change=AudienceFormState.leave_out,
                disabled=AudienceFormState.campaigns.length() == 0,
            ),
            name="audience_left_out",
            label="Not in these campaigns",
            help_text="Leaves out everybody in these campaigns, with any outcome.",
            optional=True,
        ),
        rx.cond(
            AudienceFormState.left_out.length() > 0,
            rx.el.div(rx.foreach(AudienceFormState.left_out, _without), class_name="cs-audience-chips"),
        ),
        class_name="cs-audience-part",
    )


def _without(campaign: ObjectVar[Option]) -> rx.Component:
    return filter_chip(campaign.words, on_remove=AudienceFormState.leave_out(campaign.value))
