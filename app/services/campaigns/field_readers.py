"""Readers of single values: each takes whatever a form or a JSON body may hold, or says what to change."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar

from app.domain.text import UNPRINTABLE, trimmed

Word = TypeVar("Word", bound=StrEnum)
Reader = Callable[[Any], Any]

_CENT: Final = Decimal("0.01")


class Unacceptable(ValueError):
    """This value cannot be taken. The message says what to change; of a value of parts, `parts` says it by part."""

    def __init__(self, message: str, *, parts: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.parts = dict(parts or {})

    def by_path(self, path: str) -> dict[str, str]:
        """Return what to change by the path of each part, where the value itself is at `path`."""
        return {f"{path}.{part}": text for part, text in self.parts.items()} or {path: str(self)}


def plain_text(raw: Any) -> str:
    """Return text without the characters that neither the database nor a carrier takes."""
    if not isinstance(raw, str):
        raise Unacceptable("Enter text.")
    return UNPRINTABLE.sub("", raw)


def text_of(longest: int, *, required: str = "") -> Reader:
    """Return the reader of a text of at most so many characters; `required` is what to say of a blank one."""

    def read(raw: Any) -> str:
        text = trimmed(plain_text(raw)) if raw is not None else ""
        if required and not text:
            raise Unacceptable(required)
        if len(text) > longest:
            raise Unacceptable(f"At most {longest:,} characters; this has {len(text):,}.")
        return text

    return read


def whole(least: int, most: int) -> Reader:
    """Return the reader of a whole number between the two."""

    def read(raw: Any) -> int:
        number = _number(raw)
        if not least <= number <= most:
            raise Unacceptable(f"Choose a whole number from {least:,} to {most:,}.")
        return number

    return read


def _number(raw: Any) -> int:
    fraction = isinstance(raw, float) and not raw.is_integer()
    if isinstance(raw, bool) or fraction or not isinstance(raw, int | float | str):
        raise Unacceptable("Enter a whole number.")
    try:
        return int(raw)
    except ValueError:
        raise Unacceptable("Enter a whole number.") from None


def yes_no(raw: Any) -> bool:
    """Read true or false."""
    if not isinstance(raw, bool):
        raise Unacceptable("Choose yes or no (true or false).")
    return raw


def word(words: type[Word]) -> Callable[[Any], Word]:
    """Return the reader of one of an enum's values."""

    def read(raw: Any) -> Word:
        try:
            return words(raw)
        except ValueError:
            raise Unacceptable(f"Choose one of: {', '.join(words)}.") from None

    return read


def items(raw: Any) -> Iterable[Any]:
    """Read a list."""
    if not isinstance(raw, list | tuple | set | frozenset):
        raise Unacceptable("Enter a list.")
    return raw


def whole_list(least: int, most: int, *, longest: int, example: str) -> Callable[[Any], tuple[int, ...]]:
    """Return the reader of several whole numbers: a list, or text with commas between them."""

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

    return read


def amount(most: Decimal) -> Callable[[Any], Decimal | None]:
    """Return the reader of an amount of money above 0, of at most two decimals; empty text is none."""

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

    return read


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
