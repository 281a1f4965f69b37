"""The sheet of one import, and the question before it is stopped."""

from typing import Final

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web import routes
from app.web.components import (
    badge,
    choose,
    confirm_dialog,
    download_link,
    drawer,
    error_of,
    facts,
    field_error,
    primary_button,
    record,
    secondary_button,
    select_filter,
    unboxed_errors,
)
from app.web.components.kinds import Text, as_text, present
from app.web.pages.imports.details_state import ALL_CLASSES, ImportDetailsState
from app.web.pages.imports.presenter import LOOKS, Figure, ImportDetails, IssueLine
from app.web.session import allows, here
from app.web.zone_words import ZoneLine

_CLASSES: Final = [
    (ALL_CLASSES, "All kinds"),
    ("rejected", "Rejected"),
    ("duplicate", "Duplicates"),
    ("suppressed", "Do not contact"),
    ("warning", "To check"),
    ("known", "Already in the address book"),
    ("kept", "Kept after the undo"),
]


def status_badge(status: Text) -> rx.Component:
    """Return the badge of an import's status."""
    looks = [
        (word, badge(look.label, tone=look.tone, icon=look.icon, live=look.live))
        for word, look in LOOKS.items()
    ]
    return rx.el.span(rx.match(status, *looks, rx.fragment()))


def import_drawer() -> rx.Component:
    """Return the sheet, closed until an import is chosen."""
    details = record(ImportDetailsState.details, ImportDetails)
    return rx.fragment(
        drawer(
            _standing(details),
            _facts(details),
            _counts(details),
            _zones(details),
            _issues(details),
            is_open=ImportDetailsState.is_open,
            on_open_change=ImportDetailsState.set_open,
            title=details.name,
            sentence=details.file,
        ),
        confirm_dialog(
            is_open=ImportDetailsState.asking,
            on_open_change=ImportDetailsState.ask,
            title=as_text("Cancel the import of “") + as_text(details.name) + "”?",
            sentence="It stops after the current rows and cannot be started again. People already imported stay; "
            "undo the import to remove them.",
            confirm_label="Cancel the import",
            on_confirm=ImportDetailsState.cancel,
            busy=ImportDetailsState.saving,
        ),
    )


def _standing(details: ObjectVar[ImportDetails]) -> rx.Component:
    return rx.el.section(
        rx.el.div(status_badge(details.status), _buttons(details), class_name="cs-card-section-head"),
        rx.cond(
            details.status == "running",
            rx.progress(value=details.percent.to(int), aria_label="Import"),
        ),
        rx.cond(
            present(details.progress),
            rx.el.p(details.progress, role="status", class_name="cs-quiet cs-number cs-words"),
        ),
        field_error("mapping", error_of(ImportDetailsState, "mapping")),
        unboxed_errors(ImportDetailsState),
        class_name="cs-card-section",
    )


def _buttons(details: ObjectVar[ImportDetails]) -> rx.Component:
    return rx.cond(
        allows(Right.EDIT_CONTACTS),
        rx.el.div(
            rx.cond(
                details.can_cancel,
                secondary_button("Cancel", icon="ban", on_click=ImportDetailsState.ask(True)),
            ),
            rx.cond(
                details.can_go_on,
                primary_button(
                    choose(details.is_new, "Import", "Continue"),
                    on_click=ImportDetailsState.go_on,
                ),
            ),
            class_name="cs-audience-state",
        ),
    )


def _facts(details: ObjectVar[ImportDetails]) -> rx.Component:
    return rx.el.section(
        facts(
            ("Uploaded", rx.el.span(details.uploaded, class_name="cs-number")),
            ("By", rx.el.span(details.by, class_name="cs-words")),
            ("Took", rx.el.span(choose(present(details.took), details.took, "\N{EN DASH}"))),
            ("Campaign", _campaign(details)),
        ),
        class_name="cs-card-section",
    )


def _campaign(details: ObjectVar[ImportDetails]) -> rx.Component:
    return rx.cond(
        details.campaign_id.to(int) > 0,
        rx.link("Open the campaign", href=routes.campaign(here(), details.campaign_id)),
        rx.el.span("None: the address book only", class_name="cs-none"),
    )


def _counts(details: ObjectVar[ImportDetails]) -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h3("Rows"), class_name="cs-card-section-head"),
        rx.el.dl(
            rx.foreach(details.figures.to(list[Figure]), _figure),
            class_name="cs-facts cs-facts-pairs",
        ),
        class_name="cs-card-section",
    )


def _zones(details: ObjectVar[ImportDetails]) -> rx.Component:
    lines = details.zones.to(list[ZoneLine])
    return rx.cond(
        lines.length() > 0,
        rx.el.section(
            rx.el.div(rx.el.h3("Where they are"), class_name="cs-card-section-head"),
            rx.el.dl(rx.foreach(lines, _zone_line), class_name="cs-facts cs-facts-pairs"),
            class_name="cs-card-section",
        ),
    )


def _zone_line(line: ObjectVar[ZoneLine]) -> rx.Component:
    return rx.el.div(rx.el.dt(line.where), rx.el.dd(line.people, class_name="cs-number"))


def _figure(figure: ObjectVar[Figure]) -> rx.Component:
    return rx.el.div(rx.el.dt(figure.name), rx.el.dd(figure.count, class_name="cs-number"))


def _issues(details: ObjectVar[ImportDetails]) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h3("Rows with an issue"),
            select_filter(
                label="Kind of issue",
                value=ImportDetailsState.kind,
                options=_CLASSES,
                on_change=ImportDetailsState.choose_kind,
            ),
            class_name="cs-card-section-head",
        ),
        rx.cond(
            ImportDetailsState.issues.length() > 0,
            rx.el.ul(rx.foreach(ImportDetailsState.issues, _issue), class_name="cs-card-entries"),
            rx.el.p("No rows.", class_name="cs-quiet"),
        ),
        rx.cond(
            present(ImportDetailsState.issues_note),
            rx.el.p(ImportDetailsState.issues_note, class_name="cs-quiet cs-number"),
        ),
        rx.cond(
            allows(Right.EXPORT) & (details.not_in.to(int) > 0),
            download_link(
                "Download what was not imported",
                href=routes.download_not_imported(here(), details.id.to(int)),
            ),
        ),
        class_name="cs-card-section",
    )


def _issue(line: ObjectVar[IssueLine]) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            rx.cond(present(line.row), rx.el.span(line.row, " \N{MIDDLE DOT} ")),
            line.kind,
            class_name="cs-card-entry-note cs-number",
        ),
        rx.el.p(line.cells, class_name="cs-words"),
        rx.el.p(line.reason, class_name="cs-card-entry-note"),
    )
