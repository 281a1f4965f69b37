"""Messages with variables: what may be written, what is said, and what a person is told when it may not."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.templates import (
    SOURCE_LIMIT,
    Missing,
    MissingVariable,
    TemplateInvalid,
    build_variables,
    check,
    compared,
    deciding,
    render,
    says_nothing,
    unresolved,
    variable_names,
)

M = Missing
SEED_MESSAGE = (
    "Hi {{name|title_case}}, this is {{assistant_name}} calling from {{company}}. \n"
    "I'm reaching out about your appointment on {{appointment_date}}."
)
JOHN = {
    "name": "john smith",
    "assistant_name": "Sarah",
    "company": "Bright Dental",
    "appointment_date": "2024-02-15",
    "phone_number": "+12025550143",
    "email": "John@Example.com",
    "notes": "VIP customer",
}


def said(
    source: str,
    variables: Mapping[str, str | None] | None = None,
    *,
    missing: Missing = M.FALLBACK,
    fallbacks: Mapping[str, str] | None = None,
) -> str:
    return render(
        source, variables=JOHN if variables is None else variables, fallbacks=fallbacks or {}, missing=missing
    )


@pytest.mark.parametrize("missing", Missing)
def test_the_seeds_welcome_message(missing: Missing) -> None:
    assert said(SEED_MESSAGE, missing=missing) == (
        "Hi John Smith, this is Sarah calling from Bright Dental. \n"
        "I'm reaching out about your appointment on 2024-02-15."
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{phone_number|phone_format}}", "(202) 555-0143"),
        ("{{name|title_case}}", "John Smith"),
        ("{{company|upper}}", "BRIGHT DENTAL"),
        ("{{email|lower}}", "john@example.com"),
        ("{{ name | upper }}", "JOHN SMITH"),
        ("{{name|default('there')}}", "john smith"),
        (
            "Hi {{nickname|default('there')}}, from {{company|default('our team')}}",
            "Hi there, from Bright Dental",
        ),
        ("{{nickname|default('there', true)}}", "there"),
        ("{{nickname|d('you')|upper}}", "YOU"),
        ("{{nickname|default(name)}}", "john smith"),
        ("{{nickname|title_case|default('x')}}", "x"),
        ("{{name|capitalize}}", "John smith"),
        ("{{name|truncate(5)}}", "john…"),
        ("{{Name}} {{COMPANY}}", "john smith Bright Dental"),
        ("{% if notes %}yes{% else %}no{% endif %}", "yes"),
        ("{% if nickname %}yes{% elif notes == 'VIP customer' %}vip{% endif %}", "vip"),
        ("{% if 'VIP' in notes %}vip{% endif %}{% if 'VIP' in nickname %}no{% endif %}", "vip"),
        ("{{ 'Sir' if nickname is defined else name }}", "john smith"),
        ("{{ nickname or name }}", "john smith"),
        ("{# a remark #}x", "x"),
        ("{% raw %}{{name}}{% endraw %}", "{{name}}"),
        ("no variables, 100 % {sure} & <b>", "no variables, 100 % {sure} & <b>"),
        ("trailing line\n", "trailing line\n"),
        ("", ""),
    ],
)
def test_what_a_template_may_do(source: str, text: str) -> None:
    assert said(source) == text


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("JOHN SMITH", "John Smith"),
        ("mary-jane o'neill", "Mary-Jane O'neill"),
        ("Ronald McDonald", "Ronald McDonald"),
        ("josé ángel", "José Ángel"),
    ],
)
def test_title_case_keeps_what_is_already_right(value: str, title: str) -> None:
    assert said("{{name|title_case}}", {"name": value}) == title


def test_a_value_that_is_no_number_is_not_formatted_as_one() -> None:
    assert said("{{x|phone_format}}", {"x": "call me"}) == "call me"


ABSENT = "Hi {{ name }}, see you on {{date|upper}}."


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (M.FALLBACK, "Hi there, see you on ."),
        (M.KEEP, "Hi {{ name }}, see you on {{date|upper}}."),
        (M.BLANK, "Hi , see you on ."),
    ],
)
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_missing_variable_by_mode(missing: Missing, text: str, nothing: str | None) -> None:
    assert said(ABSENT, {}, missing=missing) == text
    assert said(ABSENT, {"name": nothing, "date": nothing}, missing=missing) == text


def test_in_mode_skip_the_contact_is_skipped_for_the_first_variable_it_lacks() -> None:
    with pytest.raises(MissingVariable) as skipped:
        said(ABSENT, {"name": "Ann"}, missing=M.SKIP)
    assert skipped.value.name == "date"
    assert said("{% if date %}{{date}}{% else %}soon{% endif %}", {}, missing=M.SKIP) == "soon"
    assert said("{{date|default('soon')}}", {}, missing=M.SKIP) == "soon"


@pytest.mark.parametrize("missing", Missing)
def test_a_campaigns_fallback_stands_in_in_every_mode(missing: Missing) -> None:
    spoken = said(
        "{{name}}, {{date|upper}}", {}, missing=missing, fallbacks={"name": "friend", "date": "soon"}
    )
    assert spoken == "friend, SOON"


def test_the_default_written_in_the_text_beats_the_campaigns_fallback() -> None:
    assert said("{{name|default('you')}}", {}, fallbacks={"name": "friend"}) == "you"
    assert said("{{name|title_case|default('you')}}", {}) == "you"


def test_a_kept_placeholder_is_left_exactly_as_written() -> None:
    source = (
        "{{name}}:{{  a  |upper}}:{% if name %}{{ b }}{% else %}{{c}}{% endif %}"
        ":{{d|default('d')}}:{{a or name}}"
    )
    assert said(source, {"name": "Ann"}, missing=M.KEEP) == "Ann:{{  a  |upper}}:{{ b }}:d:Ann"


def test_the_guides_message_keeps_what_has_no_value() -> None:
    message = "Hi {{name}}, this is Sarah from EWT. I'm calling about your {{deal_stage}} with {{company}}."
    assert said(message, {"name": "John Doe", "company": "Acme Corp"}, missing=M.KEEP) == (
        "Hi John Doe, this is Sarah from EWT. I'm calling about your {{deal_stage}} with Acme Corp."
    )


@pytest.mark.parametrize("missing", Missing)
@pytest.mark.parametrize("value", ["{{company}}", "{% if x %}", "{{ 7*7 }}", "{# #}", "}}", "<b>&amp;"])
def test_values_and_fallbacks_are_never_read_as_templates(value: str, missing: Missing) -> None:
    assert said("Hi {{name}}!", {"name": value}, missing=missing) == f"Hi {value}!"
    assert said("Hi {{name}}!", {}, missing=missing, fallbacks={"name": value}) == f"Hi {value}!"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (SEED_MESSAGE, ("name", "assistant_name", "company", "appointment_date")),
        ("{{b}}{{a}}{{b}}", ("b", "a")),
        ("{% if z %}{{y|default(x)}}{% endif %}", ("z", "y", "x")),
        ("{% raw %}{{a}}{% endraw %}{# {{b}} #}", ()),
        ("", ()),
    ],
)
def test_variables_are_listed_in_order_of_first_use(source: str, names: tuple[str, ...]) -> None:
    assert check(source) == names


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{appointment-date}}", "Write {{appointment_date}}."),
        ("{{ first name }}", "Write {{first_name}}."),
        ("{{First Name|upper}}", "Write {{first_name}}."),
        ("{{contact.name}}", "Write {{contact_name}}."),
        ("{{ 2nd }}", "Write {{n2nd}}."),
        ("{{name|nope}}", "There is no filter “nope”."),
        ("{{name|uper}}", "Did you mean “upper”?"),
        ("{{name|replace('a', 'b')}}", "There is no filter “replace”."),
        ("{{name|upper(3)}}", "given too much"),
        ("{{name|default}}", "needs something in brackets"),
        ("{{name|truncate('x')}}", "was given the wrong thing"),
        ("{{name|truncate(true)}}", "was given the wrong thing"),
        ("{{name|truncate(99999999)}}", "was given the wrong thing"),
        ("{% for x in y %}{{x}}{% endfor %}", "Loops cannot be used"),
        ("{{ f() }}", "Functions cannot be called"),
        ("{{ ''.__class__.__mro__ }}", "A variable has no parts"),
        ("{{ name['x'] }}", "A variable has no parts"),
        ("{{ 'a' * 1000000000 }}", "cannot calculate"),
        ("{{ 9 ** 9 }}", "cannot calculate"),
        ("{{ a ~ b }}", "cannot calculate"),
        ("{{ [1, 2] }}", "Only variables and filters"),
        ("{% set a = 1 %}", "Only {% if %}"),
        ("{% include 'secret' %}", "Only {% if %}"),
        ("{% import 'x' as y %}", "Only {% if %}"),
        ("{% macro m() %}{% endmacro %}", "Functions cannot be called"),
        ("{% nonsense %}", "Only {% if %}"),
        ("{% if a %}x", "add {% endif %}"),
        ("{% if a > 3 %}x{% endif %}", "Values are text"),
        ("{% if a == 3 %}x{% endif %}", "compare with a text in quotes"),
        ("{% if a in b %}x{% endif %}", "there must be a text in quotes"),
        ("{% if a is sameas b %}x{% endif %}", "cannot be used"),
        ("{{ self }}", "reserved word"),
        ("{{ true }}", "is not a variable"),
        ("{{ none }}", "is not a variable"),
        ("{{ }}", "is empty"),
        ("{{ name", "is not closed"),
        ("{{name}", "is not closed"),
        ("Hi {{name and {{company}}", "is not closed"),
        ("{# remark", "never closed"),
        ("{{ name! }}", "cannot be read"),
        ("x" * (SOURCE_LIMIT + 1), "too long"),
        ("a\x00b", "NUL"),
        ("{{" + "(" * 5_000, "too complicated"),
        ("{{ " + "9" * 6_000 + " }}", "too complicated"),
        ("{% if a %}" * 60 + "{% endif %}" * 60, "too complicated"),
        ("{{ " + "not " * 2_000 + "a }}", "too complicated"),
    ],
)
def test_what_a_template_may_not_do_is_explained(source: str, says: str) -> None:
    with pytest.raises(TemplateInvalid) as invalid:
        check(source)
    assert says in str(invalid.value)


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("{{first name}}", 1, 1),
        ("Hi {{name}},\nyour {{first name}} and {{x}}", 2, 6),
        ("Hi {{name}}\n\n  {{ x|nope }}", 3, 3),
        ("{% raw %}{{a b}}{% endraw %} {{c d}}", 1, 30),
        ("one\ntwo {{name", 2, 5),
    ],
)
def test_an_error_names_its_line_and_column(source: str, line: int, column: int) -> None:
    with pytest.raises(TemplateInvalid) as invalid:
        check(source)
    assert (invalid.value.line, invalid.value.column) == (line, column)


def problem_of(source: str) -> TemplateInvalid | None:
    try:
        check(source)
    except TemplateInvalid as invalid:
        return invalid
    return None


PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "if",
        "endif",
        "else",
        "name",
        "x",
        "|",
        "upper",
        "default('a')",
        "'",
        "(",
        ")",
        ".",
        "-",
        "in",
        "==",
        "not",
        "or",
        "1",
        "é",
        "{",
        "}",
        "raw",
        "{{name}}",
        "truncate(3)",
    ]
) | st.sampled_from([" ", "\n"])


@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from(Missing))
def test_any_text_is_refused_with_a_reason_or_renders(source: str, missing: Missing) -> None:
    problem = problem_of(source)
    if problem is not None:
        assert problem.message
        assert problem.line >= 1 <= problem.column
        return
    for variables in ({}, {"name": "Ann", "x": "{{name}}"}):
        try:
            assert len(said(source, variables, missing=missing)) <= len(source) + 200
        except MissingVariable:
            assert missing is M.SKIP


@given(st.text(alphabet=st.characters(exclude_characters="{}%#\r"), max_size=80), st.sampled_from(Missing))
def test_text_without_braces_is_said_as_it_is(source: str, missing: Missing) -> None:
    if "\x00" not in source:
        assert said(source, {}, missing=missing) == source


@pytest.mark.parametrize(
    "source", ["{{" * 5_000, "{{a" + " " * 9_900 + "!}}", "{%" * 5_000, "{{a b}}" * 1_400]
)
def test_a_hopeless_template_is_refused_quickly(source: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(TemplateInvalid):
        check(source)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    ("source", "missing_names"),
    [
        ("{{name}} {{first_name}}", ()),
        ("{{name}} {{a}} {{b|default('x')}}", ("a",)),
        ("{{b|default(c)}}", ("c",)),
        ("{% if d %}{{d}}{{e}}{% endif %}", ("e",)),
        ("{{a or b}}", ("b",)),
        ("{{Deal_Stage}} {{COMPANY}}", ()),
        ("{{fallen}} {{z}} {{z}}", ("z",)),
    ],
)
def test_a_start_learns_which_variables_nothing_provides(source: str, missing_names: tuple[str, ...]) -> None:
    known = ("deal_stage", "company")
    assert (
        unresolved(source, variables=known, fallbacks={"fallen": "x"}, missing=Missing.FALLBACK)
        == missing_names
    )


@pytest.mark.parametrize("missing", sorted(set(Missing) - {M.FALLBACK}))
def test_a_built_in_fallback_stands_in_for_nobody_in_another_mode(missing: Missing) -> None:
    assert unresolved("{{first_name}}", variables=(), fallbacks={}, missing=missing) == ("first_name",)
    assert unresolved("{{first_name}}", variables=(), fallbacks={}, missing=M.FALLBACK) == ()


BLANK = ("", " ", "\u200b", "\ufeff\u2060", "\u00ad\n")


@pytest.mark.parametrize("blank", BLANK, ids=ascii)
@pytest.mark.parametrize("missing", Missing)
def test_a_blank_fallback_default_or_value_is_none(blank: str, missing: Missing) -> None:
    fallbacks = {"plan": blank, "name": blank}
    for source in (
        "{{plan}}",
        "{{Plan}}",
        f"{{{{plan|default('{blank}')}}}}",
        f"{{{{plan|d('{blank}', true)}}}}",
    ):
        if "\n" not in source or "|" not in source:
            assert unresolved(source, variables=(), fallbacks=fallbacks, missing=missing) == (source[2:6],)
    there = unresolved(f"{{{{name|default('{blank}')}}}}", variables=(), fallbacks=fallbacks, missing=missing)
    assert there == (() if missing is M.FALLBACK else ("name",))
    nothing = {"name": blank, "plan": blank}
    for variables in ({}, nothing):
        try:
            text = render("{{name|default(' ')}}", variables=variables, fallbacks=fallbacks, missing=missing)
        except MissingVariable as lacking:
            text = lacking.name
        assert (
            text
            == {M.FALLBACK: "there", M.KEEP: "{{name|default(' ')}}", M.BLANK: "", M.SKIP: "name"}[missing]
        )
    assert said("{{plan|default('\u200b')|default('x')}}", nothing, missing=missing) == "x"


@pytest.mark.parametrize(
    ("source", "nothing"),
    [
        *((blank, True) for blank in BLANK),
        ("{# a remark #} {{ '' }}{% if 'a' == 'b' %}x{% endif %}", True),
        ("Hi", False),
        ("{{plan}}", False),
        ("{% if plan == 'gold' %}Hi{% endif %}", False),
        ("{% if", False),
    ],
    ids=ascii,
)
def test_a_template_says_nothing_if_it_is_blank_for_everybody(source: str, *, nothing: bool) -> None:
    assert says_nothing(source) is nothing


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{plan}} {% if Plan %}{{a}}{% endif %}", set()),
        ("{% if Plan == 'gold' %}{{a}}{% endif %}", {"plan"}),
        ("{% if 'x' in notes and b is defined %}{% elif c is eq('d') %}{% endif %}", {"notes", "c"}),
        ("{{a if b|lower != c else d}}", {"b", "c"}),
    ],
)
def test_a_value_decides_only_where_it_is_compared(source: str, names: set[str]) -> None:
    assert compared(source) == names


_NAMES = st.sampled_from(
    ["name", "contact_name", "first_name", "last_name", "company", "contact_company", "email"]
)


@given(
    asked=_NAMES,
    card=st.dictionaries(_NAMES, st.sampled_from(["", "Ann", "Mr. Doe", "Doe, Ann"])),
    row=st.dictionaries(_NAMES, st.sampled_from(["", "Bo", "van Doe"])),
)
def test_no_variable_depends_on_more_than_what_decides_it(
    asked: str, card: dict[str, str | None], row: dict[str, object]
) -> None:
    def value(card: dict[str, str | None], row: dict[str, object]) -> str | None:
        values = build_variables(contact=card, recipient=row, organization_name="", assistant_name="Ava")
        return values.get(asked)

    decide = deciding([asked])
    fewer_card = {name: each for name, each in card.items() if name in decide}
    assert value(card, row) == value(fewer_card, {name: each for name, each in row.items() if name in decide})


def test_what_is_the_same_for_everybody_decides_nothing() -> None:
    assert deciding(["assistant_name", "Plan"]) == {"plan"}
    assert deciding(["phone"]) == {"phone_number"}


def test_column_headers_become_distinct_safe_names() -> None:
    assert variable_names(
        [
            "First Name",
            "first_name",
            "Appointment-Date",
            "2nd",
            "",
            "日付",
            "prénom",
            "in",
            "__class__",
            "!!",
            "firstName",
        ]
    ) == [
        *("first_name", "first_name_2", "appointment_date", "n2nd", "column_5", "日付", "prenom", "in_value"),
        *("class", "column_10", "firstname"),
    ]


@given(st.lists(st.text(max_size=20), max_size=12))
def test_every_header_gives_a_name_that_a_template_can_use(headers: list[str]) -> None:
    names = variable_names(headers)
    assert len(set(names)) == len(names) == len(headers)
    for name in names:
        assert check(f"{{{{{name}}}}}") == (name,)
        assert said(f"{{{{{name}}}}}", {name: "v"}) == "v"


def built(*, wins: bool = False, organization: str = "Bright Dental", **recipient: Any) -> dict[str, str]:
    return build_variables(
        contact={"name": "Jane Doe", "phone_number": "+12025550143", "company": "Tech Inc", "email": None},
        recipient=recipient,
        organization_name=organization,
        assistant_name="Sarah",
        contact_company_wins=wins,
    )


def test_a_recipients_variables_and_their_aliases() -> None:
    row: dict[str, Any] = {"Deal Stage": "proposal", "visits": 3, "empty": "", "nothing": None}
    assert built(**row) == {
        "name": "Jane Doe",
        "contact_name": "Jane Doe",
        "first_name": "Jane",
        "last_name": "Doe",
        "phone": "+12025550143",
        "phone_number": "+12025550143",
        "company": "Bright Dental",
        "contact_company": "Tech Inc",
        "assistant_name": "Sarah",
        "deal_stage": "proposal",
        "visits": "3",
    }


def test_the_row_of_the_import_wins_over_the_contacts_card() -> None:
    assert built(name="Janet Roe")["first_name"] == "Janet"
    assert built(company="Acme Corp")["contact_company"] == "Acme Corp"


def test_a_row_never_changes_who_calls_or_which_number_is_called() -> None:
    variables = built(assistant_name="Eve", phone="+19995550100")
    assert (variables["assistant_name"], variables["phone"]) == ("Sarah", "+12025550143")


def test_company_is_the_organization_except_in_the_guide_dialect() -> None:
    assert built(company="Acme Corp")["company"] == "Bright Dental"
    assert built(company="Acme Corp", wins=True)["company"] == "Acme Corp"
    assert built(wins=True)["company"] == "Tech Inc"
    assert built(organization="")["company"] == "Tech Inc"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("John Smith", "John", "Smith"),
        ("Dr. Jane van Doe", "Jane", "van Doe"),
        ("Mr. Smith", "there", "Smith"),
        ("Doe, Jane", "Jane", "Doe"),
        ("Cher", "Cher", ""),
        ("", "there", ""),
    ],
)
def test_the_parts_of_a_name_are_derived(name: str, first: str, last: str) -> None:
    variables = build_variables(
        contact={"name": name, "phone_number": "+12025550143"},
        recipient={},
        organization_name="",
        assistant_name="",
    )
    assert (said("{{first_name}}", variables), variables.get("last_name", "")) == (first, last)


def test_a_name_is_put_together_from_its_parts() -> None:
    variables = build_variables(
        contact={},
        recipient={"First Name": "Ann", "last name": "Lee"},
        organization_name="",
        assistant_name="",
    )
    assert variables["name"] == variables["contact_name"] == "Ann Lee"


def test_characters_that_no_carrier_takes_are_left_out_of_values() -> None:
    assert built(note="a\x00b\x0bc\r\nd\ud800")["note"] == "abc\nd"
