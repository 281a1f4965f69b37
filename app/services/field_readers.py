"""Reads what a form or an API request sent, field by field, and reports all errors at once.

A reader takes any value of a form or a JSON body. It returns the value to store, or raises `Unacceptable` with what to
change. `ChangeReader` runs the readers of a whole request and collects their values and errors.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar

from app.domain.text import DECEIVING, UNPRINTABLE, trimmed
from app.domain.time_zones import ZoneRefused, read_zone
from app.services.errors import FieldErrors

_MOST_ROWS: Final = 2**63 - 1
_CENT: Final = Decimal("0.01")


class Unacceptable(ValueError):
    """The value is refused. The message says what to change. If the value has parts, `parts` has a message for each."""

    def __init__(self, message: str, *, parts: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.parts = dict(parts or {})


@dataclass(frozen=True, slots=True)
class Reader:
    """How one kind of value is read, and its types in JSON."""

    read: Callable[[Any], Any]
    """Returns the value of what was sent. Raises `Unacceptable`."""
    sent: Any
    """Its type in a request, as an annotation."""
    answered: Any = None
    """Its type in an answer, if it differs."""
    limits: str = ""
    """The limits in words: "1 to 100"."""
    least: int | None = None
    """The least of a whole number; None for other kinds. So is `most`."""
    most: int | None = None
    longest: int | None = None
    """The most characters of a text; None for other kinds."""

    def __call__(self, raw: Any) -> Any:
        """Return the value of what was sent. Raises `Unacceptable`."""
        return self.read(raw)


class ChangeReader:
    """Reads a dict of changes: `values` gets the good values, and `errors` what to change.

    A field that was not sent is in neither. A value that the caller already knows to be wrong is an `Unacceptable`: it
    is reported together with the others.
    """

    def __init__(self, changes: Mapping[str, Any]) -> None:
        self._unread = dict(changes)
        self.values: dict[str, Any] = {}
        self.errors: dict[str, str] = {}

    def read(self, field: str, reader: Callable[[Any], Any]) -> Any:
        """Read a field. Return the value if it is good; None if it is not, or was not sent."""
        if field not in self._unread:
            return None
        try:
            self.values[field] = reader(self._sent(field))
        except Unacceptable as problem:
            self._refuse_parts(field, problem)
        return self.values.get(field)

    async def look_up(self, field: str, find: Callable[[Any], Awaitable[Any]]) -> None:
        """Read a field whose value must be looked up: `find` returns it or raises `Unacceptable`."""
        if field not in self._unread:
            return
        try:
            self.values[field] = await find(self._sent(field))
        except Unacceptable as problem:
            self._refuse_parts(field, problem)

    def text(self, field: str, *, label: str, most: int, required: bool = False) -> str | None:
        """Read a text, trimmed, of at most `most` characters; null is empty. Return it if it is good."""

        def read(given: Any) -> str:
            value = cleaned(given) if isinstance(given, str) else ""
            if given is not None and not isinstance(given, str):
                raise Unacceptable(f"{label} must be a text.")
            if required and not value:
                raise Unacceptable(f"{label} is required.")
            if len(value) > most:
                raise Unacceptable(f"{label} can have at most {most} characters; this has {len(value)}.")
            return value

        value: str | None = self.read(field, read)
        return value

    def whole(self, field: str, *, label: str, least: int, most: int) -> None:
        """Read a whole number from `least` to `most`."""

        def read(given: Any) -> int:
            value = _whole(given)
            if value is None or not least <= value <= most:
                raise Unacceptable(f"{label} must be a whole number from {least} to {most}.")
            return value

        self.read(field, read)

    def flag(self, field: str, *, label: str) -> None:
        """Read true or false."""

        def read(given: Any) -> bool:
            if not isinstance(given, bool):
                raise Unacceptable(f"{label} must be true or false.")
            return given

        self.read(field, read)

    def zone(self, field: str, *, required: bool = True) -> None:
        """Read the name of a time zone, such as `America/New_York`, as `domain.time_zones.read_zone` does."""
        value = self.text(field, label="The time zone", most=64, required=required)
        if value:
            try:
                self.values[field] = read_zone(value)
            except ZoneRefused as refused:
                self.refuse(field, str(refused))

    def take(self, field: str) -> Any:
        """Return a value as it was sent, for the caller to check; None if it was not sent."""
        return self._unread.pop(field, None)

    def has(self, field: str) -> bool:
        """Tell whether the field was sent and not yet taken."""
        return field in self._unread

    def refuse(self, field: str, message: str) -> None:
        """Record what to change in a field. Only the first message of a field is kept."""
        self.values.pop(field, None)
        self.errors.setdefault(field, message)

    def finish(self) -> dict[str, Any]:
        """Return the good values. Raises `FieldErrors` if any field is wrong or unknown."""
        for field in self._unread:
            self.errors.setdefault(field, "There is no such field.")
        if self.errors:
            raise FieldErrors(self.errors)
        return self.values

    def _sent(self, field: str) -> Any:
        sent = self._unread.pop(field)
        if isinstance(sent, Unacceptable):
            raise sent
        return sent

    def _refuse_parts(self, field: str, problem: Unacceptable) -> None:
        parts = {f"{field}.{part}": message for part, message in problem.parts.items()}
        for path, message in (parts or {field: str(problem)}).items():
            self.refuse(path, message)


def cleaned(text: str) -> str:
    """Return the text trimmed, without control and direction characters, which are sent only by mistake.

    A text of only such characters, such as a zero-width space, becomes empty.
    """
    return trimmed(DECEIVING.sub("", text))


def plain_text(raw: Any) -> str:
    """Return text without the characters that the database or a carrier refuses. Raises `Unacceptable`."""
    if not isinstance(raw, str):
        raise Unacceptable("Enter text.")
    return UNPRINTABLE.sub("", raw)


def row_id(given: int) -> int:
    """Return the id if a key column can hold it, else 0, which no row has."""
    return given if 0 < given <= _MOST_ROWS else 0


def items(raw: Any) -> Iterable[Any]:
    """Return a list that was sent. Raises `Unacceptable`."""
    if not isinstance(raw, list | tuple | set | frozenset):
        raise Unacceptable("Enter a list.")
    return raw


def text_of(longest: int, *, required: str = "") -> Reader:
    """Return the reader of a text of at most `longest` characters. `required`: the message for a blank one."""

    def read(raw: Any) -> str:
        text = trimmed(plain_text(raw)) if raw is not None else ""
        if required and not text:
            raise Unacceptable(required)
        if len(text) > longest:
            raise Unacceptable(f"At most {longest:,} characters; this has {len(text):,}.")
        return text

    least = 1 if required else 0
    return Reader(read, str, limits=f"{least} to {longest:,} characters", longest=longest)


def whole(least: int, most: int) -> Reader:
    """Return the reader of a whole number from `least` to `most`."""

    def read(raw: Any) -> int:
        number = _number(raw)
        if not least <= number <= most:
            raise Unacceptable(f"Choose a whole number from {least:,} to {most:,}.")
        return number

    return Reader(read, int, limits=f"{least:,} to {most:,}", least=least, most=most)


def yes_or_no() -> Reader:
    """Return the reader of true or false."""

    def read(raw: Any) -> bool:
        if not isinstance(raw, bool):
            raise Unacceptable("Choose yes or no (true or false).")
        return raw

    return Reader(read, bool)


def word(words: type[StrEnum]) -> Reader:
    """Return the reader of one of an enum's values."""
    return Reader(lambda raw: word_of(words, raw), str)


