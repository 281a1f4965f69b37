"""Filters of the address book: what may be asked, read from JSON with every mistake named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contact_filter import (
    CHOICES,
    EVERYBODY,
    FIELDS,
    OPS,
    Condition,
    ContactFilter,
    FilterInvalid,
    Kind,
    Match,
    Op,
    as_json,
    interval,
    kind_of,
    ops_of,
)
from app.domain.contact_filter_reading import read_filter

NOON = datetime(2026, 3, 10, 16, tzinfo=UTC)


def one(field: Any, op: Any, value: Any = None) -> Condition:
    [condition] = read_filter({"conditions": [{"field": field, "op": op, "value": value}]}).conditions
    return condition


def errors(filter_: Any) -> dict[str, str]:
    with pytest.raises(FilterInvalid) as invalid:
        read_filter(filter_)
    return invalid.value.errors


def test_an_empty_filter_is_everybody() -> None:
    assert read_filter({}) == EVERYBODY
    assert not EVERYBODY
    assert read_filter({"search": "a"})


def test_search_match_and_zone_are_read() -> None:
    read = read_filter({"search": "  ann \x00 doe ", "match": "any", "time_zone": "Asia/Kolkata"})
    assert read == ContactFilter((), Match.ANY, "ann doe", "Asia/Kolkata")


def test_a_filter_without_a_zone_has_the_organization_s() -> None:
    assert read_filter({}, zone="Europe/Berlin").zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("given_as", "field"),
    [("number", "phone_number"), ("last_contacted", "last_contacted_at"), ("created", "created_at")],
)
def test_other_words_for_a_field_are_understood(given_as: str, field: str) -> None:
    op = "empty" if field == "last_contacted_at" else "before" if field == "created_at" else "is"
    value = {"empty": None, "before": "2026-03-10", "is": "+1"}[op]
    assert one(given_as, op, value).field == field


@pytest.mark.parametrize(
    ("field", "op", "value", "condition"),
    [
        ("name", "is", " Ann ", Condition("name", Op.IS, "Ann")),
        ("fields.Deal stage", "is", 5, Condition("fields.Deal stage", Op.IS, "5")),
        ("company", "any_of", ["a", "a", "b"], Condition("company", Op.ANY_OF, ("a", "b"))),
        ("company", "any_of", "a", Condition("company", Op.ANY_OF, ("a",))),
        ("tags", "is", "vip", Condition("tags", Op.ANY_OF, ("vip",))),
        ("tags", "is_not", "vip", Condition("tags", Op.NONE_OF, ("vip",))),
        ("last_outcome", "is", "busy", Condition("last_outcome", Op.ANY_OF, ("busy",))),
        ("import_id", "is", "7", Condition("import_id", Op.ANY_OF, (7,))),
        ("suppressed", "is", "voice", Condition("suppressed", Op.IS, "voice")),
        ("notes", "empty", None, Condition("notes", Op.EMPTY)),
        ("last_contacted_at", "within_days", 7, Condition("last_contacted_at", Op.WITHIN_DAYS, 7)),
        ("created_at", "before", "20260310", Condition("created_at", Op.BEFORE, "2026-03-10")),
        (
            *("created_at", "after", "2026-03-10T09:00:00+01:00"),
            Condition("created_at", Op.AFTER, "2026-03-10T08:00:00+00:00"),
        ),
        (
            *("created_at", "between", ["2026-03-10", "2026-03-10"]),
            Condition("created_at", Op.BETWEEN, ("2026-03-10", "2026-03-10")),
        ),
        ("campaign_status", "is", "7:no_answer", Condition("campaign_status", Op.ANY_OF, ("7:no_answer",))),
    ],
)
def test_a_condition_is_read(field: str, op: str, value: Any, condition: Condition) -> None:
    assert one(field, op, value) == condition


@pytest.mark.parametrize(
    ("given_filter", "field"),
    [
        (None, ""),
        ([], ""),
        ({"conditions": {}}, "conditions"),
        ({"conditions": [{}] * 21}, "conditions"),
        ({"match": "some"}, "match"),
        ({"match": []}, "match"),
        ({"search": 7}, "search"),
        ({"search": "x" * 201}, "search"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"order": "name"}, "order"),
        ({"conditions": ["x"]}, "conditions.0"),
        ({"conditions": [{"field": "name", "op": "is", "value": "x", "case": True}]}, "conditions.0.case"),
    ],
)
def test_a_filter_of_another_shape_is_refused_by_its_path(given_filter: Any, field: str) -> None:
    assert list(errors(given_filter)) == [field]


@pytest.mark.parametrize(
    ("field", "op", "value", "part"),
    [
        ("shoe_size", "is", 1, "field"),
        ("fields.", "is", "x", "field"),
        (7, "is", "x", "field"),
        ("name", "resembles", "x", "op"),
        ("name", [], "x", "op"),
        ("name", "within_days", 1, "op"),
        ("tags", "contains", "x", "op"),
        ("phone_number", "empty", None, "op"),
        ("consent", "empty", None, "op"),
        ("name", "is", "", "value"),
        ("name", "is", "\x00", "value"),
        ("name", "is", None, "value"),
        ("name", "is", True, "value"),
        ("name", "is", "x" * 201, "value"),
        ("name", "any_of", [], "value"),
        ("name", "any_of", ["x"] * 1_001, "value"),
        ("name", "empty", "x", "value"),
        ("last_outcome", "is", "bored", "value"),
        ("consent", "is", ["granted", "maybe"], "value"),
        ("suppressed", "is", "fax", "value"),
        ("suppressed", "is", ["voice"], "value"),
        ("import_id", "is", 0, "value"),
        ("import_id", "is", 2**63, "value"),
        ("import_id", "is", "9" * 5_000, "value"),
        ("import_id", "is", True, "value"),
        ("campaign_status", "is", "7", "value"),
        ("campaign_status", "is", "x:busy", "value"),
        ("campaign_status", "is", "7:bored", "value"),
        ("created_at", "within_days", 0, "value"),
        ("created_at", "within_days", 3_651, "value"),
        ("created_at", "within_days", "7", "value"),
        ("created_at", "before", "yesterday", "value"),
        ("created_at", "before", "2026-03-10T09:00:00", "value"),
        ("created_at", "before", "0001-01-01", "value"),
        ("created_at", "between", ["2026-03-10"], "value"),
        ("created_at", "between", ["2026-03-11", "2026-03-10"], "value"),
        ("created_at", "between", ["2026-03-11", "x"], "value"),
    ],
)
def test_a_condition_that_makes_no_sense_is_named(field: Any, op: Any, value: Any, part: str) -> None:
    said = {"conditions": [{"field": field, "op": op, "value": value}]}
    assert list(errors(said)) == [f"conditions.0.{part}"]


def test_every_mistake_is_named_at_once() -> None:
    bad = {"match": "x", "conditions": [{"field": "x", "op": "is"}, {"field": "name", "op": "x"}]}
    assert errors(bad).keys() == {"match", "conditions.0.field", "conditions.1.op"}


def test_lone_halves_of_characters_never_get_through() -> None:
    assert one("name", "is", "a\ud800b") == Condition("name", Op.IS, "ab")


def test_every_field_has_a_kind_and_may_be_asked_something() -> None:
    for field in (*FIELDS, "fields.x"):
        kind = kind_of(field)
        assert kind is not None
        assert ops_of(field) <= OPS[kind]
        assert ops_of(field)
    assert ops_of("shoe_size") == frozenset()
    assert CHOICES.keys() == {name for name, kind in FIELDS.items() if kind in {Kind.CHOICE, Kind.CHANNEL}}


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("op", "value", "begin", "end"),
    [
        (Op.WITHIN_DAYS, 7, NOON - 7 * DAY, None),
        (Op.NOT_WITHIN_DAYS, 7, NOON - 7 * DAY, None),
        (Op.BEFORE, "2026-03-10", None, datetime(2026, 3, 10, 4, tzinfo=UTC)),
        (Op.AFTER, "2026-03-10", datetime(2026, 3, 11, 4, tzinfo=UTC), None),
        (Op.AFTER, "2026-03-07", datetime(2026, 3, 8, 5, tzinfo=UTC), None),
        (Op.BETWEEN, ("2026-03-08", "2026-03-08"), datetime(2026, 3, 8, 5, tzinfo=UTC),
         datetime(2026, 3, 9, 4, tzinfo=UTC)),
        (Op.BEFORE, NOON.isoformat(), None, NOON),
        (Op.AFTER, NOON.isoformat(), NOON + timedelta(microseconds=1), None),
        (Op.EMPTY, None, None, None),
    ],
)  # fmt: skip
def test_days_begin_and_end_where_the_organization_is(
    op: Op, value: Any, begin: datetime | None, end: datetime | None
) -> None:
    assert interval(Condition("created_at", op, value), "America/New_York", NOON) == (begin, end)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    field=st.sampled_from([*FIELDS, "fields.x", "fields.", "x"]) | junk,
    op=st.sampled_from(list(Op)) | junk,
    value=junk | st.sampled_from(["2026-03-10", "busy", "voice", "granted", "7:busy"]) | st.lists(st.text()),
)
def test_anything_is_read_or_refused_and_what_is_read_is_read_again(field: Any, op: Any, value: Any) -> None:
    said = {"conditions": [{"field": field, "op": op, "value": value}]}
    try:
        read = read_filter(said)
    except FilterInvalid:
        assert all(path.startswith("conditions.0") for path in errors(said))
    else:
        assert read_filter(as_json(read)) == read
