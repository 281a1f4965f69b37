"""The panel of a file: upload it, map its columns, preview the import, run it."""

from collections.abc import Sequence
from typing import Any, Final

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.domain.contact_fields import IGNORE
from app.domain.rights import Right
from app.services.tabular.refusals import MAX_FILE_BYTES, MEGABYTE
from app.web import routes
from app.web.components import (
    banner,
    cell,
    column,
    data_table,
    download_link,
    error_of,
    field_error,
    field_form,
    form_field,
    glyph,
    lead_cell,
    link_button,
    panel,
    primary_button,
    record,
    row,
    secondary_button,
    select_input,
    spinner_text,
    text_area,
    unboxed_errors,
    upload_zone,
)
from app.web.components.kinds import as_text, choose, flag_word
from app.web.forms import error_key
from app.web.imports.incoming import KINDS_OF_FILES
from app.web.imports.parts.preview import counts_of, preview_of
from app.web.imports.parts.zones import people_by_zone
from app.web.imports.presenter import TARGETS, ColumnRow, Tally
from app.web.imports.state import ZONE, ImportState
from app.web.session import allows, here

FILES: Final[dict[str, Sequence[Any]]] = {
    "text/csv": [".csv"],
    "text/plain": [".txt"],
    "text/tab-separated-values": [".tsv"],
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": [".xlsx"],
    "application/json": [".json"],
}
"""The types that the browser accepts. The content of the file decides its format."""


def file_panel() -> rx.Component:
    """Return the panel, by the stage of the file."""
    return panel(
        rx.match(
            ImportState.stage,
            ("reading", _reading()),
            ("uploaded", _uploaded()),
            ("working", _working()),
            ("failed", _failed()),
            ("done", _done()),
            rx.el.div(_zone(), _paste(), class_name="cs-wizard-fields cs-wizard-wide"),
        ),
        title="Upload or paste a list",
        description=f"A {KINDS_OF_FILES} file, or rows copied from a spreadsheet, one person each. "
        "Duplicates are skipped and counted.",
        actions=[
            _file_to_keep("CSV template", "contacts-template.csv"),
            _file_to_keep("XLSX example", "example-contacts.xlsx"),
            _file_to_keep("JSON example", "example-contacts.json"),
        ],
    )


def _file_to_keep(label: str, name: str) -> rx.Component:
    return rx.el.a(
        glyph("download", size=15),
        label,
        href=f"/{name}",
        download=name,
        reload_document=True,  # Otherwise the router would look for a page at this address.
        class_name="cs-wizard-download",
    )


def _zone() -> rx.Component:
    return upload_zone(
        upload_id=ZONE,
        accept=FILES,
        title=f"Drop a {KINDS_OF_FILES} file here, or click to choose one",
        on_reject=ImportState.refuse,
        on_drop=ImportState.receive(
            rx.upload_files(upload_id=ZONE, on_upload_progress=ImportState.count_upload)
        ),
        busy=ImportState.uploading,
        percent=ImportState.percent,
        hint=f"Up to {MAX_FILE_BYTES // MEGABYTE} MB. Needs a phone number column; every other column can be used "
        "in messages.",
        error=error_of(ImportState, ZONE),
        on_cancel=[rx.cancel_upload(ZONE), ImportState.end_upload],
        max_bytes=MAX_FILE_BYTES,
    )


def _paste() -> rx.Component:
    error = error_of(ImportState, "text")
    return field_form(
        form_field(
            text_area(
                name="text",
                placeholder="+1 202 555 0143, Jane Smith",
                error=error,
                rows=4,
                record=ImportState.round,
            ),
            name="text",
            label="Or paste a list",
            help_text="Rows copied from a spreadsheet, or one number a line.",
            error=error,
        ),
        rx.el.div(
            rx.button(
                glyph("clipboard-paste"),
                "Use this list",
                type="submit",
                variant="surface",
                color_scheme="gray",
                loading=ImportState.saving,
            ),
            class_name="cs-wizard-buttons",
        ),
        state=ImportState,
        on_submit=ImportState.paste,
        class_name="cs-wizard-fields cs-wizard-wide",
    )


