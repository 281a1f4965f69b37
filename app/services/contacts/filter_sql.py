"""Turns a filter of the address book into SQL conditions. All values from people are parameters."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    String,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.domain.campaign import Channel
from app.domain.contact_filter import (
    OWN,
    Condition,
    ContactFilter,
    FilterInvalid,
    Kind,
    Match,
    Op,
    interval,
    kind_of,
)
from app.domain.contact_filter_reading import read_filter
from app.domain.suppression import SuppressionScope, scopes_of
from app.models import Contact, Recipient, Suppression
from app.services.contacts.search import matches_search
from app.services.errors import FieldErrors
from app.services.field_readers import cleaned
from app.services.prefix_search import LOWER_NAME, name_starts_with, number_starts_with

LAST_CONTACTED: Final[ColumnElement[datetime]] = func.coalesce(
    col(Contact.last_contacted_at), literal_column("'-infinity'")
)
"""The expression of `ix_contact_last_contacted`: people never contacted sort first."""

Text = ColumnElement[str] | Mapped[str]

_CLOSED_BY: Final[Mapping[object, tuple[SuppressionScope, ...]]] = {
    "any": tuple(SuppressionScope),
    "voice": tuple(sorted(scopes_of(Channel.CALL))),
    "sms": tuple(sorted(scopes_of(Channel.SMS))),
}
_MAY_BE_UNSET: Final = frozenset({"last_outcome", "import_id", "consent_at"})
_NEGATIVE: Final[Mapping[Op, Op]] = {
    Op.IS_NOT: Op.IS,
    Op.NOT_CONTAINS: Op.CONTAINS,
    Op.NONE_OF: Op.ANY_OF,
    Op.NOT_EMPTY: Op.EMPTY,
    Op.NOT_WITHIN_DAYS: Op.WITHIN_DAYS,
}
"""Negative operator -> the one whose opposite it is."""


def require_said(wanted: ContactFilter, *, everyone: bool) -> None:
    """Check that a filter matches everybody only on purpose: an empty filter may be a mistake.

    Raises `FieldErrors` on `filter`.
    """
    if not (everyone or wanted.conditions or wanted.search):
        raise FieldErrors(
            {"filter": "This filter means everybody. If that is what you want, send everyone: true."}
        )


def where(wanted: ContactFilter, organization_id: int, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions of the organization's contacts that match the filter. All of them must be met."""
    asked = [condition_of(condition, wanted.zone, now) for condition in wanted.conditions]
    conditions = [or_(*asked)] if asked and wanted.match is Match.ANY else asked
    if wanted.search:
        conditions.append(matches_search(wanted.search))
    return [col(Contact.organization_id) == organization_id, *conditions]


def condition_of(condition: Condition, zone: str, now: datetime) -> ColumnElement[bool]:
    """Return one condition. For an empty field it may be NULL, which counts as not met."""
    if (positive := _NEGATIVE.get(condition.op)) is not None:
        met = condition_of(Condition(condition.field, positive, condition.value), zone, now)
        # NOT EXISTS and NOT (a = b) can use good plans, IS NOT true cannot: it is used only where needed.
        return met.is_not(true()) if condition.field in _MAY_BE_UNSET else not_(met)
    kind = kind_of(condition.field)
    if kind is Kind.TIME:
        return _time(condition, zone, now)
    assert kind is not None
    return _OF_KIND[kind](condition)


def _text(condition: Condition) -> ColumnElement[bool]:
    if condition.field == "phone_number":
        return _number(condition)
    column, value = _text_column(condition.field), condition.value
    if condition.op is Op.EMPTY:
        return column == ""
    if condition.field == "name" and condition.op in {Op.STARTS_WITH, Op.IS}:
        return _name(condition)
    folded = func.lower(column)
    if condition.op is Op.STARTS_WITH:
        return func.starts_with(folded, _folded(value))
    if condition.op is Op.CONTAINS:
        return func.strpos(folded, _folded(value)) > 0
    return or_(false(), *(folded == _folded(each) for each in _values(value)))


def _name(condition: Condition) -> ColumnElement[bool]:
    """Compare names so that the index of the search is used."""
    name = str(condition.value)
    return name_starts_with(name) if condition.op is Op.STARTS_WITH else _folded(name) == LOWER_NAME


def _text_column(field: str) -> Text:
    if field.startswith(OWN):
        own = col(Contact.fields).op("->>")(bindparam(None, field.removeprefix(OWN), type_=String()))
        return func.coalesce(own, "")
    columns: Mapping[str, Mapped[str]] = {
        "name": col(Contact.name),
        "first_name": col(Contact.first_name),
        "last_name": col(Contact.last_name),
        "email": col(Contact.email),
        "company": col(Contact.company),
        "time_zone": col(Contact.time_zone),
        "language": col(Contact.language),
        "country": col(Contact.country),
        "state": col(Contact.state),
        "notes": col(Contact.notes),
    }
    return columns[field]


