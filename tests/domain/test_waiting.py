"""Why a person waits, is contacted now or has ended, in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.calling_hours import CallingHours, HoursClock, parse_window
from app.domain.campaign import Channel
from app.domain.gate import Blocked, Rule
from app.domain.legal_hours import LegalHours
from app.domain.legal_policy import LegalPolicy
from app.domain.opening import Opening, constraints_for
from app.domain.places import Place
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionSource
from app.domain.waiting import (
    OptOut,
    Story,
    tell_blocked,
    tell_due,
    tell_ended,
    tell_later,
    zone_to_tell,
)

# A Tuesday; 18:40 in Denver.
NOW = datetime(2026, 3, 11, 0, 40, tzinfo=UTC)
OFFICE_HOURS = CallingHours(
    (parse_window({"days": [1, 2, 3, 4, 5], "start": "09:00", "end": "18:00"}),), HoursClock.CONTACT
)


def in_denver() -> Opening:
    constraints = constraints_for(
        zones=("America/Denver",),
        laws=(),
        hours=OFFICE_HOURS,
        campaign_zone="UTC",
        legal=LegalHours("test", {}),
        policy=LegalPolicy.OFF,
    )
    return Opening.find(constraints, NOW)


def story(**told: Any) -> Story:
    usual: dict[str, Any] = {
        "status": RecipientStatus.PENDING,
        "channel": Channel.CALL,
        "attempts_made": 0,
        "zone": "America/Denver",
        "whose": HoursClock.CONTACT,
        "opening": in_denver(),
    }
    return Story(**usual | told)


STOPPED = OptOut(
    source=SuppressionSource.STOP_MESSAGE,
    at=datetime(2026, 5, 3, 12, tzinfo=UTC),
    reason="The person texted “STOP”.",
)


def test_closed_calling_hours_say_what_time_it_is_there_and_when_they_open() -> None:
    opening = in_denver()
    blocked = Blocked(Rule.CALLING_HOURS, opening.opens_at, opening.why(NOW))
    told = tell_blocked(story(), blocked, now=NOW)
    assert told.short == "Waiting: it is 18:40 in Denver, allowed from 09:00 on Wednesday, their time"
    assert told.why == (
        "Waiting: it is 18:40 in Denver (America/Denver), allowed from 09:00 on Wednesday, their time: "
        "the campaign's hours are 09:00 to 18:00, Monday to Friday."
    )
    assert (told.rule, told.until) == ("calling_hours", datetime(2026, 3, 11, 15, tzinfo=UTC))


def test_a_retry_says_which_try_it_is_and_when_on_the_clock_there() -> None:
    at = datetime(2026, 3, 10, 20, 5, tzinfo=UTC)
    earlier = at - timedelta(hours=1)
    told = tell_later(story(attempts_made=1), at, None, now=earlier)
    assert (told.rule, told.short) == ("retry", "2nd try after 14:05, Denver")


def test_a_retry_that_falls_into_closed_hours_is_told_from_the_opening_on() -> None:
    told = tell_later(story(attempts_made=2), NOW + timedelta(hours=1), None, now=NOW)
    assert told.short == "3rd try after 09:00 on Wednesday, Denver"
    assert told.until == datetime(2026, 3, 11, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "says"), [(0, "1st"), (3, "4th"), (10, "11th"), (11, "12th"), (20, "21st"), (110, "111th")]
)
def test_tries_are_counted_in_words(made: int, says: str) -> None:
    at = datetime(2026, 3, 11, 16, tzinfo=UTC)
    assert tell_later(story(attempts_made=made), at, None, now=NOW).short.startswith(f"{says} try after")


def test_who_opted_out_is_told_with_how_and_on_which_day() -> None:
    late = datetime(2026, 6, 1, tzinfo=UTC)
    skipped = tell_ended(story(status=RecipientStatus.SKIPPED, opt_out=STOPPED), "suppression", now=late)
    assert skipped.short == "Skipped: opted out by SMS on 3 May"
    assert skipped.why == "Skipped: opted out by SMS on 3 May. The person texted “STOP”."
    blocked = Blocked(Rule.SUPPRESSION, None, "This number must not be contacted: texted STOP.")
    waiting = tell_blocked(story(opt_out=STOPPED), blocked, now=late)
    assert waiting.short == "Will be skipped: opted out by SMS on 3 May"
    next_year = datetime(2027, 1, 1, 12, tzinfo=UTC)
    assert tell_blocked(story(opt_out=STOPPED), blocked, now=next_year).short.endswith("on 3 May 2026")


@pytest.mark.parametrize(
    ("channel", "due", "now", "full"),
    [
        (Channel.CALL, "Due now: is called next", "Called now", "Due now: waits for a free line"),
        (Channel.SMS, "Due now: is texted next", "Texted now", "Due now: waits for its turn"),
    ],
)
def test_who_is_due_or_under_way_is_told_so(channel: Channel, due: str, now: str, full: str) -> None:
    assert tell_due(story(channel=channel)).short == due
    under_way = story(channel=channel, status=RecipientStatus.IN_PROGRESS)
    assert tell_ended(under_way, None, now=NOW).short == now
    blocked = Blocked(Rule.PACING, None, "No slot is free.")
    assert tell_blocked(story(channel=channel), blocked, now=NOW).short == full


def test_times_are_told_where_the_person_is_else_where_the_campaign_is() -> None:
    there = Place(("America/Denver", "America/Phoenix"), (), ())
    assert zone_to_tell(there, "UTC") == ("America/Denver", HoursClock.CONTACT)
    nowhere = Place((), (), ())
    assert zone_to_tell(nowhere, "Europe/Berlin") == ("Europe/Berlin", HoursClock.CAMPAIGN)
    assert zone_to_tell(nowhere, "Mars/Base") == ("UTC", HoursClock.CAMPAIGN)
