"""The types components take: a plain value, or a Var that holds one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import reflex as rx
from reflex.event import EventCallback, EventSpec
from reflex.vars import BooleanVar, ObjectVar, StringVar

from app.web.forms import error_key

Text = str | rx.Var[str]
Flag = bool | rx.Var[bool]
Count = int | rx.Var[int]
Child = rx.Component | rx.Var[Any] | str

Event = EventSpec | EventCallback[*tuple[Any, ...]] | rx.Var[Any]
# Reflex's own `EventType` is an alias that mypy does not see through.
Click = Event | Sequence[Event]
"""An event of no arguments: `S.save`, `S.remove(row.id)`, or several of them."""
Change = Event | Sequence[Event]
"""An event given the new text of a control."""
Toggle = Event | Sequence[Event]
"""An event given the new open or checked state of a control."""
Submit = Event | Sequence[Event]
"""An event given a form's values by name; of a drop zone, the files."""

Tone = Literal["gray", "blue", "indigo", "green", "amber", "orange", "red", "violet"]

InputType = Literal[
    "date", "datetime-local", "email", "number", "password", "search", "tel", "text", "time", "url"
]


Record = TypeVar("Record")


def as_text(text: Text | rx.Var[int]) -> StringVar[str]:
    """Return the text as a Var, for joining and comparing."""
    return rx.Var.create(text).to(str)


def record(field: object, kind: type[Record]) -> ObjectVar[Record]:
    """Return a state's field of a dataclass as the typed Var it is: `record(S.progress, ProgressView)`."""
    if not isinstance(field, ObjectVar):
        raise TypeError(f"{field!r} holds no {kind.__name__}")
    return field


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with the value of one box; shown by `field_error`."""

    keys: Text
    """The errors it shows, as `error_key` names them, one per line."""
    text: StringVar[str]
    """Empty while nothing is wrong."""


def error_of(state: type[rx.State], *paths: str) -> FieldError:
    """Return the error of a box: that of its field paths in the `errors` of its form's state."""
    errors: ObjectVar[dict[str, str]] = getattr(state, "errors")  # noqa: B009  # a mixin's field, unknown to `rx.State`
    first, *others = [as_text(errors.get(path, "").to(str)) for path in paths]
    for other in others:
        first = first + other
    return FieldError("\n".join(error_key(state.__name__, path) for path in paths), first)


def present(text: Text) -> BooleanVar:
    """Return whether there is any text: not empty, and not the missing key of a dictionary."""
    return as_text(text).bool()


def choose(condition: Flag, yes: Text, no: Text) -> rx.Var[str]:
    """Return the text `yes` while `condition` holds, else `no`: `rx.cond` for texts."""
    # mypy cannot read the overloads of `rx.cond` for Vars (literal strings as type variables).
    chosen: rx.Var[str] = rx.cond(condition, as_text(yes), as_text(no))  # type: ignore[call-overload]
    return chosen


def flag_word(condition: Flag) -> rx.Var[str]:
    """Return "true" or "false", as data attributes and ARIA states want it."""
    return choose(condition, "true", "false")
