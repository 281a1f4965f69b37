"""The table of legal hours: what it says, whose rules hold at a place, and what a table of one's own must have."""

import tomllib
from datetime import date, time
from pathlib import Path

import pytest

from app.domain.calling_hours import EVERY_DAY, Window
from app.domain.legal_hours import (
    ANY_OTHER,
    LegalHours,
    LegalHoursInvalid,
    PublicHolidays,
    holidays_are_known,
)
from app.domain.legal_policy import LegalPolicy

LEGAL = LegalHours.load()
GOOD = """
version = "1"

[[rule]]
law = "*"
name = "other countries"
windows = [{ start = "09:00", end = "20:00" }]
source = "none"

[[rule]]
law = "US"
name = "the United States"
windows = [{ start = "08:00", end = "21:00" }]
source = "47 CFR 64.1200"
"""


def laws_of(*laws: str) -> list[str]:
    return [each.rule.law for each in LEGAL.rules_for(laws)]


def test_the_table_that_comes_with_callsheet_has_a_version_and_a_source_for_each_rule() -> None:
    assert LEGAL.version == "2026-12-01"
    assert all(rule.source and rule.windows for rule in LEGAL.rules.values())


def test_federal_law_lies_under_each_state() -> None:
    assert laws_of("US-FL") == ["US-FL", "US"]
    assert laws_of("US-NY") == ["US"]
    assert laws_of("US-FL", "US-GA") == ["US-FL", "US"]
    assert LEGAL.rules["US"].windows == (Window(time(8), time(21), EVERY_DAY),)


def test_a_country_without_a_rule_and_a_place_without_a_law_have_the_rule_for_others() -> None:
    assert laws_of("BR") == laws_of() == [ANY_OTHER]


@pytest.mark.parametrize(
    ("laws", "policy", "cap"),
    [
        (("US-FL",), LegalPolicy.LAW, 3),
        (("US-FL", "US-ME"), LegalPolicy.LAW, 1),
        (("US-NY",), LegalPolicy.LAW, None),
        (("US-NY",), LegalPolicy.STRICT, 3),
        (("US-ME",), LegalPolicy.STRICT, 1),
        (("US-FL",), LegalPolicy.OFF, None),
        ((), LegalPolicy.LAW, None),
    ],
)
def test_the_lowest_cap_of_all_laws_holds(
    laws: tuple[str, ...], policy: LegalPolicy, cap: int | None
) -> None:
    assert LEGAL.cap_for(laws, policy) == cap


@pytest.mark.parametrize(
    ("law", "day", "name"),
    [
        ("US-AL", date(2026, 4, 27), "Confederate Memorial Day"),
        ("US", date(2026, 4, 27), None),
        ("FR", date(2026, 7, 14), "National Day"),
        ("DE", date(2026, 10, 3), "German Unity Day"),
        ("GB-SCT", date(2026, 11, 30), "Saint Andrew's Day"),
        ("US-XX", date(2026, 12, 25), "Christmas Day"),
        ("US", date(2101, 12, 25), None),
        ("XX", date(2026, 12, 25), None),
        (ANY_OTHER, date(2026, 12, 25), None),
    ],
)
def test_holidays_are_those_of_the_law_s_place_with_english_names(
    law: str, day: date, name: str | None
) -> None:
    assert PublicHolidays(law).why_off(day) == name


def test_a_more_exact_law_has_its_own_holidays_under_its_country_s_rule() -> None:
    (scotland,) = LEGAL.rules_for(["GB-SCT"])
    assert scotland.rule.law == "GB"
    assert scotland.days_off == PublicHolidays("GB-SCT")
    assert holidays_are_known("GB-SCT")
    assert not holidays_are_known("GB-XXX")


def test_a_table_of_one_s_own_replaces_it(tmp_path: Path) -> None:
    file = tmp_path / "hours.toml"
    file.write_text(GOOD)
    own = LegalHours.load(file)
    assert own.version == "1"
    assert set(own.rules) == {"US", ANY_OTHER}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(LegalHoursInvalid, match=r"missing\.toml cannot be read"):
        LegalHours.load(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ('version = "1"', "version = 1", "own.toml: give a version"),
        ('version = "1"', 'version = "1"\nrules = 2', "Not known: rules."),
        ("[[rule]]", "[[rule]", "own.toml is not TOML"),
        ('law = "*"', 'law = "GB"', "own.toml: write a rule for every other country"),
        ('law = "US"', 'law = "*"', "two rules for “*”"),
        ('law = "US"', 'law = "usa"', "own.toml, rule 2: law must be a code"),
        ('law = "US"', 'law = "XX"\nclosed_on_holidays = true', "rule 2 (XX): no public holidays are known"),
        (
            'law = "US"',
            'law = "US"\nclosed_on_holidays = "yes"',
            "rule 2 (US): closed_on_holidays must be true",
        ),
        ('law = "US"', 'law = "US"\nattempts_per_day = 0', "rule 2 (US): attempts_per_day must be a whole"),
        ('law = "US"', 'law = "US"\nsundays = false', "rule 2 (US): not known: sundays"),
        ('source = "47 CFR 64.1200"', "", "rule 2 (US): source is missing"),
        ('[{ start = "08:00", end = "21:00" }]', "[]", "rule 2 (US): windows must be a list"),
        ('"08:00", end = "21:00"', '"08:00", end = "21"', "rule 2 (US), window 1: end: Give a time of day"),
        ('"08:00", end = "21:00"', '"08:00", end = "08:00"', "window 1: end: Start and end are the same"),
        ('"08:00", end = "21:00"', '"08:00", end = "21:00", days = [0]', "window 1: days: “0” is not a day"),
        ('"08:00", end = "21:00"', '"08:00", end = "21:00", zone = "x"', "window 1: write start, end"),
    ],
)
def test_a_wrong_table_says_which_rule_is_wrong_and_how(right: str, wrong: str, words: str) -> None:
    assert right in GOOD
    with pytest.raises(LegalHoursInvalid) as invalid:
        LegalHours.read(GOOD.replace(right, wrong), origin="own.toml")
    assert words in str(invalid.value)


def test_states_without_calls_on_sundays_and_holidays_are_so_in_the_table() -> None:
    closed = {law for law, rule in LEGAL.rules.items() if rule.closed_on_holidays and law.startswith("US-")}
    assert closed == {"US-AL", "US-LA", "US-MS", "US-PA", "US-RI", "US-UT"}
    no_sundays = {
        law for law, rule in LEGAL.rules.items() if all(7 not in each.days for each in rule.windows)
    }
    assert {"US-AL", "US-LA", "US-MS", "US-RI", "US-UT", "AU", "FR", "DE"} <= no_sundays


def test_the_table_is_plain_toml() -> None:
    table = tomllib.loads(Path("app/domain/data/legal_hours.toml").read_text())
    assert len(table["rule"]) == len(LEGAL.rules)
