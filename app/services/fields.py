"""Reading what a person or an API sent, field by field, so that all that needs mending is named at once."""

import re
from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import available_timezones

from app.domain.text import DECEIVING, trimmed
from app.services.errors import FieldErrors

_MOST_ROWS: Final = 2**63 - 1


class ChangeReader:
    """Reads a dict of changes: good values gather in `values`, advice in `errors`.

    A field that was not sent is in neither.
    """

    def __init__(self, changes: Mapping[str, Any]) -> None:
        self._unread = dict(changes)
        self.values: dict[str, Any] = {}
        self.errors: dict[str, str] = {}

    def text(self, field: str, *, label: str, most: int, required: bool = False) -> str | None:
        """Take a text, trimmed, of at most `most` characters; None is empty. Return it if it is good."""
        if field not in self._unread:
            return None
        given = self._unread.pop(field)
        value = cleaned(given) if isinstance(given, str) else ""
        if given is not None and not isinstance(given, str):
            self.refuse(field, f"{label} must be a text.")
        elif required and not value:
            self.refuse(field, f"{label} is required.")
        elif len(value) > most:
            self.refuse(field, f"{label} can have at most {most} characters; this has {len(value)}.")
        else:
            self.values[field] = value
        return self.values.get(field)

    def whole(self, field: str, *, label: str, least: int, most: int) -> None:
        """Take a whole number between `least` and `most`."""
        if field not in self._unread:
            return
        value = _whole(self._unread.pop(field))
        if value is None or not least <= value <= most:
            self.refuse(field, f"{label} must be a whole number from {least} to {most}.")
        else:
            self.values[field] = value

    def flag(self, field: str, *, label: str) -> None:
        """Take a yes or no."""
        if field not in self._unread:
            return
        value = self._unread.pop(field)
        if isinstance(value, bool):
            self.values[field] = value
        else:
            self.refuse(field, f"{label} must be true or false.")

    def zone(self, field: str, *, required: bool = True) -> None:
        """Take the name of a time zone, such as `America/New_York`."""
        value = self.text(field, label="The time zone", most=64, required=required)
        if value and value not in available_timezones():
            self.refuse(field, f"There is no time zone “{value}”. Use a name such as America/New_York.")

    def take(self, field: str) -> Any:
        """Take a value as it was sent, for the caller to judge; None if it was not sent."""
        return self._unread.pop(field, None)

    def has(self, field: str) -> bool:
        """Tell whether the field was sent and not yet taken."""
        return field in self._unread

    def refuse(self, field: str, message: str) -> None:
        """Note what to change in a field. The first advice for a field stands."""
        self.values.pop(field, None)
        self.errors.setdefault(field, message)

    def finish(self) -> dict[str, Any]:
        """Return the good values. Raises `FieldErrors` if any field needs mending or is unknown."""
        for field in self._unread:
            self.errors.setdefault(field, "There is no such field.")
        if self.errors:
            raise FieldErrors(self.errors)
        return self.values


def cleaned(text: str) -> str:
    """Return the text trimmed, without the characters of control and of direction that nobody meant to send.

    Empty if it is blank: names, reasons and templates of a zero-width space are none.
    """
    return trimmed(DECEIVING.sub("", text))


def row_id(given: int) -> int:
    """Return the id if a key column can hold it, else 0, which no row has."""
    return given if 0 < given <= _MOST_ROWS else 0


def _whole(given: object) -> int | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, str) and re.fullmatch(r"\s*\d{1,9}\s*", given, re.ASCII):
        return int(given)
    return given if isinstance(given, int) else None
