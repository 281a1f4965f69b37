"""The bar of a bulk change under way, and the sheet of all."""

from collections.abc import Mapping
from typing import Final

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.bulk_change import BulkStatus
from app.domain.rights import Right
from app.web.components import badge, drawer, empty_state, time_text
from app.web.components.kinds import as_text, choose, present
from app.web.pages.contacts.bulk_history_state import BulkHistoryState, BulkLine
from app.web.session import allows
from app.web.words import Moment


def under_way_bar() -> rx.Component:
    """Return how far a bulk change is, while one is under way."""
    return rx.cond(
        present(BulkHistoryState.under_way),
        rx.el.div(
            badge("Under way", tone="indigo", icon="loader", live=True),
            rx.el.span(BulkHistoryState.under_way, role="status", class_name="cs-number cs-words"),
            rx.button("See it", on_click=BulkHistoryState.open, variant="ghost", size="1", type="button"),
            class_name="cs-conditions",
        ),
    )


def bulk_history_sheet() -> rx.Component:
    """Return the sheet, closed until it is asked for."""
    return drawer(
        rx.cond(
            BulkHistoryState.lines.length() > 0,
            rx.el.ul(rx.foreach(BulkHistoryState.lines, _line), class_name="cs-card-entries"),
            empty_state(
                icon="history",
                title="No bulk changes yet",
                sentence="Tick people in the list to tag, untag, block or delete them together. Each change is "
                "recorded here, with its result.",
            ),
        ),
        is_open=BulkHistoryState.is_open,
        on_open_change=BulkHistoryState.set_open,
        title="Bulk changes",
        sentence="Changes to many people at once, newest first.",
    )


def _line(line: ObjectVar[BulkLine]) -> rx.Component:
    at: ObjectVar[Moment] = line.at.to(Moment)
    return rx.el.li(
        rx.el.div(
            rx.el.strong(line.title, class_name="cs-words"),
            rx.el.div(
                rx.el.span(
                    rx.match(
                        line.status,
                        *[(status.value, look) for status, look in _BADGES.items()],
                        rx.fragment(),
                    )
                ),
                rx.cond(
                    allows(Right.EDIT_CONTACTS) & (line.status == BulkStatus.RUNNING.value),
                    rx.button(
                        "Cancel",
                        on_click=BulkHistoryState.cancel(line.id),
                        variant="ghost",
                        color_scheme="gray",
                        size="1",
                        type="button",
                        aria_label=as_text("Cancel: ") + as_text(line.title),
                    ),
                ),
                class_name="cs-audience-state",
            ),
            class_name="cs-card-entry-head",
        ),
        rx.el.p(line.whom, class_name="cs-words"),
        rx.el.p(
            line.result,
            choose(present(line.refused), as_text(": ") + as_text(line.refused), ""),
            class_name="cs-card-entry-note cs-number cs-words",
        ),
        rx.el.p(
            time_text(at.text, zone=at.zone, iso=at.iso),
            choose(present(line.by), as_text(" ") + as_text(line.by), ""),
            class_name="cs-card-entry-note",
        ),
    )


_BADGES: Final[Mapping[BulkStatus, rx.Component]] = {
    BulkStatus.RUNNING: badge("Under way", tone="indigo", icon="loader", live=True),
    BulkStatus.COMPLETED: badge("Done", tone="green", icon="check"),
    BulkStatus.CANCELLED: badge("Cancelled", tone="gray", icon="ban"),
}
