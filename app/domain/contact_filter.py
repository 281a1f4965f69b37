"""Which people of the address book: a search and conditions on what a card holds.

The same filter lists people, makes a segment, chooses whom a bulk change touches and whom a campaign adds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.attempt import Disposition

OWN: Final = "fields."
"""A field that begins so is one of the organization's own."""


class Match(StrEnum):
    """Whether a person has to meet every condition or one of them."""

    ALL = "all"
    ANY = "any"


class Op(StrEnum):
    """What a condition asks of its field."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    EMPTY = "empty"
    """Nothing is there; of a time: never."""
    NOT_EMPTY = "not_empty"
    ANY_OF = "any_of"
    ALL_OF = "all_of"
    NONE_OF = "none_of"
    BEFORE = "before"
    AFTER = "after"
    BETWEEN = "between"
    """Both days, or both times, included."""
    WITHIN_DAYS = "within_days"
    NOT_WITHIN_DAYS = "not_within_days"
    """Longer ago, or never."""


class Kind(StrEnum):
    """What a field holds, and with it what may be asked of it."""

    TEXT = "text"
    """Compared without regard to case."""
    TAGS = "tags"
    """Compared letter by letter."""
    CHOICE = "choice"
    IDS = "ids"
    TIME = "time"
    CHANNEL = "channel"
    """Which channel is closed: `any`, `voice` or `sms`."""
    OUTCOME = "outcome"
    """Of a campaign: `<campaign id>:<status of the contact there>`."""


_ONE_OF_LIST: Final = frozenset({Op.IS, Op.IS_NOT, Op.ANY_OF, Op.NONE_OF})
EMPTINESS: Final = frozenset({Op.EMPTY, Op.NOT_EMPTY})
"""What takes no value."""

OPS: Final[Mapping[Kind, frozenset[Op]]] = {
    Kind.TEXT: _ONE_OF_LIST | EMPTINESS | {Op.CONTAINS, Op.NOT_CONTAINS, Op.STARTS_WITH},
    Kind.TAGS: _ONE_OF_LIST | EMPTINESS | {Op.ALL_OF},
    Kind.CHOICE: _ONE_OF_LIST | EMPTINESS,
    Kind.IDS: _ONE_OF_LIST | EMPTINESS,
    Kind.TIME: EMPTINESS | {Op.BEFORE, Op.AFTER, Op.BETWEEN, Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS},
    Kind.CHANNEL: frozenset({Op.IS, Op.IS_NOT}),
    Kind.OUTCOME: _ONE_OF_LIST,
}
"""What may be asked of each kind of field. `is` and `is_not` of a list are `any_of` and `none_of` of one."""

FIELDS: Final[Mapping[str, Kind]] = {
    "phone_number": Kind.TEXT,
    "name": Kind.TEXT,
    "first_name": Kind.TEXT,
    "last_name": Kind.TEXT,
    "email": Kind.TEXT,
    "company": Kind.TEXT,
    "time_zone": Kind.TEXT,
    "language": Kind.TEXT,
    "country": Kind.TEXT,
    "state": Kind.TEXT,
    "notes": Kind.TEXT,
    "tags": Kind.TAGS,
    "last_outcome": Kind.CHOICE,
    "consent": Kind.CHOICE,
    "source": Kind.CHOICE,
    "last_contacted_at": Kind.TIME,
    "consent_at": Kind.TIME,
    "created_at": Kind.TIME,
    "updated_at": Kind.TIME,
    "suppressed": Kind.CHANNEL,
    "id": Kind.IDS,
    "import_id": Kind.IDS,
    "campaign_id": Kind.IDS,
    "campaign_status": Kind.OUTCOME,
}
"""The fields a condition may name, beside `fields.<name>`, which is a text."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "last_outcome": tuple(Disposition),
    "consent": ("unknown", "granted", "denied", "withdrawn"),
    "source": ("manual", "import", "api", "sample"),
    "suppressed": ("any", "voice", "sms"),
}
"""The words that a field of this name takes."""

