"""Which column holds what: suggested from the header, decided by the person."""

import pytest

from app.domain.contact_fields import (
    FIELDS,
    MappingInvalid,
    canonical_target,
    check_mapping,
    suggest_mapping,
    tags_in,
    unique_headers,
)


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("phone", "phone_number"),
        ("Phone Number", "phone_number"),
        ("PHONE-NUMBER", "phone_number"),
        ("mobile", "phone_number"),
        ("Cell", "phone_number"),
        ("tel.", "phone_number"),
        ("telephone", "phone_number"),
        ("msisdn", "phone_number"),
        ("number", "phone_number"),
        ("contact", "phone_number"),
        ("Phone 1 - Value", "phone_number"),
        ("Téléphone", "phone_number"),
        ("full_name", "name"),
        ("Contact Name", "name"),
        ("First Name", "first_name"),
        ("Surname", "last_name"),
        ("E-mail Address", "email"),
        ("organization", "company"),
        ("TZ", "time_zone"),
        ("timezone", "time_zone"),
        ("State", "state"),
        ("Zip Code", "zip"),
        ("language", "language"),
        ("notes", "notes"),
        ("deal_stage", "variable:deal_stage"),
        ("Appointment Date", "variable:appointment_date"),
        ("callsheet_reason", "ignore"),
    ],
)
def test_a_headers_meaning_is_found_whatever_its_case_spaces_and_marks(header: str, target: str) -> None:
    assert suggest_mapping([header]) == {header: target}


def test_the_surest_phone_column_wins_and_the_others_stay_variables() -> None:
    assert suggest_mapping(["contact", "number", "mobile", "phone_number"]) == {
        "contact": "name",
        "number": "variable:number",
        "mobile": "variable:mobile",
        "phone_number": "phone_number",
    }


def test_every_column_gets_a_target_of_its_own() -> None:
    targets = list(suggest_mapping(["First", "first", "FIRST", "Größe", "Größe!", "日付", "1"]).values())
    assert len(set(targets)) == len(targets)


def test_no_column_is_called_phone_by_chance() -> None:
    assert (
        "phone_number" not in suggest_mapping(["phone model", "telephone company", "order number"]).values()
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("phone", "phone_number"),
        ("contact_name", "name"),
        ("timezone", "time_zone"),
        ("ignore", "ignore"),
        ("variable", "variable:deal_stage"),
        ("variable:My Stage", "variable:my_stage"),
        ("variable:!!", None),
        ("shoe size", None),
        ("", None),
    ],
)
def test_a_target_is_understood_in_several_spellings(written: str, meant: str | None) -> None:
    assert canonical_target(written, "Deal Stage") == meant


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_a_target_of_its_own_name(field: str) -> None:
    assert canonical_target(field, "x") == field


def test_unnamed_columns_are_ignored_and_the_order_is_the_files() -> None:
    mapping = check_mapping(["a", "b", "c"], {"c": "name", "a": "phone"})
    assert list(mapping.items()) == [("a", "phone_number"), ("b", "ignore"), ("c", "name")]


def test_every_error_of_a_mapping_is_told_at_once() -> None:
    with pytest.raises(MappingInvalid) as invalid:
        check_mapping(["a", "b", "c"], {"a": "name", "b": "name", "c": "shoe size", "d": "email"})
    assert set(invalid.value.errors) == {"b", "c", "d"}


def test_headers_become_distinct_names() -> None:
    assert unique_headers(["Name", "Name", "", " a  b "]) == ["Name", "Name (2)", "Column 3", "a b"]


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("vip, new;Berlin ,vip", ["vip", "new", "Berlin"]),
        ('["vip", "Smith, Ann", 7]', ["vip", "Smith, Ann", "7"]),
        ("[vip", ["[vip"]),
        (" ; ", []),
    ],
)
def test_tags_stand_between_commas_or_semicolons_or_in_a_json_array(cell: str, tags: list[str]) -> None:
    assert tags_in(cell) == tags


def test_what_our_own_export_says_beside_the_card_makes_no_own_fields() -> None:
    columns = ["phone_number", "tags", "consent", "suppressed", "last_outcome", "last_contacted_at", "source"]
    assert list(suggest_mapping(columns).values()) == ["phone_number", "tags", "consent", *["ignore"] * 4]
    assert suggest_mapping(["phone", "source"])["source"] == "variable:source"
