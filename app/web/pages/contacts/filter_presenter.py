"""The filter of the address book: its fields and operators, its words, and the reading of its form."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.domain.contact_filter import (
    CHOICES,
    EMPTINESS,
    OWN,
    Condition,
    ContactFilter,
    Kind,
    Match,
    Op,
    kind_of,
    ops_of,
)
from app.domain.recipient import RecipientStatus
from app.web.forms import whole, written
from app.web.options import Option
from app.web.pages.contacts.names_presenter import IN_CAMPAIGNS, Names, values_of
from app.web.recipient_words import STATUS_WORDS

OWN_FIELD: Final = "own"
"""The choice of a custom field; its name is typed."""

FIELD_WORDS: Final[Mapping[str, str]] = {
    "tags": "Tags",
    "last_outcome": "Last outcome",
    "last_contacted_at": "Last contacted",
    "suppressed": "Blocked",
    "consent": "Consent",
    "campaign_id": "Campaign",
    "campaign_status": "Status in a campaign",
    "import_id": "Import",
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "phone_number": "Number",
    "email": "E-mail",
    "company": "Company",
    "country": "Country",
    "state": "State",
    "time_zone": "Time zone",
    "zone_source": "Time zone known from",
    "language": "Language",
    "notes": "Notes",
    "source": "Came from",
    "created_at": "Added",
    "updated_at": "Changed",
    "consent_at": "Consent given",
    OWN_FIELD: "Custom field\u2026",
}
"""The fields of a condition, in the order of the choice box."""

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
    Kind.IDS: (Op.IS, Op.IS_NOT, Op.NOT_EMPTY, Op.EMPTY),
    Kind.OUTCOME: (Op.IS, Op.IS_NOT),
    Kind.CHANNEL: (Op.IS, Op.IS_NOT),
    Kind.TIME: (
        *(Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS, Op.BEFORE, Op.AFTER, Op.BETWEEN),
        *(Op.EMPTY, Op.NOT_EMPTY),
    ),
}
"""The operators offered for each kind of field, the most common first."""

_CHOICE_WORDS: Final[Mapping[str, str]] = {
    "any": "on some channel",
    "voice": "for calls",
    "sms": "for texts",
    "manual": "By hand",
    "import": "A file",
    "api": "The API",
    "sample": "Sample data",
    "own": "The card",
    "state": "The state or country",
    "postcode": "The postcode",
    "number": "The phone number",
    "assumed": "Nothing: assumed",
}


CHOSEN: Final = IN_CAMPAIGNS | {"import_id"}
"""Fields whose values are chosen from the organization's campaigns and imports."""

STATUS_OPTIONS: Final = [(status.value, words) for status, words in STATUS_WORDS.items()]
"""The statuses a person can have in a campaign."""


def ops_for(field: str) -> list[Option]:
    """Return the operators of a field, for its choice box."""
    known = "fields.any" if field == OWN_FIELD else field
    kind = kind_of(known)
    offered = _OFFERED.get(kind, ()) if kind is not None else ()
    return [Option(op.value, _op_words(op, known)) for op in offered if op in ops_of(known)]


def choices_for(field: str) -> list[Option]:
    """Return the choices of a field; none for a field that takes any text."""
    return [Option(word, _choice_words(word)) for word in CHOICES.get(field, ())]


def input_for(field: str, op: str) -> str:
    """Return how the value is entered.

    "none", "choice", "campaign", "status", "import", "days", "date", "dates", "list" or "text".
    """
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
    return _ENTERED_AS.get(field, "text")


_ENTERED_AS: Final = {
    "campaign_id": "campaign",
    "campaign_status": "status",
    "import_id": "import",
    "tags": "list",
}


def condition_from(form: Mapping[str, Any], field: str, op: str) -> dict[str, Any]:
    """Return the form's condition as JSON, unchecked: the reader of the JSON says what is missing."""
    name = f"{OWN}{written(form, 'own_name')}" if field == OWN_FIELD else field
    value: Any = written(form, "value")
    match input_for(field, op):
        case "none":
            value = None
        case "days":
            value = whole(value) if whole(value) is not None else value
        case "dates":
            value = [value, written(form, "until")]
        case "status":
            value = f"{value}:{written(form, 'status')}"
        case "list":
            value = [word.strip() for word in value.split(",") if word.strip()]
        case _:
            pass
    return {"field": name, "op": op} | ({} if value is None else {"value": value})


def said(condition: Condition, names: Names) -> str:
    """Return a condition as its chip says it: "Tags any of vip, new"."""
    if condition.field in IN_CAMPAIGNS:
        return _in_campaigns(condition, names.campaigns)
    if condition.field == "import_id":
        return _from_imports(condition, names.imports)
    if condition.field == "id":
        return f"{len(values_of(condition)):,} chosen one by one"
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


def filter_words(wanted: ContactFilter, names: Names) -> str:
    """Return a filter as a sentence without its full stop."""
    parts = [f"Search “{wanted.search}”"] if wanted.search else []
    joined = " and " if wanted.match is Match.ALL else " or "
    conditions = joined.join(said(condition, names) for condition in wanted.conditions)
    return ". ".join([*parts, conditions] if conditions else parts) or "Everyone in the address book"


def named(ids: Iterable[int], names: Mapping[int, str], what: str) -> str:
    """Return "“May”, “June”"; "a deleted campaign" for those that no longer exist."""
    return ", ".join(f"“{names[each]}”" if each in names else f"a deleted {what}" for each in ids)


def _in_campaigns(condition: Condition, names: Mapping[int, str]) -> str:
    if condition.op in EMPTINESS:
        return "In no campaign" if condition.op is Op.EMPTY else "In some campaign"
    outcomes: dict[int, list[str]] = defaultdict(list)
    for value in values_of(condition):
        campaign_id, _, status = str(value).partition(":")
        outcomes[int(campaign_id)] += [STATUS_WORDS[RecipientStatus(status)].lower()] if status else []
    parts = [
        f"{named([campaign_id], names, 'campaign')}{': ' if words else ''}{', '.join(words)}"
        for campaign_id, words in outcomes.items()
    ]
    return f"{'Not in' if condition.op is Op.NONE_OF else 'In'} {', '.join(parts)}"


def _from_imports(condition: Condition, names: Mapping[int, str]) -> str:
    if condition.op in EMPTINESS:
        return "Not from an import" if condition.op is Op.EMPTY else "From some import"
    said_names = named([int(each) for each in values_of(condition)], names, "import")
    return f"{'Not from' if condition.op is Op.NONE_OF else 'From'} {said_names}"


def _op_words(op: Op, field: str) -> str:
    if field in CHOSEN and op in EMPTINESS:
        return "none" if op is Op.EMPTY else "any"
    if kind_of(field) is Kind.TIME and op in EMPTINESS:
        return "never" if op is Op.EMPTY else "ever"
    return _OP_WORDS[op]


def _choice_words(word: str) -> str:
    return _CHOICE_WORDS.get(word, word.replace("_", " ").capitalize() if word in _ALL_CHOICES else word)


_ALL_CHOICES: Final = frozenset(word for words in CHOICES.values() for word in words)