_ALWAYS_THERE: Final = frozenset({"phone_number", "consent", "source", "created_at", "updated_at", "id"})
"""Fields that no contact lacks: whether they are empty is no question."""

Value = str | int | tuple[str, ...] | tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing asked of a card.

    `value` is a text (`is`, `contains` …), a channel, days (`within_days`), texts or ids (`any_of` …), the two
    ends of `between`, or None. A time is ISO 8601: a date, meant in the filter's zone, or a time with its offset.
    """

    field: str
    op: Op
    value: Value = None


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Conditions, of which all or any have to be met, and a search, which always has to.

    `search` is the start of a name, of its last word, or of a phone number. `zone` is where the days of the
    conditions begin and end. The filter without conditions and search is everybody.
    """

    conditions: tuple[Condition, ...] = ()
    match: Match = Match.ALL
    search: str = ""
    zone: str = "UTC"

    def __bool__(self) -> bool:
        """Tell whether it leaves anybody out."""
        return bool(self.conditions or self.search)


EVERYBODY: Final = ContactFilter()


class FilterInvalid(ValueError):
    """A filter that cannot be used: path in its JSON (`conditions.0.value`) -> what to change."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = dict(errors)


def kind_of(field: str) -> Kind | None:
    """Return what a field holds; None if there is no such field."""
    if field.startswith(OWN) and field != OWN:
        return Kind.TEXT
    return FIELDS.get(field)


def ops_of(field: str) -> frozenset[Op]:
    """Return what may be asked of a field; nothing of one that there is not."""
    kind = kind_of(field)
    if kind is None:
        return frozenset()
    return OPS[kind] - EMPTINESS if field in _ALWAYS_THERE else OPS[kind]


def as_json(wanted: ContactFilter) -> dict[str, Any]:
    """Return the JSON that `read_filter` reads as this filter."""
    return {
        "match": wanted.match.value,
        "search": wanted.search,
        "time_zone": wanted.zone,
        "conditions": [_condition_json(condition) for condition in wanted.conditions],
    }


def interval(condition: Condition, zone: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return from when (included) until when (excluded) a condition on a time holds; None is open.

    For `not_within_days` it is the time in which it does *not* hold.
    """
    value = condition.value
    match condition.op:
        case Op.WITHIN_DAYS | Op.NOT_WITHIN_DAYS if isinstance(value, int):
            return now - timedelta(days=value), None
        case Op.BEFORE if isinstance(value, str):
            return None, begin_of(value, zone)
        case Op.AFTER if isinstance(value, str):
            return end_of(value, zone), None
        case Op.BETWEEN if isinstance(value, tuple):
            first, last = (str(each) for each in value)
            return begin_of(first, zone), end_of(last, zone)
        case _:
            return None, None


def begin_of(moment: str, zone: str) -> datetime:
    """Return when a day begins, or the time itself."""
    day = day_of(moment)
    return midnight(day, zone) if day else datetime.fromisoformat(moment)


def end_of(moment: str, zone: str) -> datetime:
    """Return when the day after begins, or the first instant after the time."""
    day = day_of(moment)
    if day:
        return midnight(day + timedelta(days=1), zone)
    return datetime.fromisoformat(moment) + timedelta(microseconds=1)


def midnight(day: date, zone: str) -> datetime:
    """Return when the day begins there, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def day_of(moment: str) -> date | None:
    """Return the day that a text names; None of another text."""
    try:
        return date.fromisoformat(moment)
    except ValueError:
        return None


def _condition_json(condition: Condition) -> dict[str, Any]:
    said: dict[str, Any] = {"field": condition.field, "op": condition.op.value}
    if condition.value is not None:
        value = condition.value
        said["value"] = list(value) if isinstance(value, tuple) else value
    return said