def _number(condition: Condition) -> ColumnElement[bool]:
    """Compare numbers by their digits, in any notation."""
    number, value = col(Contact.number), condition.value
    match condition.op:
        case Op.STARTS_WITH:
            return number_starts_with(number, str(value))
        case Op.CONTAINS:
            digits = _digits(value)
            return func.strpos(number, digits) > 0 if digits else false()
        case _:
            # A number without a plus may lack North America's 1.
            asked = [(str(each).strip().startswith("+"), _digits(each)) for each in _values(value)]
            exact = [f"+{digits}" for _, digits in asked]
            return number.in_([*exact, *(f"+1{digits}" for has_plus, digits in asked if not has_plus)])


def _digits(text: object) -> str:
    return "".join(letter for letter in str(text) if letter in "0123456789")


def _tags(condition: Condition) -> ColumnElement[bool]:
    tags = col(Contact.tags)
    if condition.op is Op.EMPTY:
        return func.cardinality(tags) == 0
    given = cast(list(_values(condition.value)), ARRAY(String))
    together = (
        tags.op("@>", is_comparison=True) if condition.op is Op.ALL_OF else tags.op("&&", is_comparison=True)
    )
    found: ColumnElement[bool] = together(given)
    return found


def _choice(condition: Condition) -> ColumnElement[bool]:
    values = _values(condition.value)
    if condition.field == "source":
        source = col(Contact.source)
        came = [or_(source == word, source.startswith(f"{word}:", autoescape=True)) for word in values]
        return or_(false(), *came)
    columns: Mapping[str, Mapped[Any]] = {
        "consent": col(Contact.consent),
        "last_outcome": col(Contact.last_outcome),
        "zone_source": col(Contact.zone_source),
    }
    column = columns[condition.field]
    return column.is_(None) if condition.op is Op.EMPTY else column.in_(values)


def _ids(condition: Condition) -> ColumnElement[bool]:
    values = _values(condition.value)
    match condition.field:
        case "id":
            return col(Contact.id).in_(values)
        case "import_id" if condition.op is Op.EMPTY:
            return col(Contact.import_id).is_(None)
        case "import_id":
            return col(Contact.import_id).in_(values)
        case _:
            ours = col(Recipient.contact_id) == col(Contact.id)
            of_these = col(Recipient.campaign_id).in_(values)
            return not_(exists().where(ours)) if condition.op is Op.EMPTY else exists().where(ours, of_these)


def _outcomes(condition: Condition) -> ColumnElement[bool]:
    asked = [str(value).partition(":") for value in _values(condition.value)]
    ended = or_(
        *(
            and_(col(Recipient.campaign_id) == int(campaign), col(Recipient.status) == status)
            for campaign, _, status in asked
        )
    )
    return exists().where(col(Recipient.contact_id) == col(Contact.id), ended)


def _channel(condition: Condition) -> ColumnElement[bool]:
    return exists(
        select(literal_column("1"))
        .select_from(Suppression)
        .where(
            col(Suppression.organization_id) == col(Contact.organization_id),
            col(Suppression.number) == col(Contact.number),
            col(Suppression.scope).in_(_CLOSED_BY[condition.value]),
            col(Suppression.lifted_at).is_(None),
        )
    )


def _time(condition: Condition, zone: str, now: datetime) -> ColumnElement[bool]:
    if condition.field == "last_contacted_at":
        column: Any = LAST_CONTACTED
        # A range, so that people never contacted are found in the order of the index: see `IndexScan`.
        never = literal_column("'-infinity'") >= LAST_CONTACTED
    else:
        column = getattr(Contact, condition.field)
        never = col(column).is_(None)
    if condition.op is Op.EMPTY:
        return never
    begin, end = interval(condition, zone, now)
    span = [column >= begin] if begin is not None else [column > literal_column("'-infinity'")]
    if end is not None:
        span.append(column < end)
    return and_(*span)


def _values(value: object) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)


def _folded(value: object) -> ColumnElement[str]:
    return func.lower(bindparam(None, str(value), type_=String()))


_OF_KIND: Final[Mapping[Kind, Callable[[Condition], ColumnElement[bool]]]] = {
    Kind.TEXT: _text,
    Kind.TAGS: _tags,
    Kind.CHOICE: _choice,
    Kind.IDS: _ids,
    Kind.CHANNEL: _channel,
    Kind.OUTCOME: _outcomes,
}


def filter_from(given: object, *, zone: str, field: str = "filter") -> ContactFilter:
    """Return the filter from JSON; days are in `zone`. Raises `FieldErrors` with paths below `field`."""
    try:
        return read_filter(given, zone=zone)
    except FilterInvalid as invalid:
        errors = {f"{field}.{path}".rstrip("."): message for path, message in invalid.errors.items()}
        raise FieldErrors(errors) from invalid


def chosen(wanted: str, search: str, *, zone: str) -> ContactFilter:
    """Return the filter of a query string (JSON, or empty) together with a search. Raises `FieldErrors`."""
    try:
        given = json.loads(wanted) if wanted.strip() else {}
    except (ValueError, RecursionError) as error:
        raise FieldErrors({"filter": f"This is not JSON: {error}."}) from error
    found = filter_from(given, zone=zone)
    return replace(found, search=" ".join(cleaned(search).split())) if search else found
