"""The actions for the current filter, and the sheet of saved segments."""

from typing import Any

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.rights import Right
from app.web.components import (
    actions_menu,
    badge,
    choose,
    confirm_dialog,
    drawer,
    empty_state,
    error_of,
    form_actions,
    form_dialog,
    form_field,
    menu_item,
    secondary_button,
    stacked_form,
    submit_button,
    text_input,
)
from app.web.components.kinds import as_text, present
from app.web.pages.contacts.segments_state import SegmentLine, SegmentsState
from app.web.pages.contacts.state import ContactsState
from app.web.session import allows


def segment_actions() -> rx.Component:
    """Return which segment is shown, and the actions for the filter."""
    return rx.fragment(
        rx.cond(
            ContactsState.segment_id > 0,
            badge(
                as_text("Segment: ")
                + as_text(ContactsState.segment)
                + as_text(choose(ContactsState.is_changed, " (changed)", "")),
                tone="indigo",
                icon="bookmark",
            ),
        ),
        rx.cond(
            allows(Right.EDIT_CONTACTS) & (ContactsState.segment_id > 0) & ContactsState.is_changed,
            _quiet("Save changes", SegmentsState.save_changes),
        ),
        rx.cond(
            allows(Right.EDIT_CONTACTS)
            & ContactsState.is_filtered
            & ((ContactsState.segment_id == 0) | ContactsState.is_changed),
            _quiet("Save as a segment", SegmentsState.ask_to_save),
        ),
        _quiet("Clear", ContactsState.clear),
    )


def _quiet(label: str, on_click: Any) -> rx.Component:
    return rx.button(label, on_click=on_click, variant="ghost", size="1", type="button")


def segments_sheet() -> rx.Component:
    """Return the sheet and its questions."""
    return rx.fragment(
        drawer(
            rx.cond(
                SegmentsState.lines.length() > 0,
                rx.el.ul(rx.foreach(SegmentsState.lines, _segment), class_name="cs-card-entries"),
                empty_state(
                    icon="bookmark",
                    title="No segments yet",
                    sentence="Filter the list, then save the filter as a segment. People who match later are "
                    "included automatically.",
                ),
            ),
            is_open=SegmentsState.is_open,
            on_open_change=SegmentsState.set_open,
            title="Segments",
            sentence="Named filters of the address book.",
        ),
        _name_dialog(),
        confirm_dialog(
            is_open=SegmentsState.asking == "delete",
            on_open_change=SegmentsState.close,
            title=as_text("Delete the segment “") + as_text(SegmentsState.name) + "”?",
            sentence="Only the filter is deleted. Its people stay in the address book.",
            confirm_label="Delete segment",
            on_confirm=SegmentsState.delete,
            busy=SegmentsState.saving,
        ),
    )


def _segment(line: ObjectVar[SegmentLine]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.button(
                line.name, type="button", on_click=SegmentsState.use(line.id), class_name="cs-text-button"
            ),
            rx.el.div(
                rx.el.span(line.count, class_name="cs-quiet cs-number"),
                rx.cond(
                    allows(Right.EDIT_CONTACTS),
                    actions_menu(
                        menu_item("Rename", icon="pencil", on_select=SegmentsState.ask("rename", line.id)),
                        menu_item(
                            "Delete",
                            icon="trash-2",
                            danger=True,
                            on_select=SegmentsState.ask("delete", line.id),
                        ),
                        label=as_text("Actions for ") + as_text(line.name),
                    ),
                ),
                class_name="cs-audience-state",
            ),
            class_name="cs-card-entry-head",
        ),
        rx.el.p(line.rule, class_name="cs-card-entry-note"),
        rx.cond(present(line.campaigns), rx.el.p(line.campaigns, class_name="cs-card-entry-note")),
    )


def _name_dialog() -> rx.Component:
    error = error_of(SegmentsState, "name")
    is_new = SegmentsState.asking == "save"
    return form_dialog(
        stacked_form(
            form_field(
                text_input(
                    name="segment_name",
                    default_value=SegmentsState.name,
                    placeholder="Customers who never answered",
                    error=error,
                    required=True,
                    record=SegmentsState.version,
                ),
                name="segment_name",
                label="Name",
                error=error,
            ),
            form_actions(
                secondary_button("Go back", on_click=SegmentsState.close(False)),
                submit_button("Save segment", saving=SegmentsState.saving),
            ),
            state=SegmentsState,
            on_submit=SegmentsState.save,
        ),
        is_open=is_new | (SegmentsState.asking == "rename"),
        on_open_change=SegmentsState.close,
        title=choose(is_new, "Save as a segment", "Rename the segment"),
        sentence="A segment stores the filter, not the people. People who match later are included.",
    )
