"""Where a person may be, as pages say it."""

import pytest

from app.domain.places import confidence, resolve
from app.services.contacts.queries import Whereabouts
from app.web.zone_words import time_there, where_in_words
from tests.support.builders import NOON


def where(number: str, **fields: str) -> Whereabouts:
    found = resolve(number, **fields)
    return Whereabouts(
        found.place.zones,
        found.place.number_zones,
        found.place.laws,
        found.source,
        confidence(found.source, found.place.zones),
    )


@pytest.mark.parametrize(
    ("at", "words", "there"),
    [
        (where("+16025550143"), "America/Phoenix, from the phone number: likely", "there it is 09:00"),
        (
            where("+16025550143", time_zone="Asia/Kolkata"),
            "Asia/Kolkata, set on the card",
            "there it is 21:30",
        ),
        (
            where("+12705550143"),
            "America/Chicago or America/New_York, from the phone number: calling hours must hold in all",
            "there it is 11:00\N{EN DASH}12:00",
        ),
        (
            where("+12025550143", state="CO"),
            "America/Denver, from the state or country: likely",
            "there it is 10:00",
        ),
        (
            where("+18005550143"),
            "One of 16 time zones, from the phone number: calling hours must hold in all",
            "there it is 06:00\N{EN DASH}13:30",
        ),
        (where("+15551234567"), "No time zone known: campaigns assume their own", ""),
        (None, "Being worked out", ""),
    ],
)
def test_a_person_s_zone_is_said_with_its_source_and_how_certain_it_is(
    at: Whereabouts | None, words: str, there: str
) -> None:
    assert where_in_words(at) == words
    assert time_there(at, NOON) == there
