"""Long lists of options for choice boxes, drawn from one array instead of a component each."""

import reflex as rx
from reflex.vars import ArrayVar

from app.web.places import countries, time_zones


def countries_with(none: str | None = None) -> rx.Component:
    """Return an option for every country; before them an empty one that says `none`."""
    return _options(countries(), none)


def time_zones_with(none: str | None = None) -> rx.Component:
    """Return an option for every time zone; before them an empty one that says `none`."""
    return _options(time_zones(), none)


def _options(choices: list[tuple[str, str]], none: str | None) -> rx.Component:
    rows: rx.Var[list[list[str]]] = rx.Var.create([list(choice) for choice in choices])
    return rx.fragment(
        rx.el.option(none, value="") if none is not None else rx.fragment(), rx.foreach(rows, _option)
    )


def _option(choice: ArrayVar[list[str]]) -> rx.Component:
    return rx.el.option(choice[1], value=choice[0])
