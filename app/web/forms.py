"""Reading a form as the browser sends it: whatever any client may send, a text or a tick comes out."""

from collections.abc import Mapping
from typing import Any


def written(form: Mapping[str, Any], name: str) -> str:
    """Return what was written in a field, trimmed; empty without it."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def ticked(form: Mapping[str, Any], name: str) -> bool:
    """Tell whether a box was ticked."""
    return form.get(name) in {True, "on", "true"}


def chosen_id(form: Mapping[str, Any], name: str) -> int | None:
    """Return the id chosen in a choice box; None for its empty entry."""
    value = written(form, name)
    return int(value) if value.isascii() and value.isdecimal() else None
