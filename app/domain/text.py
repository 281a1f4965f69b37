"""Which text can be kept, and what is done with text that cannot: one rule for every door.

PostgreSQL holds neither U+0000 nor half of a character (a lone surrogate, which JSON can name and UTF-8 cannot).
Where somebody can mend it (the API, the browser) such text is refused by the name of its field. Where nobody can
(the carrier's webhooks) U+FFFD stands in for the character, so that what was said is not lost.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

LONGEST: Final = 20_000
"""Characters of any text in a request; most fields take fewer. What imports paste or upload has its own limits."""

_UNSTORABLE: Final = re.compile("[\\x00\ud800-\udfff]")
_CONTROL: Final = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\ud800-\udfff\ufffe\uffff"
UNPRINTABLE: Final = re.compile(f"[{_CONTROL}]")
"""Characters that neither the database nor a carrier takes."""
DECEIVING: Final = re.compile(f"[{_CONTROL}\u202a-\u202e\u2066-\u2069]")
"""Those, and what turns the direction of what follows: a name with one would deceive a reader. The marks of a single
direction, which honest texts use, stay."""

Path = tuple[str | int, ...]


def what_is_wrong(text: str, *, longest: int | None = None) -> str | None:
    """Return what to change in a text that cannot be kept or is longer than `longest`; None if it is good."""
    if found := _UNSTORABLE.search(text):
        return f"This has a character that cannot be stored (U+{ord(found.group()):04X}). Remove it."
    if longest is not None and len(text) > longest:
        return f"At most {longest:,} characters; this has {len(text):,}."
    return None


def wrong_texts(sent: Any, *, longest: int | None = None) -> dict[Path, str]:
    """Return what is wrong with the texts in a value, names in objects too: path -> what to change."""
    found = ((path, what_is_wrong(text, longest=longest)) for path, text in _texts(sent))
    return {path: wrong for path, wrong in found if wrong is not None}


def storable(text: str) -> str:
    """Return the text with U+FFFD for each character that cannot be stored."""
    return _UNSTORABLE.sub("\ufffd", text)


def all_storable(value: Any) -> Any:
    """Return a JSON value with every text in it, names too, made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {all_storable(name): all_storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [all_storable(each) for each in value]
    return value


def _texts(sent: Any) -> Iterator[tuple[Path, str]]:
    """Yield every text with its path, an object's names at the path of their values."""
    waiting: list[tuple[Path, Any]] = [((), sent)]  # no recursion: a request may be as deep as it likes
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
