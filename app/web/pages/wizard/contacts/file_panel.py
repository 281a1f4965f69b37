"""The panel of a file: drop it, name its columns, look at what it would do, import it."""

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.domain.contact_fields import IGNORE
from app.domain.rights import Right
from app.services.imports.decoding import MAX_FILE_BYTES, MEGABYTE
from app.web import routes
from app.web.components import (
    banner,
    cell,
    column,
    data_table,
    download_link,
    error_of,
    field_error,
    glyph,
    lead_cell,
    panel,
    phone_text,
    primary_button,
    record,
    row,
    secondary_button,
    spinner_text,
    upload_zone,
)
from app.web.components.kinds import as_text, choose, flag_word
from app.web.pages.wizard.contacts.import_state import ImportState
from app.web.pages.wizard.contacts.import_view import TARGETS, AcceptedRow, ColumnRow, RefusedRow, Tally
from app.web.pages.wizard.contacts.unimported import import_words
from app.web.session import allows, here

ZONE = "contacts-file"


def file_panel() -> rx.Component:
    """Return the panel, in the stage the file is at."""
    return panel(
        rx.match(
            ImportState.stage,
            ("uploaded", _uploaded()),
            ("working", _working()),
            ("failed", _failed()),
            ("done", _done()),
            _drop(),
        ),
        title="Upload a file",
        description="A CSV with a header row and one person a row. Duplicates are skipped and counted.",
        actions=[
            rx.el.a(
                glyph("download", size=15),
                "CSV template",
                href="/contacts-template.csv",
                download="contacts-template.csv",
                reload_document=True,  # Else the router would look for a page of that address.
                class_name="cs-wizard-download",
            )
        ],
    )


def _drop() -> rx.Component:
    return upload_zone(
        upload_id=ZONE,
        on_drop=ImportState.receive(
            rx.upload_files(upload_id=ZONE, on_upload_progress=ImportState.count_upload)
        ),
        busy=ImportState.uploading,
        percent=ImportState.percent,
        hint=f"Up to {MAX_FILE_BYTES // MEGABYTE} MB. Needs a phone number column; every other column can be used "
        "in the message.",
        error=error_of(ImportState, ZONE),
        on_cancel=[rx.cancel_upload(ZONE), ImportState.end_upload],
        max_bytes=MAX_FILE_BYTES,
    )


def _file_line() -> rx.Component:
    return rx.el.div(
        glyph("file-spreadsheet", size=18),
        rx.el.div(
            rx.el.strong(ImportState.file_name), rx.el.span(ImportState.facts, class_name="cs-help cs-number")
        ),
        class_name="cs-wizard-file",
    )


def _uploaded() -> rx.Component:
    tally = record(ImportState.tally, Tally)
    return rx.el.div(
        _file_line(),
        _columns(),
        field_error("mapping", error_of(ImportState, "mapping")),
        rx.cond(ImportState.looking, spinner_text("Looking through the file"), _preview(tally)),
        rx.el.div(
            secondary_button("Use another file", on_click=ImportState.give_up),
            primary_button(
                import_words(tally.accepted),
                on_click=ImportState.start,
                icon="user-plus",
                busy=ImportState.saving,
                disabled=(tally.accepted.to(int) == 0) | ImportState.looking,
            ),
            class_name="cs-wizard-buttons",
        ),
        class_name="cs-wizard-fields cs-wizard-wide",
    )


def _columns() -> rx.Component:
    return rx.el.div(
        rx.el.h3("Columns", class_name="cs-wizard-heading"),
        rx.el.div(
            data_table(
                label="Columns of the file and what they become",
                head=[column("Column"), column("In the file"), column("Used as")],
                rows=rx.foreach(ImportState.columns, _column_row),
            ),
            class_name="cs-wizard-frame",
        ),
    )


def _column_row(found: ObjectVar[ColumnRow]) -> rx.Component:
    samples: ArrayVar[list[str]] = found.samples.to(list[str])
    return row(
        lead_cell(found.header),
        cell(
            rx.el.div(
                rx.foreach(samples, lambda sample: rx.el.span(sample.to(str), class_name="cs-wizard-sample")),
                class_name="cs-wizard-samples",
            ),
            label="In the file",
        ),
        cell(_target(found), label="Used as"),
        key=found.header,
    )


def _target(found: ObjectVar[ColumnRow]) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.select(
                rx.el.optgroup(
                    *[rx.el.option(words, value=field) for field, words in TARGETS], label="Contact field"
                ),
                rx.el.optgroup(
                    rx.el.option(found.variable_words, value=found.variable), label="In the message"
                ),
                rx.el.optgroup(rx.el.option("Do not import", value=IGNORE), label="Leave out"),
                value=found.target,
                on_change=ImportState.use_column(found.header),
                aria_label=as_text("Use of column ") + as_text(found.header),
                aria_invalid=flag_word(found.error != ""),
                class_name="cs-input cs-select",
            ),
            glyph("chevron-down", size=16),
            class_name="cs-select-wrap",
        ),
        rx.cond(found.error != "", rx.el.p(found.error, role="alert", class_name="cs-error")),
        class_name="cs-wizard-target",
    )


