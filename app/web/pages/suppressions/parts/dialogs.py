"""The dialogs of the suppression list: add a number, lift one, its history, import a file."""

import reflex as rx
from reflex.vars import ObjectVar

from app.services.suppression.importing import MAX_BYTES
from app.services.tabular.refusals import MEGABYTE
from app.web import routes
from app.web.components import (
    badge,
    banner,
    choose,
    download_link,
    drawer,
    error_of,
    form_actions,
    form_dialog,
    form_field,
    primary_button,
    record,
    secondary_button,
    select_input,
    stacked_form,
    submit_button,
    text_input,
    time_text,
    unboxed_errors,
    upload_zone,
)
from app.web.components.kinds import as_text, present
from app.web.pages.contacts.presenter import SCOPES
from app.web.pages.suppressions.change_state import SuppressionChangeState
from app.web.pages.suppressions.file_state import ZONE, SuppressionFileState
from app.web.pages.suppressions.presenter import ImportOutcome, RejectedLine, SuppressionRow
from app.web.session import here
from app.web.words import Moment

_SCOPES = [(scope.value, words) for scope, words in SCOPES.items()]


def add_dialog() -> rx.Component:
    """Return the form of a number to add."""
    number, reason = error_of(SuppressionChangeState, "number"), error_of(SuppressionChangeState, "reason")
    version = SuppressionChangeState.form_version
    return form_dialog(
        stacked_form(
            form_field(
                text_input(
                    name="number",
                    input_type="tel",
                    placeholder="+1 201 555 0123",
                    required=True,
                    error=number,
                    record=version,
                ),
                name="number",
                label="Number",
                help_text="It need not be in the address book.",
                error=number,
            ),
            form_field(
                select_input(name="scope", options=_SCOPES, record=version),
                name="scope",
                label="What to stop",
            ),
            form_field(
                text_input(name="reason", placeholder="Asked by e-mail", error=reason, record=version),
                name="reason",
                label="Reason",
                help_text="Kept with your name and the time.",
                error=reason,
                optional=True,
            ),
            form_actions(
                secondary_button("Go back", on_click=SuppressionChangeState.close(False)),
                submit_button("Block", saving=SuppressionChangeState.saving),
            ),
            state=SuppressionChangeState,
            on_submit=SuppressionChangeState.add,
        ),
        is_open=SuppressionChangeState.asking == "add",
        on_open_change=SuppressionChangeState.close,
        title="Block a number",
        sentence="No campaign contacts it from now on. Contacts who wait in a campaign are skipped, with the reason.",
    )


def lift_dialog() -> rx.Component:
    """Return the question before a number may be contacted again."""
    error = error_of(SuppressionChangeState, "reason")
    return form_dialog(
        stacked_form(
            form_field(
                text_input(
                    name="reason",
                    placeholder="They asked us to call again",
                    error=error,
                    required=True,
                    record=SuppressionChangeState.form_version,
                ),
                name="reason",
                label="Why may they be contacted again?",
                help_text="Kept with your name and the time. The entry stays as evidence.",
                error=error,
            ),
            form_actions(
                secondary_button("Go back", on_click=SuppressionChangeState.close(False)),
                submit_button("Remove block", saving=SuppressionChangeState.saving),
            ),
            state=SuppressionChangeState,
            on_submit=SuppressionChangeState.lift,
        ),
        is_open=SuppressionChangeState.asking == "lift",
        on_open_change=SuppressionChangeState.close,
        title=as_text("Let ") + as_text(SuppressionChangeState.number) + " be contacted again?",
        sentence="Calling somebody who asked not to be called can be against the law. This places no call: "
        "contacts who were skipped in a campaign stay skipped until you retry them there.",
    )


def history_drawer() -> rx.Component:
    """Return the history of one number."""
    return drawer(
        rx.el.ul(rx.foreach(SuppressionChangeState.history, _entry), class_name="cs-card-entries"),
        is_open=SuppressionChangeState.asking == "history",
        on_open_change=SuppressionChangeState.close,
        title=choose(
            present(SuppressionChangeState.name), SuppressionChangeState.name, SuppressionChangeState.number
        ),
        sentence=as_text("All blocks of ") + as_text(SuppressionChangeState.number) + ".",
    )


