"""The variables of a message: names made from column headers, and values for one recipient."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from app.domain.text import is_blank, trimmed

LONGEST_VARIABLE: Final = 2_000
"""The most characters of one value."""

_RESERVED_WORDS: Final = frozenset(
    [
        "and",
        "as",
        "block",
        "call",
        "caller",
        "do",
        "else",
        "extends",
        "false",
        "filter",
        "for",
        "from",
        "if",
        "import",
        "in",
        "include",
        "is",
        "kwargs",
        "loop",
        "macro",
        "none",
        "not",
        "or",
        "raw",
        "recursive",
        "self",
        "set",
        "super",
        "true",
        "varargs",
        "with",
        "without",
    ]
)
HONORIFICS: Final = frozenset(["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "herr", "frau"])
"""Titles before a name, in lower case and without a full stop. They are never a first name."""

NAME_PARTS: Final = frozenset({"first_name", "last_name"})
"""Variables that can be derived from the words of a full name."""

_PERSON: Final = NAME_PARTS | {"name", "contact_name"}
_EMPLOYER: Final = frozenset({"company", "contact_company"})
_PHONE: Final = frozenset({"phone", "phone_number"})
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that are not allowed in XML (which the carrier reads) or in the database."""


def variable_names(headers: Sequence[str]) -> list[str]:
    """Return one distinct variable name for each column header, in order."""
    names: list[str] = []
    for position, header in enumerate(headers, start=1):
        base = variable_name(header) or f"column_{position}"
        candidates = (base if number == 1 else f"{base}_{number}" for number in range(1, len(headers) + 2))
        names.append(next(name for name in candidates if name not in names))
    return names


@lru_cache(maxsize=20_000)
def variable_name(header: str) -> str:
    """Return the variable name for a header: `first_name` for `First Name`. Empty if it has no letter or digit."""
    decomposed = unicodedata.normalize("NFKD", header)
    unaccented = "".join(char for char in decomposed if not unicodedata.combining(char))
    plain = unicodedata.normalize("NFKC", unaccented).lower()
    name = re.sub(r"[^\w]+|_{2,}", "_", plain).strip("_")[:60].strip("_")
    if not name or not f"a{name}".isidentifier():
        return ""
    if not name.isidentifier():
        return f"n{name}"
    return f"{name}_value" if name in _RESERVED_WORDS else name


def build_variables(
    *,
    contact: Mapping[str, str | None],
    recipient: Mapping[str, object],
    organization_name: str,
    assistant_name: str,
    contact_company_wins: bool = False,
) -> dict[str, str]:
    """Return every variable of one recipient, by lower-case name; variables without a value are left out.

    The recipient's own `variables` (its row of the import) win over the contact's fields. `company` is the
    organization's name and `contact_company` the contact's. With `contact_company_wins` (the guide dialect),
    `company` is the contact's company if there is one.
    """
    values = _texts(contact) | _texts(recipient)
    values |= _person(values)
    phone = _text(contact.get("phone_number") or contact.get("phone"))
    employer = values.get("contact_company") or values.get("company", "")
    organization = _text(organization_name)
    values |= {
        "phone": phone,
        "phone_number": phone,
        "contact_company": employer,
        "company": (employer or organization) if contact_company_wins else (organization or employer),
        "assistant_name": _text(assistant_name),
    }
    return {name: value for name, value in values.items() if value}


def deciding(names: Iterable[str]) -> frozenset[str]:
    """Return the fields of a contact or of its row of the import that decide these variables' values.

    `build_variables` derives some from others: `first_name` depends on `name` too. `phone_number` is the contact's
    number.
    """
    plain = {variable_name(name) for name in names} - {"assistant_name"}
    decide = plain - _PHONE
    for family in (_PERSON, _EMPLOYER):
        decide |= family if plain & family else set()
    return frozenset(decide | {"phone_number"} if plain & _PHONE else decide)


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    named = ((variable_name(name), _text(value)) for name, value in values.items())
    return {name: text for name, text in named if name and text}


def _text(value: object) -> str:
    if value is None:
        return ""
    return trimmed(_UNPRINTABLE.sub("", value if isinstance(value, str) else str(value)))


def _person(values: Mapping[str, str]) -> dict[str, str]:
    """Return `name` and its parts; a missing one is derived from the others."""
    first, last = values.get("first_name", ""), values.get("last_name", "")
    name = values.get("name") or values.get("contact_name") or f"{first} {last}".strip()
    guessed_first, guessed_last = _name_parts(name)
    return {
        "name": name,
        "contact_name": name,
        "first_name": first or guessed_first,
        "last_name": last or guessed_last,
    }


def _name_parts(name: str) -> tuple[str, str]:
    """Split `Dr. Jane van Doe` and `Doe, Jane`; a title with one name (`Mr. Smith`) has no first name."""
    if "," in name:
        last, _, first = (trimmed(part) for part in name.partition(","))
        return first, last
    words = [word for word in name.split() if not is_blank(word)]
    if words and words[0].rstrip(".").lower() in HONORIFICS:
        words = words[1:] if words[2:] else ["", *words[1:]]
    return (words[0], " ".join(words[1:])) if words else ("", "")
