"""Selecting rows of a list, or all that match on all pages; and the bar with the actions on them."""

from typing import Any

import reflex as rx
from reflex.vars import NumberVar, ObjectVar, StringVar

from app.domain.rights import Right
from app.web.components import choose
from app.web.components.kinds import Child, Click, Text, as_text
from app.web.guard import PageState, anyone, guarded
from app.web.visit import Visit


class Ticking(PageState, mixin=True):
    """The selected rows. `_on_page` returns the rows that are shown."""

    ids: rx.Field[list[int]] = rx.field(default_factory=list)
    all_matching: rx.Field[bool] = rx.field(False)
    """All contacts that match the search and filter are selected, on all pages."""
    asking: rx.Field[str] = rx.field("")
    """The action that a dialog asks about; empty if no dialog is open."""

    @anyone
    def tick(self, row_id: int) -> None:
        """Select or deselect one row."""
        self.all_matching = False
        others = [one for one in self.ids if one != row_id]
        self.ids = others if row_id in self.ids else [*others, row_id]

    @guarded(Right.VIEW)
    async def tick_page(self, visit: Visit) -> None:
        """Select all rows on the page, or deselect all if they are selected."""
        del visit
        page = await self._on_page()
        self.all_matching = False
        self.ids = [] if set(page) <= set(self.ids) else list(dict.fromkeys([*self.ids, *page]))

    @anyone
    def tick_all(self) -> None:
        """Select all that match, on all pages."""
        self.all_matching = True

    @anyone
    def untick(self) -> None:
        """Deselect all."""
        self.ids, self.all_matching, self.asking = [], False, ""

    async def _on_page(self) -> list[int]:
        """Return the ids of the rows that are shown."""
        raise NotImplementedError


def is_ticked(state: type[Ticking], row_id: Any) -> rx.Var[bool]:
    """Tell whether a row is selected."""
    return state.all_matching | state.ids.contains(row_id)


def tick_head(state: type[Ticking], *, on_page: NumberVar[int]) -> rx.Component:
    """Return the header cell with the checkbox for the whole page. `on_page`: how many rows it has."""
    return rx.el.th(
        rx.el.input(
            type="checkbox",
            checked=state.all_matching | (state.ids.length() >= on_page),
            on_change=state.tick_page,
            aria_label="Select this page",
            class_name="cs-checkbox",
        ),
        scope="col",
        role="columnheader",
        class_name="cs-tick-cell",
    )


def tick_cell(state: type[Ticking], row_id: rx.Var[int] | ObjectVar[int], name: Text) -> rx.Component:
    """Return the cell with the checkbox of one row."""
    return rx.el.td(
        rx.el.input(
            type="checkbox",
            checked=is_ticked(state, row_id),
            on_change=state.tick(row_id),
            aria_label=as_text("Select ") + as_text(name),
            class_name="cs-checkbox",
        ),
        role="cell",
        class_name="cs-tick-cell",
    )


def how_many(state: type[Ticking], everybody: Text) -> StringVar[str]:
    """Return how many are selected. `everybody`: how many match."""
    return as_text(choose(state.all_matching, as_text(everybody), state.ids.length().to(str)))


def whom(state: type[Ticking], everybody: Text) -> StringVar[str]:
    """Return "1 contact" or "25 contacts" for those selected, for the title of a dialog."""
    chosen = how_many(state, everybody)
    return chosen + as_text(choose(chosen == "1", " contact", " contacts"))


def ticked_bar(
    state: type[Ticking], *actions: Child, everybody: Text, has_more: rx.Var[bool], is_shown: rx.Var[bool]
) -> rx.Component:
    """Return the bar that is shown while rows are selected, with their number, "all", "none" and the actions.

    It stays at the bottom of the window, so that selecting moves no row. Put it after the list.
    """
    chosen = state.all_matching | (state.ids.length() > 0)
    return rx.cond(
        chosen & is_shown,
        rx.el.div(
            rx.el.strong(how_many(state, everybody), " selected", class_name="cs-number", role="status"),
            rx.cond(
                ~state.all_matching & has_more,
                _quiet(as_text("Select all ") + as_text(everybody) + " that match", state.tick_all),
            ),
            _quiet("Clear selection", state.untick),
            rx.el.div(*actions, class_name="cs-toolbar-end"),
            role="group",
            aria_label="Selected people",
            class_name="cs-bulk",
        ),
    )


def bar_action(label: str, on_click: Click, *, danger: bool = False) -> rx.Component:
    """Return the button of one action on the selected rows."""
    return rx.button(
        label,
        on_click=on_click,
        variant="surface",
        color_scheme="red" if danger else "gray",
        size="1",
        type="button",
    )


def _quiet(label: Text, on_click: Click) -> rx.Component:
    return rx.button(label, on_click=on_click, variant="ghost", size="1", type="button")