def _entry(item: ObjectVar[SuppressionRow]) -> rx.Component:
    at: ObjectVar[Moment] = item.at.to(Moment)
    return rx.el.li(
        rx.cond(
            item.is_lifted,
            badge(as_text("Removed: ") + as_text(item.scope), tone="gray", icon="undo-2"),
            badge(item.scope, tone="red", icon="user-x"),
        ),
        rx.cond(present(item.reason), rx.el.p(item.reason)),
        rx.el.p(
            time_text(at.text, zone=at.zone, iso=at.iso),
            as_text(" \N{MIDDLE DOT} ") + as_text(item.source),
            choose(present(item.by), as_text(" \N{MIDDLE DOT} ") + as_text(item.by), ""),
            class_name="cs-card-entry-note",
        ),
        rx.cond(present(item.lifted), rx.el.p(item.lifted, class_name="cs-card-entry-note")),
    )


def file_dialog() -> rx.Component:
    """Return the dialog of a file."""
    return form_dialog(
        rx.el.div(
            rx.match(SuppressionFileState.stage, ("working", _working()), ("done", _done()), _choose()),
            class_name="cs-dialog-fields",
        ),
        is_open=SuppressionFileState.is_open,
        on_open_change=SuppressionFileState.set_open,
        title="Import numbers to block",
        sentence="A CSV with one number per row. Optional columns: scope (all, voice or sms) and reason. "
        "A plain list of numbers needs no header.",
    )


def _choose() -> rx.Component:
    return rx.fragment(
        unboxed_errors(SuppressionFileState),
        form_field(
            select_input(
                name="file_scope",
                options=_SCOPES,
                default_value=SuppressionFileState.scope,
                on_change=SuppressionFileState.choose_scope,
            ),
            name="file_scope",
            label="What to stop, unless a row says otherwise",
        ),
        form_field(
            rx.el.input(
                id="file_reason",
                name="file_reason",
                default_value=SuppressionFileState.reason,
                on_blur=SuppressionFileState.write_reason,
                placeholder="National do-not-call list",
                auto_complete="off",
                class_name="cs-input",
            ),
            name="file_reason",
            label="Reason, unless a row says otherwise",
            error=error_of(SuppressionFileState, "reason"),
            optional=True,
        ),
        upload_zone(
            upload_id=ZONE,
            on_drop=SuppressionFileState.receive(
                rx.upload_files(upload_id=ZONE, on_upload_progress=SuppressionFileState.count_upload)
            ),
            busy=SuppressionFileState.uploading,
            percent=SuppressionFileState.percent,
            hint=f"Up to {MAX_BYTES // MEGABYTE} MB",
            error=error_of(SuppressionFileState, ZONE),
            on_reject=SuppressionFileState.refuse,
            max_bytes=MAX_BYTES,
        ),
        form_actions(secondary_button("Go back", on_click=SuppressionFileState.set_open(False))),
    )


def _working() -> rx.Component:
    result = record(SuppressionFileState.result, ImportOutcome)
    return rx.el.div(
        rx.progress(value=result.percent, aria_label="Import"),
        rx.el.p(
            choose(present(result.progress), result.progress, "Reading the file"),
            role="status",
            class_name="cs-quiet cs-number",
        ),
        class_name="cs-stack",
    )


def _done() -> rx.Component:
    result = record(SuppressionFileState.result, ImportOutcome)
    lines = result.first_rejected.to(list[RejectedLine])
    return rx.el.div(
        banner(result.sentence, kind="success", title="The file is imported"),
        rx.cond(
            result.rejected.to(int) > 0,
            rx.el.div(
                rx.el.h3("Rows that could not be read", class_name="cs-part"),
                rx.el.ul(rx.foreach(lines, _rejected), class_name="cs-card-entries"),
                download_link(
                    "Download these rows to correct them",
                    href=routes.download_not_suppressed(here(), result.import_id.to(int)),
                ),
                class_name="cs-stack",
            ),
        ),
        form_actions(
            secondary_button("Import another file", on_click=SuppressionFileState.open),
            primary_button("Done", on_click=SuppressionFileState.set_open(False)),
        ),
        class_name="cs-stack",
    )


def _rejected(line: ObjectVar[RejectedLine]) -> rx.Component:
    return rx.el.li(
        rx.el.p(as_text("Row ") + as_text(line.row), class_name="cs-card-entry-note cs-number"),
        rx.el.p(line.cells, class_name="cs-words"),
        rx.el.p(line.reason, class_name="cs-card-entry-note"),
    )
