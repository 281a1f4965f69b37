"""Which text can be stored, and which is blank: one rule for every input.

PostgreSQL stores neither U+0000 nor a lone surrogate (half of a character, which JSON can express and UTF-8 cannot).
If the sender can correct it (API, browser), such text is refused with the name of its field. If not (webhooks of the
carrier), U+FFFD replaces the character, so that the rest of the text is not lost.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

LONGEST: Final = 20_000
"""The most characters of any text in a request; most fields allow fewer. Imports have their own limits."""

_UNSTORABLE: Final = re.compile("[\\x00\ud800-\udfff]")
_CONTROL: Final = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\ud800-\udfff\ufffe\uffff"
UNPRINTABLE: Final = re.compile(f"[{_CONTROL}]")
"""Characters that the database or a carrier does not accept."""
DECEIVING: Final = re.compile(f"[{_CONTROL}\u202a-\u202e\u2066-\u2069]")
"""The same, and characters that change the writing direction of the text after them: a name with one would deceive a
reader. Direction marks, which ordinary texts use, are allowed."""

_VISIBLE_ASCII: Final = re.compile("[!-~]")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
"""Unicode categories of invisible characters: controls, format characters (U+200B, U+FEFF, U+00AD …) and spaces."""
_INVISIBLE_TOO: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Invisible characters of other categories: fillers, joiners, variation selectors."""

Path = tuple[str | int, ...]


def is_blank(text: str) -> bool:
    """Tell whether the text is empty or has only invisible characters."""
    return _VISIBLE_ASCII.search(text) is None and all(
        unicodedata.category(character) in _INVISIBLE or _INVISIBLE_TOO.fullmatch(character)
        for character in text
    )


def trimmed(text: str) -> str:
    """Return the text without surrounding space; empty if it is blank."""
    return "" if is_blank(text) else text.strip()


def what_is_wrong(text: str, *, longest: int | None = None) -> str | None:
    """Return what to change in a text that cannot be stored or is longer than `longest`; None if it is valid."""
    if found := _UNSTORABLE.search(text):
        return f"This has a character that cannot be stored (U+{ord(found.group()):04X}). Remove it."
    if longest is not None and len(text) > longest:
        return f"At most {longest:,} characters; this has {len(text):,}."
    return None


def wrong_texts(sent: Any, *, longest: int | None = None) -> dict[Path, str]:
    """Return what is wrong with the texts in a JSON value, with the names in objects: path -> what to change."""
    found = ((path, what_is_wrong(text, longest=longest)) for path, text in _texts(sent))
    return {path: wrong for path, wrong in found if wrong is not None}


def storable(text: str) -> str:
    """Return the text with U+FFFD for each character that cannot be stored."""
    return _UNSTORABLE.sub("\ufffd", text)


def all_storable(value: Any) -> Any:
    """Return the JSON value with all its texts, also names in objects, made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {all_storable(name): all_storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [all_storable(each) for each in value]
    return value


def _texts(sent: Any) -> Iterator[tuple[Path, str]]:
    """Yield every text with its path. A name in an object has the path of its value."""
    waiting: list[tuple[Path, Any]] = [((), sent)]  # no recursion: a request may be nested deeply
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, Mapping):
            for name, each in value.items():
                if isinstance(name, str):
                    yield (*path, name), name
                waiting.append(((*path, name), each))
        elif isinstance(value, list | tuple):
            waiting.extend(((*path, place), each) for place, each in enumerate(value))
