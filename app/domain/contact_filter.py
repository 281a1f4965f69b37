"""A filter of the address book: a search, and conditions on the fields of a contact.

Lists, segments, bulk changes and audiences all use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.attempt import Disposition
from app.domain.places import ZoneSource

OWN: Final = "fields."
"""Prefix of the organization's own fields."""


class Match(StrEnum):
    """Whether a contact must meet all conditions or at least one."""

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
    """The field has no value; for a time: never."""
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
    """What a field holds. It decides which conditions are possible."""

    TEXT = "text"
    """Compared without case."""
    TAGS = "tags"
    """Compared exactly."""
    CHOICE = "choice"
    IDS = "ids"
    TIME = "time"
    CHANNEL = "channel"
    """The suppressed channel: `any`, `voice` or `sms`."""
    OUTCOME = "outcome"
    """The contact's status in a campaign: `<campaign id>:<status>`."""


_ONE_OF_LIST: Final = frozenset({Op.IS, Op.IS_NOT, Op.ANY_OF, Op.NONE_OF})
EMPTINESS: Final = frozenset({Op.EMPTY, Op.NOT_EMPTY})
"""Conditions without a value."""

OPS: Final[Mapping[Kind, frozenset[Op]]] = {
    Kind.TEXT: _ONE_OF_LIST | EMPTINESS | {Op.CONTAINS, Op.NOT_CONTAINS, Op.STARTS_WITH},
    Kind.TAGS: _ONE_OF_LIST | EMPTINESS | {Op.ALL_OF},
    Kind.CHOICE: _ONE_OF_LIST | EMPTINESS,
    Kind.IDS: _ONE_OF_LIST | EMPTINESS,
    Kind.TIME: EMPTINESS | {Op.BEFORE, Op.AFTER, Op.BETWEEN, Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS},
    Kind.CHANNEL: frozenset({Op.IS, Op.IS_NOT}),
    Kind.OUTCOME: _ONE_OF_LIST,
}
"""The possible conditions of each kind. For a list, `is` and `is_not` mean `any_of` and `none_of` with one value."""

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
    "zone_source": Kind.CHOICE,
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
"""The fields of a condition, beside `fields.<name>`, which is a text."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "last_outcome": tuple(Disposition),
    "consent": ("unknown", "granted", "denied", "withdrawn"),
    "source": ("manual", "import", "api", "sample"),
    "zone_source": tuple(ZoneSource),
    "suppressed": ("any", "voice", "sms"),
}
"""Field -> the values it can have."""

_ALWAYS_THERE: Final = frozenset(
    {"phone_number", "consent", "source", "zone_source", "created_at", "updated_at", "id"}
)
"""Fields that every contact has: they have no condition on being empty."""

Value = str | int | tuple[str, ...] | tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a field of a contact.

    `value` is a text (`is`, `contains` …), a channel, days (`within_days`), texts or ids (`any_of` …), both ends of
    `between`, or None. A time is ISO 8601: a date in the filter's time zone, or a time with its UTC offset.
    """

    field: str
    op: Op
    value: Value = None


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Conditions, and a search. A contact must match the search, and all or any of the conditions.

    `search` is the start of a name, of its last word, or of a phone number. `zone` is the time zone of the dates in
    the conditions. A filter without conditions and search matches everybody.
    """

    conditions: tuple[Condition, ...] = ()
    match: Match = Match.ALL
    search: str = ""
    zone: str = "UTC"

    def __bool__(self) -> bool:
        """Tell whether it has any condition or search."""
        return bool(self.conditions or self.search)


EVERYBODY: Final = ContactFilter()


class FilterInvalid(ValueError):
    """The filter is wrong. `errors`: path in its JSON (`conditions.0.value`) -> what to change."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = dict(errors)


def kind_of(field: str) -> Kind | None:
    """Return what a field holds; None if there is no such field."""
    if field.startswith(OWN) and field != OWN:
        return Kind.TEXT
    return FIELDS.get(field)


def ops_of(field: str) -> frozenset[Op]:
    """Return the possible conditions of a field; none if there is no such field."""
    kind = kind_of(field)
    if kind is None:
        return frozenset()
    return OPS[kind] - EMPTINESS if field in _ALWAYS_THERE else OPS[kind]


def as_json(wanted: ContactFilter) -> dict[str, Any]:
    """Return the filter as JSON; `read_filter` reads it back."""
    return {
        "match": wanted.match.value,
        "search": wanted.search,
        "time_zone": wanted.zone,
        "conditions": [_condition_json(condition) for condition in wanted.conditions],
    }


def interval(condition: Condition, zone: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return start (included) and end (excluded) of the time in which a condition holds; None: no limit.

    For `not_within_days` it is the time in which the condition does *not* hold.
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
    """Return the start of a day; a time is its own start."""
    day = day_of(moment)
    return midnight(day, zone) if day else datetime.fromisoformat(moment)


def end_of(moment: str, zone: str) -> datetime:
    """Return the start of the next day; for a time, the next microsecond."""
    day = day_of(moment)
    if day:
        return midnight(day + timedelta(days=1), zone)
    return datetime.fromisoformat(moment) + timedelta(microseconds=1)


def midnight(day: date, zone: str) -> datetime:
    """Return the start of the day in that time zone, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def day_of(moment: str) -> date | None:
    """Return the date of an ISO text; None if it is no date."""
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