def _reading() -> rx.Component:
    return rx.el.div(
        _file_line(),
        spinner_text("The file is being read"),
        rx.el.p(
            "Its columns show up here as soon as it has been read. You can leave this page meanwhile.",
            class_name="cs-help",
        ),
        rx.el.div(
            secondary_button("Use another file", on_click=ImportState.give_up),
            class_name="cs-wizard-buttons",
        ),
        class_name="cs-wizard-fields cs-wizard-wide",
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
        unboxed_errors(ImportState),
        _file_line(),
        rx.cond(ImportState.sheets.length() > 1, _sheet()),
        _columns(),
        field_error("mapping", error_of(ImportState, "mapping")),
        rx.cond(ImportState.looking, spinner_text("Looking through the file"), preview_of(tally)),
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


def _sheet() -> rx.Component:
    error = error_of(ImportState, "sheet")
    return form_field(
        select_input(
            name="sheet",
            options=rx.foreach(ImportState.sheets, lambda name: rx.el.option(name, value=name)),
            value=ImportState.sheet,
            on_change=ImportState.use_sheet,
            disabled=ImportState.looking,
            error=error,
        ),
        name="sheet",
        label="Sheet",
        error=error,
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
        rx.cond(
            found.error != "",
            rx.el.p(
                found.error,
                role="alert",
                class_name="cs-error",
                data_error_of=as_text(error_key(ImportState.__name__, "mapping.")) + as_text(found.header),
            ),
        ),
        class_name="cs-wizard-target",
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
            rx.cond(tally.pace != "", rx.el.span(tally.pace, class_name="cs-help cs-number")),
            role="status",
            class_name="cs-wizard-progress",
        ),
        rx.el.p("You can go on meanwhile: the import does not need this page.", class_name="cs-help"),
        counts_of(tally),
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
        counts_of(tally),
        rx.el.div(
            secondary_button("Use another file", on_click=ImportState.give_up),
            rx.cond(
                ImportState.columns.length() > 0,
                primary_button("Go on with the import", on_click=ImportState.start, busy=ImportState.saving),
            ),
            class_name="cs-wizard-buttons",
        ),
        class_name="cs-wizard-fields cs-wizard-wide",
    )


def _done() -> rx.Component:
    tally = record(ImportState.tally, Tally)
    skipped = tally.rejected.to(int) + tally.duplicates.to(int) + tally.suppressed.to(int)
    are_now = as_text(choose(tally.accepted.to(int) == 1, " contact is", " contacts are"))
    where = as_text(choose(ImportState.into_campaign, " now in the campaign.", " now in the address book."))
    return rx.el.div(
        _file_line(),
        banner(tally.accepted.to(str) + are_now + where, kind="success", title="Imported"),
        counts_of(tally),
        people_by_zone(),
        rx.el.div(
            rx.cond(
                (skipped > 0) & allows(Right.EXPORT),
                download_link(
                    "Download the rows that did not go in",
                    href=rx.Var.create(routes.download_not_imported(here(), ImportState.import_id)).to(str),
                ),
            ),
            rx.cond(
                ~ImportState.into_campaign,
                link_button(
                    "See the import",
                    icon="file-check-2",
                    href=routes.import_sheet(here(), ImportState.import_id),
                ),
            ),
            secondary_button("Upload another file", on_click=ImportState.give_up, icon="file-up"),
            class_name="cs-wizard-buttons",
        ),
        class_name="cs-wizard-fields cs-wizard-wide",
    )


def import_words(accepted: rx.Var[int]) -> rx.Var[str]:
    """Return "Import 3 contacts"."""
    noun = as_text(choose(accepted.to(int) == 1, " contact", " contacts"))
    return as_text("Import ") + accepted.to(str) + noun
