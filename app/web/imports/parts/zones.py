"""Where the people of a file may be, and what words of its time zone column mean."""

from typing import Final

import reflex as rx
from reflex.vars import ObjectVar

from app.web.components import cell, column, data_table, lead_cell, row
from app.web.components.kinds import as_text, flag_word, present
from app.web.forms import error_key
from app.web.imports.presenter import ZoneWordRow
from app.web.imports.state import ImportState
from app.web.options import zone_list
from app.web.zone_words import ZoneLine

_USE: Final = "use-zones"


def people_by_zone() -> rx.Component:
    """Return how many people are in which zone, in several, or in none that is known."""
    return rx.cond(
        ImportState.zones.length() > 0,
        rx.el.div(
            rx.el.h3("Where they are", class_name="cs-wizard-heading"),
            rx.el.div(
                data_table(
                    label="People by time zone",
                    head=[column("Time zone"), column("People")],
                    rows=rx.foreach(ImportState.zones, _zone_line),
                ),
                class_name="cs-wizard-frame",
            ),
        ),
    )


def _zone_line(line: ObjectVar[ZoneLine]) -> rx.Component:
    return row(lead_cell(line.where), cell(line.people, label="People", number=True), key=line.where)


def zone_questions() -> rx.Component:
    """Return the words that are no time zones: each with the zone that is probably meant, to be confirmed."""
    return rx.cond(
        ImportState.zone_words.length() > 0,
        rx.el.div(
            rx.el.h3("What the time zone column says", class_name="cs-wizard-heading"),
            rx.el.p(
                "These are no time zones. Unless you confirm what they mean, they are left out: then state, postcode "
                "or phone number tell where the person is.",
                class_name="cs-help",
            ),
            rx.el.div(
                data_table(
                    label="Words of the time zone column and what they mean",
                    head=[column("In the file"), column("Rows"), column("Time zone")],
                    rows=rx.foreach(ImportState.zone_words, _word),
                ),
                class_name="cs-wizard-frame",
            ),
            zone_list(),
            rx.cond(ImportState.zones_asked, _use()),
            class_name="cs-wizard-fields cs-wizard-wide",
        ),
    )


def _use() -> rx.Component:
    return rx.el.div(
        rx.el.input(
            id=_USE,
            type="checkbox",
            checked=ImportState.zones_used,
            on_change=ImportState.use_zones,
            class_name="cs-checkbox",
        ),
        rx.el.label("Use these zones", html_for=_USE),
        class_name="cs-check",
    )


def _word(found: ObjectVar[ZoneWordRow]) -> rx.Component:
    return row(
        lead_cell(found.word),
        cell(found.people, label="Rows", number=True),
        cell(
            rx.cond(
                found.asked,
                rx.el.div(_box(found), class_name="cs-wizard-target"),
                rx.el.span(found.message, class_name="cs-wizard-reason", data_tone="amber"),
            ),
            label="Time zone",
        ),
        key=found.word,
    )


def _box(found: ObjectVar[ZoneWordRow]) -> rx.Component:
    return rx.fragment(
        rx.el.input(
            list="time-zones",
            default_value=found.zone,
            key=as_text(found.word) + as_text(found.zone),
            on_blur=ImportState.name_zone(found.word),
            aria_label=as_text("Time zone meant by ") + as_text(found.word),
            aria_invalid=flag_word(present(found.error)),
            auto_complete="off",
            spell_check=False,
            class_name="cs-input",
        ),
        rx.cond(
            present(found.error),
            rx.el.p(
                found.error,
                role="alert",
                class_name="cs-error",
                data_error_of=as_text(error_key(ImportState.__name__, "time_zone_words."))
                + as_text(found.word),
            ),
        ),
    )
