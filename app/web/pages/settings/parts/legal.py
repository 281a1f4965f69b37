"""The panels of legal hours and of blackout dates."""

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    actions_cell,
    badge,
    cell,
    choose,
    column,
    data_table,
    error_of,
    fold,
    folds,
    form_actions,
    form_field,
    form_row,
    lead_cell,
    panel,
    row,
    select_input,
    stacked_form,
    submit_button,
    table_skeleton,
    text_input,
    time_text,
)
from app.web.components.kinds import as_text, present
from app.web.pages.settings.legal_state import (
    BOX,
    POLICIES,
    POLICY,
    REASON,
    ZONE,
    ZONES,
    BlackoutRow,
    BlackoutState,
    LawRow,
    LegalHoursState,
    PolicyChangeRow,
)
from app.web.session import allows
from app.web.words import Moment

_ONLY_OWNERS = "Only owners change these settings."


def legal_hours_panel() -> rx.Component:
    """Return the policy, why it was changed, and the law itself."""
    return panel(
        rx.cond(
            LegalHoursState.loading,
            table_skeleton(rows=2),
            rx.el.div(_policy(), folds(_law(), _history()), class_name="cs-card-stack"),
        ),
        title="Legal hours",
        description="When the law lets people be contacted, under every campaign's own calling hours.",
    )


def _policy() -> rx.Component:
    may_edit, version = allows(Right.MANAGE_SETTINGS), LegalHoursState.form_version
    policy, reason, zone = (error_of(LegalHoursState, name) for name in (POLICY, REASON, ZONE))
    return stacked_form(
        form_field(
            select_input(
                name=POLICY,
                options=[(each.value, words) for each, words in POLICIES.items()],
                default_value=LegalHoursState.policy,
                error=policy,
                disabled=~may_edit,
                record=version,
            ),
            name=POLICY,
            label="Policy",
            help_text="Stricter: over and above the law 09:00 to 20:00, Monday to Saturday, no public holidays, "
            "3 attempts in 24 hours.",
            error=policy,
        ),
        form_field(
            text_input(name=REASON, error=reason, disabled=~may_edit, record=version),
            name=REASON,
            label="Reason",
            help_text="Needed to loosen the policy. It is kept in the history below.",
            error=reason,
            optional=True,
        ),
        form_field(
            select_input(
                name=ZONE,
                options=[(each.value, words) for each, words in ZONES.items()],
                default_value=LegalHoursState.zone_trust,
                error=zone,
                disabled=~may_edit,
                record=version,
            ),
            name=ZONE,
            label="Whose clock counts",
            help_text="Choose both if you distrust the time zones and states in your files.",
            error=zone,
        ),
        rx.cond(
            may_edit,
            form_actions(submit_button("Save legal hours", saving=LegalHoursState.saving)),
            rx.el.p(_ONLY_OWNERS, class_name="cs-help"),
        ),
        state=LegalHoursState,
        on_submit=LegalHoursState.save,
    )


def _law() -> rx.Component:
    return fold(
        "What the law says",
        as_text("Version ") + LegalHoursState.version,
        rx.el.p(
            "This is no legal advice. To change it, name your own table in CALLSHEET_LEGAL_HOURS on the server.",
            class_name="cs-help",
        ),
        data_table(
            label="Legal hours",
            head=[column("Law"), column("Hours, where people are"), column("Source")],
            rows=rx.foreach(LegalHoursState.laws, _law_row),
        ),
    )


def _law_row(law: ObjectVar[LawRow]) -> rx.Component:
    return row(
        lead_cell(law.name, note=rx.el.code(law.law, class_name="cs-code")),
        cell(
            law.hours,
            rx.cond(present(law.more), rx.el.div(law.more, class_name="cs-quiet")),
            label="Hours, where people are",
        ),
        cell(
            rx.el.div(
                law.source,
                rx.cond(law.verify, badge("Check this one", tone="amber", icon="triangle-alert")),
                class_name="cs-lead-line",
            ),
            label="Source",
        ),
        key=law.law,
    )


def _history() -> rx.Component:
    return fold(
        "Changes of the policy",
        choose(LegalHoursState.history.length() > 0, "Who changed it, and why", "Never changed"),
        data_table(
            label="Changes of the policy",
            head=[column("Change"), column("Reason"), column("When")],
            rows=rx.foreach(LegalHoursState.history, _history_row),
        ),
    )


def _history_row(change: ObjectVar[PolicyChangeRow]) -> rx.Component:
    at: ObjectVar[Moment] = change.at.to(Moment)
    return row(
        lead_cell(change.change, note=change.actor),
        cell(change.reason, label="Reason"),
        cell(time_text(at.text, zone=at.zone, iso=at.iso), label="When"),
        key=change.id,
    )


def blackout_panel() -> rx.Component:
    """Return the dates without any call or text, and the form for one more."""
    return panel(
        rx.cond(
            BlackoutState.loading,
            table_skeleton(rows=2),
            rx.el.div(
                rx.cond(
                    BlackoutState.rows.length() > 0,
                    data_table(
                        label="Blackout dates",
                        head=[
                            column("Dates"),
                            column("Name"),
                            column("Actions", hidden_label=True, align="end"),
                        ],
                        rows=rx.foreach(BlackoutState.rows, _blackout_row),
                    ),
                    rx.el.p("No blackout dates.", class_name="cs-quiet"),
                ),
                rx.cond(
                    allows(Right.MANAGE_SETTINGS),
                    _new_blackout(),
                    rx.el.p(_ONLY_OWNERS, class_name="cs-help"),
                ),
                class_name="cs-card-stack",
            ),
        ),
        title="Blackout dates",
        description="Whole days without any call or text, by the calendar where people are.",
    )


def _blackout_row(blackout: ObjectVar[BlackoutRow]) -> rx.Component:
    remove = BlackoutState.remove(blackout.start, blackout.end, blackout.name)
    return row(
        lead_cell(blackout.words),
        cell(blackout.name, label="Name"),
        actions_cell(
            rx.cond(
                allows(Right.MANAGE_SETTINGS),
                rx.button(
                    "Remove",
                    aria_label=as_text("Remove ") + blackout.words.to(str),
                    on_click=remove,
                    variant="ghost",
                    color_scheme="gray",
                    size="1",
                    type="button",
                ),
            )
        ),
        key=blackout.key,
    )


def _new_blackout() -> rx.Component:
    boxes = (
        ("from", "First day", "date", ""),
        ("until", "Last day", "date", "Left empty: one day."),
        ("name", "Name", "text", ""),
    )
    return stacked_form(
        form_row(*(_blackout_box(*box) for box in boxes)),
        form_actions(submit_button("Add dates", saving=BlackoutState.saving)),
        state=BlackoutState,
        on_submit=BlackoutState.add,
    )


def _blackout_box(part: str, label: str, kind: str, help_text: str) -> rx.Component:
    name = f"{BOX}{part}"
    error = error_of(BlackoutState, name)
    return form_field(
        text_input(
            name=name,
            input_type="date" if kind == "date" else "text",
            error=error,
            required=part == "from",
            record=BlackoutState.form_version,
        ),
        name=name,
        label=label,
        help_text=help_text or None,
        error=error,
        optional=part == "name",
    )
