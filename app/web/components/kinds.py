"""The types components take: a plain value, or a Var that holds one."""

from typing import Any, Literal

import reflex as rx
from reflex.event import EventType
from reflex.vars import StringVar

Text = str | rx.Var[str]
Flag = bool | rx.Var[bool]
Count = int | rx.Var[int]
Child = rx.Component | rx.Var[Any] | str

Click = EventType[()]
"""An event of no arguments: `S.save`, `S.remove(row.id)`."""
Change = EventType[str]
"""An event given the new text of a control."""
Toggle = EventType[bool]
"""An event given the new open or checked state of a control."""

Tone = Literal["gray", "blue", "indigo", "green", "amber", "orange", "red", "violet"]

InputType = Literal["date", "datetime-local", "email", "number", "password", "search", "tel", "text", "time", "url"]


def as_text(text: Text | rx.Var[int]) -> StringVar[str]:
    """Return the text as a Var, for joining and comparing."""
    return rx.Var.create(text).to(str)


def choose(condition: Flag, yes: Text, no: Text) -> rx.Var[str]:
    """Return the text `yes` while `condition` holds, else `no`: `rx.cond` for texts."""
    # mypy cannot read the overloads of `rx.cond` for Vars (literal strings as type variables).
    chosen: rx.Var[str] = rx.cond(condition, as_text(yes), as_text(no))  # type: ignore[call-overload]
    return chosen


def flag_word(condition: Flag) -> rx.Var[str]:
    """Return "true" or "false", as data attributes and ARIA states want it."""
    return choose(condition, "true", "false")
