"""Read a filter of the address book from JSON, and report every mistake at once."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from app.domain.contact_filter import (
    CHOICES,
    EMPTINESS,
    FIELDS,
    OWN,
    Condition,
    ContactFilter,
    FilterInvalid,
    Kind,
    Match,
    Op,
    Value,
    begin_of,
    day_of,
    kind_of,
    ops_of,
)
from app.domain.recipient import RecipientStatus
from app.domain.text import UNPRINTABLE, trimmed
from app.domain.time_zones import ZoneRefused, read_zone

MOST_CONDITIONS: Final = 20
MOST_VALUES: Final = 1_000
LONGEST_VALUE: Final = 200
MOST_DAYS: Final = 3_650

_YEARS: Final = range(1900, 2201)
_HOW_TO_SAY_WHEN: Final = (
    "Send a date such as 2026-03-10, or a time with its offset: 2026-03-10T09:00:00+01:00."
)

_ALIASES: Final[Mapping[str, str]] = {
    "number": "phone_number",
    "phone": "phone_number",
    "last_contacted": "last_contacted_at",
    "created": "created_at",
    "outcome": "last_outcome",
}


def read_filter(given: object, *, zone: str = "UTC") -> ContactFilter:
    """Return the filter that JSON describes. Raises `FilterInvalid` with every wrong field.

    `{"match": "all", "search": "", "time_zone": "America/New_York", "conditions": [{"field", "op", "value"}]}`;
    every part is optional. `zone` is used if the filter has no `time_zone`.
    """
    return _FilterReader(zone).read(given)


class _FilterReader:
    """Reads one filter. Valid parts become conditions; errors are collected by their paths."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._errors: dict[str, str] = {}

    def read(self, given: object) -> ContactFilter:
        if not isinstance(given, Mapping):
            raise FilterInvalid({"": "A filter is an object with `conditions`, `match` and `search`."})
        for name in given.keys() - {"match", "search", "time_zone", "conditions"}:
            self._refuse(str(name), "There is no such field.")
        found = ContactFilter(
            conditions=self._conditions(given.get("conditions")),
            match=self._match(given.get("match")),
            search=self._search(given.get("search")),
            zone=self._read_zone(given.get("time_zone")),
        )
        if self._errors:
            raise FilterInvalid(self._errors)
        return found

    def _refuse(self, path: str, message: str) -> None:
        self._errors.setdefault(path, message)

    def _match(self, given: object) -> Match:
        if given in (None, *Match):
            return Match(str(given or Match.ALL))
        self._refuse("match", "Use `all` or `any`.")
        return Match.ALL

    def _search(self, given: object) -> str:
        if given is None or (isinstance(given, str) and len(given) <= LONGEST_VALUE):
            return " ".join(trimmed(UNPRINTABLE.sub("", given or "")).split())
        self._refuse("search", f"Search for a text of at most {LONGEST_VALUE} characters.")
        return ""

    def _read_zone(self, given: object) -> str:
        if given is None:
            return self._zone
        try:
            return read_zone(given if isinstance(given, str) else "")
        except ZoneRefused as refused:
            self._refuse("time_zone", str(refused))
            return self._zone

    def _conditions(self, given: object) -> tuple[Condition, ...]:
        if given is None:
            return ()
        if not isinstance(given, list | tuple):
            self._refuse("conditions", "Conditions are a list.")
            return ()
        if len(given) > MOST_CONDITIONS:
            self._refuse("conditions", f"Use at most {MOST_CONDITIONS} conditions.")
            return ()
        read = [self._condition(f"conditions.{place}", each) for place, each in enumerate(given)]
        return tuple(condition for condition in read if condition is not None)

    def _condition(self, path: str, given: object) -> Condition | None:
        if not isinstance(given, Mapping):
            self._refuse(path, "A condition is an object with `field`, `op` and `value`.")
            return None
        for name in given.keys() - {"field", "op", "value"}:
            self._refuse(f"{path}.{name}", "There is no such field.")
        field, op = self._field(path, given.get("field")), self._op(path, given)
        if field is None or op is None:
            return None
        if op not in ops_of(field):
            known = ", ".join(sorted(ops_of(field)))
            self._refuse(f"{path}.op", f"`{op}` cannot be asked of `{field}`. Use one of: {known}.")
            return None
        return self._with_value(path, field, op, given.get("value"))

    def _field(self, path: str, given: object) -> str | None:
        field = _ALIASES.get(given, given) if isinstance(given, str) else ""
        if kind_of(field) is None or len(field) > LONGEST_VALUE:
            known = ", ".join((*FIELDS, f"{OWN}<name>"))
            self._refuse(f"{path}.field", f"Use one of: {known}.")
            return None
        return field

    def _op(self, path: str, given: Mapping[Any, Any]) -> Op | None:
        try:
            return Op(str(given.get("op")))
        except ValueError:
            self._refuse(f"{path}.op", f"Use one of: {', '.join(Op)}.")
            return None

    def _with_value(self, path: str, field: str, op: Op, given: object) -> Condition | None:
        place, kind = f"{path}.value", kind_of(field)
        if op in EMPTINESS:
            if given not in (None, ""):
                self._refuse(place, f"`{op}` takes no value.")
            return Condition(field, op)
        value: Value
        if kind is Kind.TIME and op in {Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS}:
            value = self._days(place, given)
        elif kind is Kind.TIME:
            value = self._between(place, given) if op is Op.BETWEEN else self._moment(place, given)
        elif kind is Kind.CHANNEL:
            value = self._word(place, given, CHOICES[field])
        elif kind is Kind.TEXT and op not in {Op.ANY_OF, Op.NONE_OF}:
            value = self._text(place, given)
        else:
            op = {Op.IS: Op.ANY_OF, Op.IS_NOT: Op.NONE_OF}.get(op, op)
            value = self._list(place, field, given)
        return Condition(field, op, value) if value is not None else None

    def _text(self, place: str, given: object) -> str | None:
        plain = isinstance(given, str | int) and not isinstance(given, bool)
        text = trimmed(UNPRINTABLE.sub("", str(given))) if plain else ""
        if text and len(text) <= LONGEST_VALUE:
            return text
        self._refuse(place, f"Send a text of 1 to {LONGEST_VALUE} characters.")
        return None

    def _word(self, place: str, given: object, words: Sequence[str]) -> str | None:
        if isinstance(given, str) and given in words:
            return str(given)
        self._refuse(place, f"Use one of: {', '.join(words)}.")
        return None

    def _list(self, place: str, field: str, given: object) -> Value:
        items = list(given) if isinstance(given, list | tuple) else [given]
        if not 1 <= len(items) <= MOST_VALUES:
            self._refuse(place, f"Send 1 to {MOST_VALUES:,} values.")
            return None
        match FIELDS.get(field, Kind.TEXT):
            case Kind.IDS:
                ids = [self._id(place, item) for item in items]
                return None if None in ids else tuple(dict.fromkeys(each for each in ids if each))
            case Kind.CHOICE:
                words = [self._word(place, item, CHOICES[field]) for item in items]
            case Kind.OUTCOME:
                words = [self._outcome(place, item) for item in items]
            case _:
                words = [self._text(place, item) for item in items]
        return None if None in words else tuple(dict.fromkeys(word for word in words if word))

    def _id(self, place: str, given: object) -> int | None:
        if (found := _row_id(given)) is None:
            self._refuse(place, "Send integer ids.")
        return found

    def _outcome(self, place: str, given: object) -> str | None:
        campaign, _, status = given.partition(":") if isinstance(given, str) else ("", "", "")
        campaign_id = _row_id(campaign)
        if campaign_id is not None and status in set(RecipientStatus):
            return f"{campaign_id}:{status}"
        self._refuse(place, f"Send `<campaign id>:<status>`, with one of: {', '.join(RecipientStatus)}.")
        return None

    def _days(self, place: str, given: object) -> int | None:
        if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MOST_DAYS:
            return given
        self._refuse(place, f"Send a whole number of days from 1 to {MOST_DAYS:,}.")
        return None

    def _between(self, place: str, given: object) -> tuple[str, ...] | None:
        if not isinstance(given, list | tuple) or len(given) != 2:  # noqa: PLR2004  # from and to
            self._refuse(place, "Send two dates or times: from and to.")
            return None
        first, last = (self._moment(place, each) for each in given)
        if first is None or last is None:
            return None
        if begin_of(first, self._zone) > begin_of(last, self._zone):
            self._refuse(place, "The first comes after the second.")
            return None
        return first, last

    def _moment(self, place: str, given: object) -> str | None:
        """Return a date, or a time in UTC, in ISO format."""
        text = given if isinstance(given, str) else ""
        if (day := day_of(text)) is not None and day.year in _YEARS:
            return day.isoformat()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if day is None and moment is not None and moment.tzinfo is not None and moment.year in _YEARS:
            return moment.astimezone(UTC).isoformat()
        self._refuse(place, _HOW_TO_SAY_WHEN)
        return None


def _row_id(given: object) -> int | None:
    if isinstance(given, str) and re.fullmatch(r"[0-9]{1,19}", given):
        given = int(given)
    good = isinstance(given, int) and not isinstance(given, bool) and 0 < given < 2**63
    return given if good and isinstance(given, int) else None
