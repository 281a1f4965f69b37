"""How many parts a text message has when it is sent and billed, and how to make it cheaper.

A message in the GSM 03.38 alphabet holds 160 characters. One character outside it makes the whole message UCS-2,
which holds 70. A longer message is split into parts, each a little shorter.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Characters of two units, which are never split over two parts."""
_LAST_OF_BASIC_PLANE: Final = 0xFFFF


class Encoding(StrEnum):
    """The encoding of a text message."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


_ROOM: Final = {Encoding.GSM_7: (160, 153), Encoding.UCS_2: (70, 67)}
"""Units in a message of one part, and in each part of a longer one."""

_SPACES: Final = "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000"
_CHEAPER: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys(_SPACES, " "),
        **dict.fromkeys("\u200b\u200c\u2060\ufeff\u00ad", ""),
        "\u2022": "-",
        "\u2026": "...",
    }
)


@dataclass(frozen=True, slots=True)
class Segments:
    """The size of a text message."""

    encoding: Encoding
    units: int
    """Characters as the carrier counts them: some count twice."""
    parts: int
    """The number of parts billed; 0 for an empty text."""
    room: int
    """Units that still fit into the last part."""
    outside: tuple[str, ...]
    """The characters that make the message UCS-2, in order of first use."""


def segments(text: str) -> Segments:
    """Return how the text is encoded and how many parts it takes."""
    outside = tuple(dict.fromkeys(char for char in text if char not in _BASIC and char not in _EXTENSION))
    encoding = Encoding.UCS_2 if outside else Encoding.GSM_7
    units = [_units(char, encoding) for char in text]
    single, part = _ROOM[encoding]
    if sum(units) <= single:
        return Segments(encoding, sum(units), 1 if units else 0, single - sum(units), outside)
    parts, used = _fill(units, part)
    return Segments(encoding, sum(units), parts, part - used, outside)


def smart_encoding(text: str) -> str:
    """Return the text with quotes, dashes and spaces replaced by plain ones, which do not require UCS-2."""
    return text.translate(_CHEAPER)


def _units(char: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM_7:
        return 2 if char in _EXTENSION else 1
    return 2 if ord(char) > _LAST_OF_BASIC_PLANE else 1


def _fill(units: list[int], part: int) -> tuple[int, int]:
    """Return the number of parts and how full the last one is; a character of two units is never split."""
    parts, used = 1, 0
    for unit in units:
        if used + unit > part:
            parts, used = parts + 1, 0
        used += unit
    return parts, used
