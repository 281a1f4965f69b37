"""Reads a form that the browser sends, and names its errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_MOST_DIGITS: Final = 18
"""The most digits of a number that always fits a bigint."""


@dataclass(frozen=True, slots=True)
class FormProblem:
    """An error in one setting of a form."""

    key: str
    """The setting, as `error_key` names it."""
    setting: str
    """The setting, in words."""
    reason: str


def error_key(state: str, path: str) -> str:
    """Return the key that connects an error with the box that shows it: the form's state and the field's path."""
    return f"{state}/{path}"


def setting_words(path: str) -> str:
    """Return a field's path in words: "Breaker: hang up rate" for `breaker.hang_up_rate`."""
    *groups, last = (part.replace("_", " ").removesuffix(" id").strip() for part in path.split("."))
    words = ": ".join([*groups, last])
    return words[:1].upper() + words[1:]


def as_shown(sent: Any) -> Any:
    """Return a form with only the boxes that its page shows. Anything but a form is returned as it is.

    Reflex sends null for each box of the page that is not shown; a null is not a value.
    """
    if not isinstance(sent, dict):
        return sent
    return {name: value for name, value in sent.items() if value is not None}


def written(form: Mapping[str, Any], name: str) -> str:
    """Return the text of a field, trimmed; empty without the field."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def ticked(form: Mapping[str, Any], name: str) -> bool:
    """Tell whether a box was ticked."""
    return form.get(name) in {True, "on", "true"}


def chosen_id(form: Mapping[str, Any], name: str) -> int | None:
    """Return the id that is chosen in a select box; None for its empty option."""
    return whole(written(form, name))


def whole(text: str) -> int | None:
    """Return the text as a whole number; None if it is not one, or is too large for a column of ids."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None
