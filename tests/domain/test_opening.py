"""When a place may be contacted, of the campaign's hours, the law's and the organization's, and the words for it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.calling_hours import ALWAYS, WEEKDAYS, CallingHours, Constraint, HoursClock, Window
from app.domain.legal_hours import LegalHours
from app.domain.legal_policy import LegalPolicy
from app.domain.opening import Blackouts, Opening, constraints_for, legal_hours_of, place_name, time_text

LEGAL = LegalHours.load()
NEW_YORK, DENVER, TOKYO = "America/New_York", "America/Denver", "Asia/Tokyo"
INVENTORY = Blackouts.of([{"from": "2026-03-03", "until": "2026-03-03", "name": "Inventory"}])
OFFICE = CallingHours((Window(time(9), time(18), WEEKDAYS),), HoursClock.CONTACT)


def at(text: str, zone: str = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def hours(start: int, end: int, clock: HoursClock = HoursClock.CONTACT) -> CallingHours:
    return CallingHours((Window(time(start), time(end)),), clock)


def opening(now: datetime, **facts: Any) -> Opening:
    given: dict[str, Any] = {
        "zones": (NEW_YORK,),
        "laws": ("US-FL",),
        "hours": OFFICE,
        "campaign_zone": DENVER,
        "legal": LEGAL,
    }
    return Opening.find(constraints_for(**(given | facts)), now)


def test_the_campaigns_hours_hold_in_the_campaigns_zone_or_in_every_zone_of_the_person() -> None:
    night = at("2026-03-03T03:00")
    by_campaign = opening(night, hours=hours(9, 18, HoursClock.CAMPAIGN), policy=LegalPolicy.OFF)
    assert by_campaign.opens_at == at("2026-03-03T09:00", DENVER)
    by_contact = opening(night, hours=hours(9, 18), zones=(NEW_YORK, DENVER), policy=LegalPolicy.OFF)
    assert (by_contact.opens_at, by_contact.closes_at) == (
        at("2026-03-03T09:00", DENVER),
        at("2026-03-03T18:00", NEW_YORK),
    )


def test_the_law_holds_at_the_person_s_place_whatever_the_campaigns_clock_is() -> None:
    found = opening(at("2026-03-02T07:00"), hours=ALWAYS)
    assert (found.opens_at, found.closes_at) == (at("2026-03-02T08:00"), at("2026-03-02T20:00"))


def test_where_the_place_is_not_known_the_campaigns_zone_is_assumed_with_the_hours_for_other_countries() -> (
    None
):
    found = opening(at("2026-03-02T03:00", DENVER), zones=(), laws=(), hours=ALWAYS)
    assert (found.opens_at, found.closes_at) == (
        at("2026-03-02T09:00", DENVER),
        at("2026-03-02T20:00", DENVER),
    )
    assert "the campaign's time: other countries' legal hours" in found.why(at("2026-03-02T03:00", DENVER))


def test_a_stricter_organization_has_its_hours_over_and_above_the_law() -> None:
    kentucky = opening(at("2026-03-02T07:00"), hours=ALWAYS, laws=("US-KY",), policy=LegalPolicy.STRICT)
    assert (kentucky.opens_at, kentucky.closes_at) == (at("2026-03-02T10:00"), at("2026-03-02T20:00"))
    thanksgiving = at("2026-11-26T10:00")
    assert opening(thanksgiving, hours=ALWAYS, laws=("US",)).is_open(thanksgiving)
    strict = opening(thanksgiving, hours=ALWAYS, laws=("US",), policy=LegalPolicy.STRICT)
    assert strict.opens_at == at("2026-11-27T09:00")


def test_without_legal_hours_only_the_campaigns_remain() -> None:
    night = at("2026-03-01T03:00")
    assert opening(night, hours=ALWAYS, policy=LegalPolicy.OFF).is_open(night)


@pytest.mark.parametrize("policy", LegalPolicy)
def test_blackout_dates_hold_under_every_policy_on_the_calendar_of_the_person(policy: LegalPolicy) -> None:
    found = opening(
        at("2026-03-03T12:00", TOKYO), zones=(TOKYO,), laws=("JP",), policy=policy, blackouts=INVENTORY
    )
    assert found.opens_at == at("2026-03-04T09:00", TOKYO)


def test_an_answer_that_is_kept_is_found_anew_when_it_ends_or_the_clock_goes_back() -> None:
    noon = at("2026-03-02T12:00")
    found = opening(noon)
    assert found.at(noon + timedelta(hours=5, minutes=59)) is found
    assert found.at(noon + timedelta(hours=6)).opens_at == at("2026-03-03T09:00")
    assert found.at(noon - timedelta(hours=4)).opens_at == at("2026-03-02T09:00")
    waits = opening(at("2026-03-02T06:00"))
    assert waits.at(noon) is waits
    assert waits.is_open(noon)


@pytest.mark.parametrize(
    ("now", "facts", "words"),
    [
        (
            at("2026-03-03T18:40", DENVER),
            {"zones": (DENVER,), "laws": ("US-CO",)},
            (
                "It is 18:40 in Denver (America/Denver), allowed from 09:00 on Wednesday, their time: "
                "the campaign's hours are 09:00 to 18:00, Monday to Friday."
            ),
        ),
        (
            at("2026-03-03T06:30"),
            {"hours": ALWAYS},
            (
                "It is 06:30 in New York (America/New_York), allowed from 08:00 today, their time: "
                "Florida's legal hours are 08:00 to 20:00, every day."
            ),
        ),
        (
            at("2026-03-03T18:40", DENVER),
            {"hours": hours(9, 18, HoursClock.CAMPAIGN), "zones": ("Pacific/Honolulu",), "laws": ("US-HI",)},
            (
                "It is 18:40 in Denver (America/Denver), allowed from 11:00 on Wednesday, the campaign's time: "
                "the campaign's hours are 09:00 to 18:00, every day."
            ),
        ),
        (
            at("2026-11-26T10:00", "America/Chicago"),
            {"zones": ("America/Chicago",), "laws": ("US-LA",)},
            (
                "It is 10:00 in Chicago (America/Chicago), allowed from 09:00 on Friday, their time: "
                "closed for Thanksgiving Day (Louisiana's legal hours)."
            ),
        ),
        (
            at("2026-03-03T10:00"),
            {"blackouts": INVENTORY},
            (
                "It is 10:00 in New York (America/New_York), allowed from 09:00 on Wednesday, their time: "
                "closed for “Inventory” (the organization's blackout dates)."
            ),
        ),
        (
            at("2026-03-03T10:00"),
            {"blackouts": Blackouts(((date(2026, 3, 3), date(2026, 3, 13), ""),))},
            (
                "It is 10:00 in New York (America/New_York), allowed from 09:00 on Monday 16 March, their time: "
                "closed for the day (the organization's blackout dates)."
            ),
        ),
        (
            at("2026-03-03T10:00"),
            {"hours": hours(21, 23)},
            "No hour satisfies Florida's legal hours (08:00 to 20:00) and the campaign's hours (21:00 to 23:00).",
        ),
        (
            at("2026-03-03T10:00"),
            {"hours": hours(9, 10, HoursClock.CAMPAIGN), "zones": (TOKYO,), "laws": ("JP",)},
            (
                "No hour satisfies other countries' legal hours (09:00 to 20:00, Monday to Saturday) in Tokyo "
                "and the campaign's hours (09:00 to 10:00) in Denver."
            ),
        ),
        (
            at("2026-03-03T10:00"),
            {"zones": ("Mars/Base",)},
            "“Mars/Base” is not a known time zone. Without it the local time is not known.",
        ),
        (at("2026-03-03T10:00"), {}, ""),
    ],
)
def test_the_words_say_where_it_is_what_time_until_when_and_by_which_rule(
    now: datetime, facts: dict[str, Any], words: str
) -> None:
    assert opening(now, **facts).why(now) == words


def test_three_that_meet_only_two_by_two_are_all_named() -> None:
    windows = ((time(8), time(12)), (time(10), time(16)))
    rules = [Constraint("UTC", (Window(*each),), name=name) for each, name in zip(windows, "AB", strict=True)]
    third = Constraint("UTC", (Window(time(8), time(10)), Window(time(12), time(16))), name="C")
    now = at("2026-03-03T10:00", "UTC")
    assert Opening.find((*rules, third), now).why(now) == (
        "No hour satisfies C (08:00 to 10:00 and 12:00 to 16:00), B (10:00 to 16:00) and A (08:00 to 12:00)."
    )


def test_names_are_made_for_sentences() -> None:
    assert legal_hours_of("Texas") == "Texas' legal hours"
    assert legal_hours_of("the United States") == "the United States' legal hours"
    assert place_name("America/Argentina/Buenos_Aires") == "Buenos Aires"
    assert (
        time_text(at("2027-03-01T09:00"), NEW_YORK, seen=at("2026-03-01T09:00"))
        == "09:00 on Monday 1 March 2027"
    )
