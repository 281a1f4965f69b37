"""Which text can be kept, what is done with text that cannot, and which says nothing: one rule for every door.

PostgreSQL holds neither U+0000 nor half of a character (a lone surrogate, which JSON can name and UTF-8 cannot).
Where somebody can mend it (the API, the browser) such text is refused by the name of its field. Where nobody can
(the carrier's webhooks) U+FFFD stands in for the character, so that what was said is not lost.
"""

import re
import unicodedata
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

_VISIBLE_ASCII: Final = re.compile("[!-~]")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
"""Categories of Unicode that show nothing: controls, format characters (U+200B, U+FEFF, U+00AD …) and spaces."""
_INVISIBLE_TOO: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters, marks and signs of other categories that show nothing alone: fillers, joiners, variation selectors."""

Path = tuple[str | int, ...]


def is_blank(text: str) -> bool:
    """Tell whether a reader sees nothing and a caller hears nothing: only what shows nothing is in it, if anything."""
    return _VISIBLE_ASCII.search(text) is None and all(map(_shows_nothing, text))


def trimmed(text: str) -> str:
    """Return the text without the space around it; empty if it is blank."""
    return "" if is_blank(text) else text.strip()


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


def _shows_nothing(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE or _INVISIBLE_TOO.fullmatch(character) is not None


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
