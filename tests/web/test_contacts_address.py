"""How the address of the address book says a filter."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest

from app.domain.contact_filter import (
    CHOICES,
    EMPTINESS,
    FIELDS,
    OWN,
    Condition,
    ContactFilter,
    Kind,
    Match,
    Op,
    kind_of,
    ops_of,
)
from app.domain.contact_filter_reading import read_filter
from app.services.contacts.index_scans import Sort
from app.web import routes
from app.web.pages.contacts.address_presenter import LONGEST, ContactsQuery

ZONE: Final = "America/New_York"
TEXTS: Final = ("Ada", "a,b", "100%", "%2C", "a+b c", "x&y=z#?", "José \N{EM DASH} 王", "\\,", "a.b:c", ",")


def back(query: ContactsQuery, zone: str = ZONE) -> ContactsQuery:
    """What is read from the address that says it."""
    return ContactsQuery.read(routes.asked_pairs(query.address(zone=zone).removeprefix("?")), zone=zone)


MOMENTS: Final = ("2026-03-10", "2026-03-10T09:00:00+01:00")
VALUES: Final[Mapping[Kind, Sequence[Any]]] = {
    Kind.TIME: MOMENTS,
    Kind.IDS: ([7], [7, 2**62]),
    Kind.OUTCOME: (["7:completed"], ["7:completed", "8:failed"]),
    Kind.TEXT: TEXTS,
    Kind.TAGS: TEXTS,
}


def values_of(field: str, op: Op) -> Sequence[Any]:
    """Values that may be asked of a field so, in the JSON of a filter."""
    if op in EMPTINESS:
        return [None]
    if op in {Op.WITHIN_DAYS, Op.NOT_WITHIN_DAYS}:
        return [1, 3650]
    if op is Op.BETWEEN:
        return [["2026-01-01", "2026-03-10"], [MOMENTS[1], "2026-12-31"]]
    kind = kind_of(field)
    assert kind is not None
    values = CHOICES[field] if field in CHOICES else VALUES[kind]
    takes_list = op in {Op.ANY_OF, Op.NONE_OF, Op.ALL_OF} and kind in {Kind.TEXT, Kind.TAGS, Kind.CHOICE}
    return [*values, list(values)] if takes_list else values


def conditions() -> Iterator[Condition]:
    """Every kind of condition on every field, own ones with odd names too."""
    for field in [*FIELDS, f"{OWN}deal_stage", f"{OWN}a.b & c=%2C", f"{OWN}is", f"{OWN}x.is"]:
        for op in sorted(ops_of(field)):
            for value in values_of(field, op):
                given = {"field": field, "op": op, "value": value}
                yield from read_filter({"conditions": [given]}, zone=ZONE).conditions


def test_every_condition_is_read_as_it_was_written() -> None:
    for condition in conditions():
        query = ContactsQuery(ContactFilter((condition,), zone=ZONE))
        assert back(query) == query


def test_several_conditions_keep_their_order_and_how_they_are_joined() -> None:
    every = list(conditions())
    for begin in range(0, len(every), 20):
        some = tuple(every[begin : begin + 20])
        query = ContactsQuery(
            ContactFilter((*some[:10], *some[:3]), Match.ANY, zone="Europe/Berlin"),
            search="jo & co",
            sort=Sort.NAME,
            descending=True,
            segment_id=5,
            is_changed=True,
        )
        assert back(query) == query


def test_an_address_can_be_read_by_people() -> None:
    vip = Condition("tags", Op.ANY_OF, ("vip", "new"))
    late = Condition("last_contacted_at", Op.NOT_WITHIN_DAYS, 30)
    query = ContactsQuery(ContactFilter((vip, late), zone=ZONE), search="jo")
    assert query.address(zone=ZONE) == "?search=jo&tags.any_of=vip,new&last_contacted_at.not_within_days=30"
    assert ContactsQuery(ContactFilter(zone=ZONE)).address(zone=ZONE) == ""


@pytest.mark.parametrize(
    ("query", "address"),
    [
        (ContactsQuery(ContactFilter(zone=ZONE), segment_id=5), "?segment=5"),
        (ContactsQuery(ContactFilter(zone=ZONE), search="", segment_id=5), "?segment=5&search="),
        (ContactsQuery(ContactFilter(zone=ZONE), segment_id=5, is_changed=True), "?segment=5&match=all"),
    ],
)
def test_a_segment_stands_there_by_its_id_and_says_when_its_filter_was_changed(
    query: ContactsQuery, address: str
) -> None:
    assert query.address(zone=ZONE) == address
    assert back(query) == query


def test_a_filter_too_long_for_an_address_is_left_out_of_it() -> None:
    ids = Condition("id", Op.ANY_OF, tuple(range(10**6, 10**6 + 1000)))
    query = ContactsQuery(ContactFilter((ids,), zone=ZONE), search="jo")
    assert query.address(zone=ZONE) == "?search=jo"
    assert len(ContactsQuery(ContactFilter((ids,), zone=ZONE), search="x" * 200).address(zone=ZONE)) < LONGEST
