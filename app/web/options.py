"""What choice boxes offer: options of a state, and long lists that are drawn from one array."""

from dataclasses import dataclass

import reflex as rx
from reflex.vars import ObjectVar

from app.domain.time_zones import known_zones
from app.web.components.kinds import FieldError, Flag, Text, as_text, flag_word, present
from app.web.places import countries


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose, or to tick."""

    value: str
    """What a form sends: the value of a choice box, or the name of a tick box."""
    words: str
    """What the page shows."""
    ticked: bool = False
    """Of a tick box: whether it is ticked at first."""


def draw_option(option: ObjectVar[Option]) -> rx.Component:
    """Return the entry of a choice box, for `rx.foreach`."""
    return rx.el.option(option.words, value=option.value)


def countries_with(none: str | None = None) -> rx.Component:
    """Return an option for every country; before them an empty one that says `none`."""
    return _options(countries(), none)


def time_zone_input(
    *,
    default_value: Text,
    error: FieldError,
    placeholder: str = "Type a city: Chicago",
    disabled: Flag = False,
    record: Text | rx.Var[int] = "",
) -> rx.Component:
    """Return the box that offers the zones with the letters typed; its name and id are `time_zone`."""
    return rx.fragment(
        rx.el.input(
            id="time_zone",
            key=as_text("time_zone-") + as_text(record),
            name="time_zone",
            list="time-zones",
            default_value=default_value,
            placeholder=placeholder,
            disabled=disabled,
            auto_complete="off",
            spell_check=False,
            aria_invalid=flag_word(present(error.text)),
            aria_describedby="time_zone-help time_zone-error",
            class_name="cs-input",
        ),
        zone_list(),
    )


def zone_list() -> rx.Component:
    """Return the zones that boxes with `list="time-zones"` offer."""
    zones: rx.Var[list[str]] = rx.Var.create(list(known_zones()))
    return rx.el.datalist(rx.foreach(zones, lambda zone: rx.el.option(value=zone)), id="time-zones")


def _options(choices: list[tuple[str, str]], none: str | None) -> rx.Component:
    rows: rx.Var[list[list[str]]] = rx.Var.create([list(choice) for choice in choices])
    return rx.fragment(
        rx.el.option(none, value="") if none is not None else rx.fragment(),
        rx.foreach(rows, lambda choice: rx.el.option(choice[1], value=choice[0])),
    )
