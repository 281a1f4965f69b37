"""What a list's page draws of its state: the rows or what stands in their place, pages, search, sortable columns."""

import reflex as rx

from app.web.components import (
    no_matches,
    pagination_bar,
    record,
    search_field,
    sortable_column,
    table_states,
)
from app.web.listing import ListQuery, PagedList, SearchedList, SortedList


def list_states(state: type[PagedList], table: rx.Component, *, none_yet: rx.Component) -> rx.Component:
    """Return the table, or why it is not there: loading, an error, filters that nothing fits, nothing yet."""
    empty = none_yet
    if issubclass(state, SearchedList):
        empty = rx.fragment(rx.cond(state.is_filtered, no_matches(on_clear=state.clear), none_yet))
    return table_states(
        table,
        loading=state.loading,
        problem=state.problem,
        is_empty=state.rows.length() == 0,
        empty=empty,
        on_retry=state.load,
    )


def list_pages(state: type[PagedList], *, clock: str = "") -> rx.Component:
    """Return which rows these are, of which page, and the way to its neighbours.

    `clock`: whose clock the times of the rows are on, in words.
    """
    return pagination_bar(
        text=state.range_text,
        page=record(state.query, ListQuery).page,
        pages=state.pages,
        on_previous=state.turn_page(-1),
        on_next=state.turn_page(1),
        clock=clock,
    )


def list_search(state: type[SearchedList], label: str, placeholder: str | None = None) -> rx.Component:
    """Return the list's search box."""
    query = record(state.query, ListQuery)
    return search_field(value=query.search, on_change=state.find, label=label, placeholder=placeholder)


def list_column(state: type[SortedList], label: str, key: str) -> rx.Component:
    """Return the head of a column that sorts the list by `key`."""
    query = record(state.query, ListQuery)
    return sortable_column(
        label, key=key, sorted_by=query.sort, descending=query.descending, on_sort=state.sort_by(key)
    )