Word = TypeVar("Word", bound=StrEnum)


def word_of(words: type[Word], raw: Any) -> Word:
    """Return the member of the enum that has this value. Raises `Unacceptable`."""
    try:
        return words(raw)
    except ValueError:
        raise Unacceptable(f"Choose one of: {', '.join(words)}.") from None


def whole_list(least: int, most: int, *, longest: int, example: str) -> Reader:
    """Return the reader of several whole numbers: a list, or a text with commas between them."""

    def read(raw: Any) -> tuple[int, ...]:
        given = [part for part in re.split(r"[\s,;]+", raw) if part] if isinstance(raw, str) else items(raw)
        try:
            numbers = tuple(_number(part) for part in given)
        except Unacceptable:
            raise Unacceptable(f"Enter whole numbers with commas between them, such as {example}.") from None
        if len(numbers) > longest:
            raise Unacceptable(f"At most {longest} numbers; these are {len(numbers)}.")
        if any(not least <= number <= most for number in numbers):
            raise Unacceptable(f"Each must be a whole number from {least:,} to {most:,}.")
        return numbers

    return Reader(read, list[int], limits=f"{least:,} to {most:,}")


def amount(most: Decimal) -> Reader:
    """Return the reader of an amount of money above 0, with at most two decimals. An empty text is no amount."""

    def read(raw: Any) -> Decimal | None:
        if raw == "":
            return None
        value = _decimal(raw)
        if value <= 0:
            raise Unacceptable("Enter an amount above 0, or none.")
        if value > most:
            raise Unacceptable(f"Enter at most {most:,}.")
        if value != value.quantize(_CENT):
            raise Unacceptable("Enter at most two decimals.")
        return value.quantize(_CENT)

    return Reader(read, float | str, float, limits=f"above 0, at most {most:,}")


def _whole(given: object) -> int | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, str) and re.fullmatch(r"\s*\d{1,9}\s*", given, re.ASCII):
        return int(given)
    return given if isinstance(given, int) else None


def _number(raw: Any) -> int:
    fraction = isinstance(raw, float) and not raw.is_integer()
    if isinstance(raw, bool) or fraction or not isinstance(raw, int | float | str):
        raise Unacceptable("Enter a whole number.")
    try:
        return int(raw)
    except ValueError:
        raise Unacceptable("Enter a whole number.") from None


def _decimal(raw: Any) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        raise Unacceptable("Enter an amount such as 25 or 99.50.")
    try:
        value = Decimal(str(raw).strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise Unacceptable("Enter an amount such as 25 or 99.50.")
    return value
