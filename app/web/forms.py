"""Reading a form as the browser sends it, and telling what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_MOST_DIGITS: Final = 18
"""Of a number that fits a bigint."""


@dataclass(frozen=True, slots=True)
class FormProblem:
    """What is wrong with one setting."""

    key: str
    """Which one, as `error_key` names it."""
    setting: str
    """Which one, in words."""
    reason: str


def error_key(state: str, path: str) -> str:
    """Return what ties an error to the box that shows it: the form's state and the field's path."""
    return f"{state}/{path}"


def setting_words(path: str) -> str:
    """Return a field's path in words: "Breaker: hang up rate" for `breaker.hang_up_rate`."""
    *groups, last = (part.replace("_", " ").removesuffix(" id").strip() for part in path.split("."))
    words = ": ".join([*groups, last])
    return words[:1].upper() + words[1:]


def as_shown(sent: Any) -> Any:
    """Return a form with the boxes that its page shows; anything but a form as it is.

    Reflex sends null for each box that the page could show and does not: a null is no value.
    """
    if not isinstance(sent, dict):
        return sent
    return {name: value for name, value in sent.items() if value is not None}


def written(form: Mapping[str, Any], name: str) -> str:
    """Return what was written in a field, trimmed; empty without it."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def ticked(form: Mapping[str, Any], name: str) -> bool:
    """Tell whether a box was ticked."""
    return form.get(name) in {True, "on", "true"}


def chosen_id(form: Mapping[str, Any], name: str) -> int | None:
    """Return the id chosen in a choice box; None for its empty entry."""
    return whole(written(form, name))


def whole(text: str) -> int | None:
    """Return the whole number that a text is, if a column of ids can hold it; else None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None
