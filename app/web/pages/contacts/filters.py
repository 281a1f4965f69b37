"""The filter of the address book in words: what may be asked, how it is said, and what a form means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.contact_filter import CHOICES, EMPTINESS, OWN, Condition, Kind, Op, kind_of, ops_of
from app.web.forms import written

OWN_FIELD: Final = "own"
"""The choice of a field of the organization's own; its name is typed."""

FIELD_WORDS: Final[Mapping[str, str]] = {
    "tags": "Tags",
    "last_outcome": "Last outcome",
    "last_contacted_at": "Last contacted",
    "suppressed": "Suppressed",
    "consent": "Consent",
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "phone_number": "Number",
    "email": "E-mail",
    "company": "Company",
    "country": "Country",
    "state": "State",
    "time_zone": "Time zone",
    "language": "Language",
    "notes": "Notes",
    "source": "Came from",
    "created_at": "Added",
    "updated_at": "Changed",
    "consent_at": "Consent given",
    OWN_FIELD: "Own field\u2026",
}
"""What a condition may be about, in the order of the choice box."""

_OP_WORDS: Final[Mapping[Op, str]] = {
    Op.IS: "is",
    Op.IS_NOT: "is not",
    Op.CONTAINS: "contains",
    Op.NOT_CONTAINS: "does not contain",
    Op.STARTS_WITH: "starts with",
    Op.ANY_OF: "any of",
    Op.ALL_OF: "all of",
    Op.NONE_OF: "none of",
    Op.BEFORE: "before",
    Op.AFTER: "after",
    Op.BETWEEN: "between",
    Op.WITHIN_DAYS: "in the last … days",
    Op.NOT_WITHIN_DAYS: "not in the last … days",
    Op.EMPTY: "is empty",
    Op.NOT_EMPTY: "is not empty",
}
_OFFERED: Final[Mapping[Kind, tuple[Op, ...]]] = {
    Kind.TEXT: (Op.CONTAINS, Op.IS, Op.IS_NOT, Op.STARTS_WITH, Op.NOT_CONTAINS, Op.EMPTY, Op.NOT_EMPTY),
    Kind.TAGS: (Op.ANY_OF, Op.ALL_OF, Op.NONE_OF, Op.EMPTY, Op.NOT_EMPTY),
    Kind.CHOICE: (Op.IS, Op.IS_NOT, Op.EMPTY, Op.NOT_EMPTY),
    Kind.CHANNEL: (Op.IS, Op.IS_NOT),
    Kind.TIME: (
        *(Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS, Op.BEFORE, Op.AFTER, Op.BETWEEN),
        *(Op.EMPTY, Op.NOT_EMPTY),
    ),
}
"""What is offered for each kind of field, the likeliest first."""

_CHOICE_WORDS: Final[Mapping[str, str]] = {
    "any": "on some channel",
    "voice": "for calls",
    "sms": "for texts",
    "manual": "By hand",
    "import": "A file",
    "api": "The API",
    "sample": "Sample data",
}


@dataclass(frozen=True, slots=True)
class Option:
    """An entry of a choice box."""

    value: str
    words: str


def ops_for(field: str) -> list[Option]:
    """Return what may be asked of a field, for its choice box."""
    known = "fields.any" if field == OWN_FIELD else field
    kind = kind_of(known)
    offered = _OFFERED.get(kind, ()) if kind is not None else ()
    return [Option(op.value, _op_words(op, known)) for op in offered if op in ops_of(known)]


def choices_for(field: str) -> list[Option]:
    """Return the words a field takes; none for one that takes any text."""
    return [Option(word, _choice_words(word)) for word in CHOICES.get(field, ())]


def input_for(field: str, op: str) -> str:
    """Return how the value is entered: "none", "choice", "days", "date", "dates", "list" or "text"."""
    if op in EMPTINESS:
        return "none"
    if op in {Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS}:
        return "days"
    if op == Op.BETWEEN:
        return "dates"
    if op in {Op.BEFORE, Op.AFTER}:
        return "date"
    if field in CHOICES:
        return "choice"
    return "list" if field == "tags" else "text"


def condition_from(form: Mapping[str, Any], field: str, op: str) -> dict[str, Any]:
    """Return the JSON of the condition that the form describes; reading it says what is missing."""
    name = f"{OWN}{written(form, 'own_name')}" if field == OWN_FIELD else field
    value: Any = written(form, "value")
    match input_for(field, op):
        case "none":
            value = None
        case "days":
            value = int(value) if value.isascii() and value.isdecimal() else value
        case "dates":
            value = [value, written(form, "until")]
        case "list":
            value = [word.strip() for word in value.split(",") if word.strip()]
        case _:
            pass
    return {"field": name, "op": op} | ({} if value is None else {"value": value})


def said(condition: Condition) -> str:
    """Return a condition as its chip says it: "Tags any of vip, new"."""
    name = condition.field.removeprefix(OWN)
    words = FIELD_WORDS.get(condition.field, name)
    op = _op_words(condition.op, condition.field)
    if condition.op in {Op.ANY_OF, Op.NONE_OF} and condition.field in CHOICES:
        op = "is" if condition.op is Op.ANY_OF else "is not"
    if condition.op in {Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS}:
        return f"{words} {op.replace('…', str(condition.value))}"
    value = condition.value
    if value is None:
        return f"{words} {op}"
    parts = (
        [_choice_words(str(one)) for one in value]
        if isinstance(value, Sequence) and not isinstance(value, str)
        else [str(value)]
    )
    if condition.field in CHOICES:
        parts = [_choice_words(part) for part in parts]
    return f"{words} {op} {(' and ' if condition.op is Op.BETWEEN else ', ').join(parts)}"


def _op_words(op: Op, field: str) -> str:
    if kind_of(field) is Kind.TIME and op in EMPTINESS:
        return "never" if op is Op.EMPTY else "ever"
    return _OP_WORDS[op]


def _choice_words(word: str) -> str:
    return _CHOICE_WORDS.get(word, word.replace("_", " ").capitalize() if word in _ALL_CHOICES else word)


_ALL_CHOICES: Final = frozenset(word for words in CHOICES.values() for word in words)
