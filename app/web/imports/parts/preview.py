"""The preview of an import: its counts, the first rows of each class, and the message to three contacts."""

import reflex as rx
from reflex.vars import ObjectVar

from app.web.components import cell, column, data_table, phone_text, row
from app.web.components.kinds import as_text, choose
from app.web.imports.parts.zones import people_by_zone, zone_questions
from app.web.imports.presenter import AcceptedRow, RefusedRow, SampleRow, Tally
from app.web.imports.state import ImportState


def preview_of(tally: ObjectVar[Tally]) -> rx.Component:
    """Return the counts, the first rows of each class, and the message to three contacts."""
    return rx.cond(
        tally.done.to(int) > 0,
        rx.el.div(
            counts_of(tally),
            rx.cond(tally.note != "", rx.el.p(tally.note, class_name="cs-help")),
            zone_questions(),
            people_by_zone(),
            rx.cond(ImportState.samples.length() > 0, _said()),
            rx.cond(ImportState.accepted.length() > 0, _accepted()),
            rx.cond(
                ImportState.to_check.length() > 0,
                _refused(
                    "To check: imported, but look at them first",
                    rx.foreach(ImportState.to_check, _refused_row),
                ),
            ),
            rx.cond(
                ImportState.refused.length() > 0,
                _refused(
                    "Not imported: the first rows, with the reason",
                    rx.foreach(ImportState.refused, _refused_row),
                ),
            ),
            class_name="cs-wizard-fields cs-wizard-wide",
        ),
    )


def counts_of(tally: ObjectVar[Tally]) -> rx.Component:
    """Return the number of rows in each class."""
    return rx.el.dl(
        _count("Accepted", tally.accepted, "green"),
        _count("Rejected", tally.rejected, "red"),
        _count("Duplicates", tally.duplicates, "gray"),
        _count("Do not contact", tally.suppressed, "amber"),
        _count("To check", tally.warnings, "blue"),
        _count("Known already", tally.known, "blue"),
        _count("Opted out", tally.opted_out, "amber"),
        aria_live="polite",
        class_name="cs-wizard-counts",
    )


def _count(words: str, count: rx.Var[int], tone: str) -> rx.Component:
    return rx.el.div(
        rx.el.dt(words),
        rx.el.dd(count, class_name="cs-number"),
        data_tone=choose(count.to(int) > 0, tone, "none"),
    )


def _said() -> rx.Component:
    return rx.el.div(
        rx.el.h3("What the message will say", class_name="cs-wizard-heading"),
        rx.el.ul(rx.foreach(ImportState.samples, _sample), class_name="cs-wizard-said"),
    )


def _sample(sample: ObjectVar[SampleRow]) -> rx.Component:
    return rx.el.li(
        rx.el.span(sample.who, class_name="cs-help cs-number"),
        rx.cond(sample.said != "", rx.el.p(sample.said)),
        rx.cond(
            sample.problem != "", rx.el.p(sample.problem, class_name="cs-wizard-reason", data_tone="amber")
        ),
        key=sample.who,
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


def _refused(title: str, rows: rx.Component) -> rx.Component:
    return _rows(
        title,
        [column("Row"), column("Why"), column("What it says")],
        rows,
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