def _preview(tally: ObjectVar[Tally]) -> rx.Component:
    return rx.cond(
        tally.done.to(int) > 0,
        rx.el.div(
            _counts(tally),
            rx.cond(tally.note != "", rx.el.p(tally.note, class_name="cs-help")),
            rx.cond(ImportState.accepted.length() > 0, _accepted()),
            rx.cond(ImportState.refused.length() > 0, _refused()),
            class_name="cs-wizard-fields cs-wizard-wide",
        ),
    )


def _counts(tally: ObjectVar[Tally]) -> rx.Component:
    return rx.el.dl(
        _count("Accepted", tally.accepted, "green"),
        _count("Rejected", tally.rejected, "red"),
        _count("Duplicates", tally.duplicates, "gray"),
        _count("Do not contact", tally.suppressed, "amber"),
        _count("To check", tally.warnings, "blue"),
        aria_live="polite",
        class_name="cs-wizard-counts",
    )


def _count(words: str, count: rx.Var[int], tone: str) -> rx.Component:
    return rx.el.div(
        rx.el.dt(words),
        rx.el.dd(count, class_name="cs-number"),
        data_tone=choose(count.to(int) > 0, tone, "none"),
    )


def _accepted() -> rx.Component:
    return _rows(
        "Accepted: the first rows",
        [column("Row"), column("Number"), column("Name"), column("Variables")],
        rx.foreach(ImportState.accepted, _accepted_row),
    )


def _rows(title: str, head: list[rx.Component], rows: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.h3(title, class_name="cs-wizard-heading"),
        rx.el.div(data_table(label=title, head=head, rows=rows), class_name="cs-wizard-frame"),
    )


def _accepted_row(found: ObjectVar[AcceptedRow]) -> rx.Component:
    return row(
        cell(found.row, label="Row", number=True),
        cell(phone_text(found.number), label="Number"),
        cell(rx.el.span(found.name, class_name="cs-wizard-name"), label="Name"),
        cell(
            rx.el.div(
                rx.el.span(found.variables, class_name="cs-wizard-variables"),
                rx.cond(
                    found.warning != "",
                    rx.el.div(
                        as_text("To check: ") + as_text(found.warning),
                        class_name="cs-wizard-reason",
                        data_tone="blue",
                    ),
                ),
            ),
            label="Variables",
        ),
        key=found.row,
    )


def _refused() -> rx.Component:
    return _rows(
        "Not imported: the first rows, with the reason",
        [column("Row"), column("Why"), column("What it says")],
        rx.foreach(ImportState.refused, _refused_row),
    )


def _refused_row(found: ObjectVar[RefusedRow]) -> rx.Component:
    return row(
        cell(found.row, label="Row", number=True),
        cell(
            rx.el.span(
                rx.el.strong(found.kind), as_text(". ") + as_text(found.reason), class_name="cs-wizard-reason"
            ),
            label="Why",
        ),
        cell(rx.el.span(found.cells, class_name="cs-wizard-clip"), label="What it says"),
        key=found.row,
    )


def _working() -> rx.Component:
    tally = record(ImportState.tally, Tally)
    return rx.el.div(
        _file_line(),
        rx.el.div(
            rx.progress(value=tally.percent, aria_label="Import"),
            rx.el.span(
                tally.done.to(str) + as_text(" of ") + tally.total.to(str) + as_text(" rows"),
                class_name="cs-help cs-number",
            ),
            role="status",
            class_name="cs-wizard-progress",
        ),
        rx.el.p("You can go on to the next step: the import does not need this page.", class_name="cs-help"),
        _counts(tally),
        rx.el.div(
            secondary_button("Stop the import", on_click=ImportState.give_up, icon="square"),
            class_name="cs-wizard-buttons",
        ),
        class_name="cs-wizard-fields cs-wizard-wide",
    )


def _failed() -> rx.Component:
    tally = record(ImportState.tally, Tally)
    return rx.el.div(
        _file_line(),
        banner(tally.note, kind="danger", title="The import stopped"),
        _counts(tally),
        rx.el.div(
            secondary_button("Use another file", on_click=ImportState.give_up),
            primary_button("Go on with the import", on_click=ImportState.start, busy=ImportState.saving),
            class_name="cs-wizard-buttons",
        ),
        class_name="cs-wizard-fields cs-wizard-wide",
    )


def _done() -> rx.Component:
    tally = record(ImportState.tally, Tally)
    skipped = tally.rejected.to(int) + tally.duplicates.to(int) + tally.suppressed.to(int)
    return rx.el.div(
        _file_line(),
        banner(
            tally.accepted.to(str)
            + as_text(
                choose(
                    tally.accepted.to(int) == 1,
                    " contact is now in the campaign.",
                    " contacts are now in the campaign.",
                )
            ),
            kind="success",
            title="Imported",
        ),
        _counts(tally),
        rx.el.div(
            rx.cond(
                (skipped > 0) & allows(Right.EXPORT),
                download_link(
                    "Download the rows that did not go in",
                    href=rx.Var.create(routes.download_not_imported(here(), ImportState.import_id)).to(str),
                ),
            ),
            secondary_button("Upload another file", on_click=ImportState.give_up, icon="file-up"),
            class_name="cs-wizard-buttons",
        ),
        class_name="cs-wizard-fields cs-wizard-wide",
    )
