"""Lists as tables: headers that sort, rows that turn into cards on a phone, pages, the other states."""

from typing import Literal

import reflex as rx

from app.web.components.feedback import empty_state, error_state
from app.web.components.icons import glyph
from app.web.components.kinds import Child, Click, Count, Flag, Text, as_text, choose, flag_word, present

Narrow = Literal["cards", "scroll"]
Align = Literal["start", "end"]


def data_table(
    *,
    label: Text,
    head: list[rx.Component],
    rows: Child,
    narrow: Narrow = "cards",
    busy: Flag = False,
) -> rx.Component:
    """Return a table named `label`; while `busy` its old rows stay, dimmed.

    Below 640 px its rows become cards, or it scrolls within itself with its first column held (`scroll`): the
    page never scrolls sideways.
    """
    return rx.el.div(
        rx.el.table(
            rx.el.caption(label, class_name="cs-hidden"),
            rx.el.thead(rx.el.tr(*head, role="row"), role="rowgroup"),
            rx.el.tbody(rows, role="rowgroup"),
            role="table",
            class_name="cs-table",
            data_narrow=narrow,
        ),
        aria_busy=busy,
        class_name="cs-table-wrap",
    )


def column(
    label: Text, *, align: Align = "start", hidden_label: bool = False, wide_only: bool = False
) -> rx.Component:
    """Return the head of a column that does not sort; `hidden_label` for one of actions or ticks.

    `wide_only`, as of its cells: left out where the table would scroll sideways.
    """
    return rx.el.th(
        rx.el.span(label, class_name="cs-hidden" if hidden_label else ""),
        scope="col",
        role="columnheader",
        data_align=align,
        data_wide_only=flag_word(wide_only),
    )


def sortable_column(
    label: Text,
    *,
    key: str,
    sorted_by: Text,
    descending: Flag,
    on_sort: Click,
    align: Align = "start",
) -> rx.Component:
    """Return the head of a column that sorts; `on_sort` is already bound to it (`S.sort_by("name")`)."""
    current = as_text(sorted_by) == key
    return rx.el.th(
        rx.el.button(
            label,
            rx.cond(
                current,
                rx.cond(
                    descending,
                    glyph("arrow-down", size=14),
                    glyph("arrow-up", size=14),
                ),
                glyph("chevrons-up-down", size=14, class_name="cs-sort-idle"),
            ),
            type="button",
            on_click=on_sort,
            class_name="cs-sort",
        ),
        scope="col",
        role="columnheader",
        aria_sort=choose(current, choose(descending, "descending", "ascending"), "none"),
        data_align=align,
    )


def row(*cells: rx.Component, key: Text | rx.Var[int], selected: Flag = False) -> rx.Component:
    """Return a row; `key` is its record's id, so that a live update moves no focus."""
    return rx.el.tr(*cells, key=key, role="row", data_selected=flag_word(selected))


def cell(
    *children: Child, label: str = "", align: Align = "start", number: bool = False, wide_only: bool = False
) -> rx.Component:
    """Return a cell; `label` (the column's) stands before the value when rows are cards."""
    return rx.el.td(
        *children,
        role="cell",
        data_label=label,
        data_align=align,
        data_wide_only=flag_word(wide_only),
        class_name="cs-number" if number else "",
    )


def lead_cell(*children: Child, note: Child | None = None) -> rx.Component:
    """Return a row's first cell: what the row is about, and a quieter line; a card's title."""
    return rx.el.th(
        rx.el.div(*children, class_name="cs-lead"),
        rx.el.div(note, class_name="cs-lead-note") if note is not None else rx.fragment(),
        scope="row",
        role="rowheader",
    )


def actions_cell(*children: Child) -> rx.Component:
    """Return the cell of a row's actions, at its end."""
    return rx.el.td(
        rx.el.div(*children, class_name="cs-row-actions"), role="cell", data_align="end", data_actions="true"
    )


def table_states(
    table: Child,
    *,
    loading: Flag,
    problem: Text,
    is_empty: Flag,
    empty: rx.Component,
    on_retry: Click,
) -> rx.Component:
    """Return the table; in its place while loading, on an error, or with no rows, the state that says so."""
    return rx.cond(
        present(problem),
        error_state(problem, on_retry=on_retry),
        rx.cond(loading, table_skeleton(), rx.cond(is_empty, empty, table)),
    )


def table_skeleton(rows: int = 6) -> rx.Component:
    """Return grey rows for the first load."""
    return rx.el.div(
        rx.el.span("Loading", class_name="cs-hidden", role="status"),
        *[
            rx.el.div(
                rx.el.span(class_name="cs-skeleton cs-skeleton-title"),
                rx.el.span(class_name="cs-skeleton cs-skeleton-pill"),
                rx.el.span(class_name="cs-skeleton cs-skeleton-line"),
                class_name="cs-skeleton-row",
            )
            for _ in range(rows)
        ],
        class_name="cs-skeleton-rows",
    )


def no_matches(*, on_clear: Click) -> rx.Component:
    """Return the empty state of a list that filters emptied."""
    return empty_state(
        icon="search-x",
        title="Nothing matches",
        sentence="No row fits this search and these filters.",
        action=rx.button("Clear filters", on_click=on_clear, variant="soft", type="button"),
    )


def pagination_bar(
    *,
    text: Text,
    page: Count,
    pages: Count,
    on_previous: Click,
    on_next: Click,
    label: str = "Pages",
    clock: str = "",
) -> rx.Component:
    """Return which rows these are (`text`, worded by the server) and links to other pages; `page` counts from 1.

    `clock`: whose clock the times of the rows are on, in words.
    """
    current, last = rx.Var.create(page).to(int), rx.Var.create(pages).to(int)
    return rx.el.nav(
        _which(text, clock),
        rx.el.div(
            _page_button("Previous", "chevron-left", on_previous, disabled=current <= 1),
            rx.el.span("Page ", current, " of ", last, class_name="cs-number cs-page-of"),
            _page_button("Next", "chevron-right", on_next, disabled=current >= last),
            class_name="cs-pages",
        ),
        aria_label=label,
        class_name="cs-pagination",
    )


def cursor_bar(
    *,
    text: Text,
    has_previous: Flag,
    has_next: Flag,
    on_previous: Click,
    on_next: Click,
    label: str = "Pages",
    clock: str = "",
) -> rx.Component:
    """Return which rows these are and links to the next and previous page, for a list without page numbers.

    `clock`: as in `pagination_bar`.
    """
    return rx.el.nav(
        _which(text, clock),
        rx.el.div(
            _page_button(
                "Previous", "chevron-left", on_previous, disabled=~rx.Var.create(has_previous).to(bool)
            ),
            _page_button("Next", "chevron-right", on_next, disabled=~rx.Var.create(has_next).to(bool)),
            class_name="cs-pages",
        ),
        aria_label=label,
        class_name="cs-pagination",
    )


def _which(text: Text, clock: str) -> rx.Component:
    return rx.el.div(
        rx.el.span(text, class_name="cs-number", role="status"),
        rx.el.span(f"Times are on {clock}.", class_name="cs-clock") if clock else rx.fragment(),
        class_name="cs-which",
    )


def _page_button(label: str, icon: str, on_click: Click, *, disabled: Flag) -> rx.Component:
    return rx.icon_button(
        glyph(icon, size=16),
        on_click=on_click,
        disabled=disabled,
        variant="soft",
        color_scheme="gray",
        type="button",
        aria_label=f"{label} page",
    )
