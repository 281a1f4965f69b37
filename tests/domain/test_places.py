"""Where a person may be, by each source that can tell it."""

import random
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import phonenumbers
import pytest
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from app.domain.phone_countries import calling_code_of, country_among
from app.domain.place_tables import area_codes, postcode_places, state_of
from app.domain.places import Confidence, Resolved, ZoneSource, confidence, resolve
from app.domain.time_zones import known_zones, read_zone
from app.domain.zone_clocks import clock, zones_of

NEW_YORK, CHICAGO, DENVER = "America/New_York", "America/Chicago", "America/Denver"
LOS_ANGELES, PHOENIX = "America/Los_Angeles", "America/Phoenix"
A_NEW_YORKER: Final = "+12125550143"
NORTH_AMERICAN: Final = frozenset(COUNTRY_CODE_TO_REGION_CODE[1])
SEED_NUMBERS: Final = ("+15551234567", "+15559876543", "+15555550100", "+15558675310")


def zones(number: str, *, state: str = "", country: str = "", postcode: str = "") -> tuple[str, ...]:
    return resolve(number, state=state, country=country, postcode=postcode).place.zones


def sure(found: Resolved) -> Confidence:
    return confidence(found.source, found.place.zones)


@pytest.mark.parametrize(
    ("number", "time_zone", "expected", "laws"),
    [
        ("+13105553101", "Pacific/Honolulu", "Pacific/Honolulu", ("US", "US-CA")),
        ("+13105553102", "Asia/Kolkata", "Asia/Kolkata", ("IN",)),
        ("+16025553103", "", PHOENIX, ("US", "US-AZ")),
        ("+442079460103", "", "Europe/London", ("GB",)),
    ],
)
def test_a_list_over_the_world_is_called_where_each_person_is(
    number: str, time_zone: str, expected: str, laws: tuple[str, ...]
) -> None:
    found = resolve(number, time_zone=time_zone)
    assert found.place.zones == (expected,)
    assert found.place.laws == laws
    assert found.source is (ZoneSource.OWN if time_zone else ZoneSource.NUMBER)
    assert sure(found) is (Confidence.STATED if time_zone else Confidence.LIKELY)


@pytest.mark.parametrize("number", SEED_NUMBERS)
def test_a_sample_number_has_no_place_and_is_assumed(number: str) -> None:
    found = resolve(number)
    assert found.place.zones == found.place.number_zones == ()
    assert found.place.laws == ("US",)
    assert (found.source, sure(found)) == (ZoneSource.ASSUMED, Confidence.ASSUMED)


def test_the_contact_s_own_zone_replaces_all_others_under_its_own_name() -> None:
    found = resolve(A_NEW_YORKER, time_zone="America/Detroit", state="TX", country="US", postcode="85001")
    assert found.place.zones == ("America/Detroit",)
    assert found.place.number_zones == (NEW_YORK,)
    assert found.source is ZoneSource.OWN


def test_an_old_stored_zone_that_is_refused_today_is_not_used() -> None:
    found = resolve(A_NEW_YORKER, time_zone="EST")
    assert (found.place.zones, found.source) == ((NEW_YORK,), ZoneSource.NUMBER)


@pytest.mark.parametrize("state", ["FL", "fl", "Florida", "US-FL", " florida "])
def test_a_state_that_straddles_a_border_has_all_its_zones(state: str) -> None:
    found = resolve(A_NEW_YORKER, state=state)
    assert found.place.zones == (CHICAGO, NEW_YORK)
    assert found.place.laws == ("US", "US-FL")
    assert (found.source, sure(found)) == (ZoneSource.STATE, Confidence.SEVERAL)


@pytest.mark.parametrize(
    ("number", "state", "country", "expected"),
    [
        (A_NEW_YORKER, "CA", "", (LOS_ANGELES,)),
        (A_NEW_YORKER, "Washington, D.C.", "", (NEW_YORK,)),
        (A_NEW_YORKER, "Puerto Rico", "", ("America/Puerto_Rico",)),
        (A_NEW_YORKER, "", "PR", ("America/Puerto_Rico",)),
        (A_NEW_YORKER, "Alberta", "", ("America/Edmonton",)),
        (A_NEW_YORKER, "AB", "CA", ("America/Edmonton",)),
        ("+61412345678", "WA", "", ("Australia/Eucla", "Australia/Perth")),
        (A_NEW_YORKER, "WA", "AU", ("Australia/Eucla", "Australia/Perth")),
        (A_NEW_YORKER, "WA", "", (LOS_ANGELES,)),
        ("+61412345678", "Queensland", "AU", ("Australia/Brisbane",)),
    ],
)
def test_a_state_is_that_of_the_contact_s_country_or_the_number_s(
    number: str, state: str, country: str, expected: tuple[str, ...]
) -> None:
    assert zones(number, state=state, country=country) == expected


def test_an_unknown_state_says_nothing() -> None:
    found = resolve(A_NEW_YORKER, state="Bavaria")
    assert (found.place.zones, found.source) == ((NEW_YORK,), ZoneSource.NUMBER)


@pytest.mark.parametrize(
    ("state", "postcode", "expected", "source"),
    [
        ("FL", "32401", (CHICAGO,), ZoneSource.POSTCODE),
        ("FL", "33101-1234", (NEW_YORK,), ZoneSource.POSTCODE),
        ("", "86515", (DENVER,), ZoneSource.POSTCODE),
        ("", "85001", (PHOENIX,), ZoneSource.POSTCODE),
        ("TX", "85001", (CHICAGO, DENVER, PHOENIX), ZoneSource.STATE),
        ("FL", "none", (CHICAGO, NEW_YORK), ZoneSource.STATE),
    ],
)
def test_a_postcode_narrows_the_state_or_stands_for_it(
    state: str, postcode: str, expected: tuple[str, ...], source: ZoneSource
) -> None:
    found = resolve(A_NEW_YORKER, state=state, postcode=postcode)
    assert (found.place.zones, found.source) == (expected, source)


def test_five_digits_are_no_american_postcode_abroad() -> None:
    assert resolve("+4915112345678", postcode="10115").source is ZoneSource.NUMBER
    assert resolve(A_NEW_YORKER, country="DE", postcode="10115").source is ZoneSource.NUMBER


def test_a_military_postcode_has_no_place() -> None:
    assert postcode_places("09001") is None
    assert postcode_places("00000") is None


SPLIT: Final = (
    ("208", {"America/Denver", LOS_ANGELES}),
    ("219", {CHICAGO, NEW_YORK}),
    ("270", {CHICAGO, NEW_YORK}),
    ("308", {CHICAGO, DENVER}),
    ("423", {CHICAGO, NEW_YORK}),
    ("541", {DENVER, LOS_ANGELES}),
    ("574", {CHICAGO, NEW_YORK}),
    ("605", {CHICAGO, DENVER}),
    ("606", {CHICAGO, NEW_YORK}),
    ("620", {CHICAGO, DENVER}),
    ("701", {CHICAGO, DENVER}),
    ("775", {DENVER, LOS_ANGELES}),
    ("785", {CHICAGO, DENVER}),
    ("812", {CHICAGO, NEW_YORK}),
    ("850", {CHICAGO, NEW_YORK}),
    ("906", {CHICAGO, NEW_YORK}),
    ("907", {"America/Adak", "America/Anchorage"}),
    ("928", {DENVER, PHOENIX}),
    ("986", {DENVER, LOS_ANGELES}),
    ("364", {CHICAGO, NEW_YORK}),
    ("930", {CHICAGO, NEW_YORK}),
    ("458", {DENVER, LOS_ANGELES}),
    ("448", {CHICAGO, NEW_YORK}),
    ("729", {CHICAGO, NEW_YORK}),
    ("778", {"America/Edmonton", "America/Vancouver"}),
    ("867", {"America/Cambridge_Bay", "America/Toronto", "America/Winnipeg"}),
    ("367", {"America/Halifax", "America/Toronto"}),
)


@pytest.mark.parametrize(("area_code", "expected"), SPLIT)
def test_an_area_code_that_straddles_a_border_or_overlays_one_has_all_its_zones(
    area_code: str, expected: set[str]
) -> None:
    found = resolve(f"+1{area_code}5550123")
    assert expected <= set(found.place.zones)
    assert (found.source, sure(found)) == (ZoneSource.NUMBER, Confidence.SEVERAL)


def test_no_area_code_has_fewer_zones_than_the_library_knows() -> None:
    known: dict[str, set[object]] = defaultdict(set)
    for prefix, named in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) > 3:
            known[prefix[1:4]] |= {clock(read_zone(zone)) for zone in named}
    missing = {
        code: clocks - {clock(zone) for zone in zones(f"+1{code}5550123")} for code, clocks in known.items()
    }
    assert len(known) > 400
    assert not {code: left for code, left in missing.items() if left}


def test_a_toll_free_number_may_be_anywhere_in_the_united_states_and_canada() -> None:
    found = resolve("+18005550123")
    assert {"Pacific/Honolulu", PHOENIX, NEW_YORK, "America/St_Johns"} <= set(found.place.zones)
    assert "Pacific/Guam" not in found.place.zones
    assert found.place.laws == ("CA", "US")
    assert sure(found) is Confidence.SEVERAL


def test_a_toll_free_number_of_a_known_country_may_be_anywhere_there() -> None:
    found = resolve("+18885550123", country="CA")
    assert {"America/St_Johns", "America/Toronto"} <= set(found.place.zones)
    assert set(found.place.zones) == set(zones_of("CA"))
    assert found.place.laws == ("CA",)
    assert resolve("+18885550123", state="CO").place.zones == (DENVER,)


def test_an_australian_mobile_may_be_anywhere_in_australia() -> None:
    found = resolve("+61412345678")
    assert {"Australia/Perth", "Australia/Brisbane", "Australia/Sydney"} <= set(found.place.zones)
    assert all(zone.startswith("Australia/") for zone in found.place.zones)
    assert found.place.laws == ("AU",)


@pytest.mark.parametrize(
    ("number", "zone", "law"),
    [
        ("+442079460000", "Europe/London", "GB"),
        ("+447700900123", "Europe/London", "GB"),
        ("+441534123456", "Europe/Jersey", "JE"),
        ("+4915112345678", "Europe/Berlin", "DE"),
        ("+919876543210", "Asia/Kolkata", "IN"),
        ("+61290123456", "Australia/Sydney", "AU"),
        ("+5511987654321", "America/Sao_Paulo", "BR"),
        ("+12645550123", "America/Anguilla", "AI"),
    ],
)
def test_a_number_of_one_zone_says_it_by_the_country_s_own_name(number: str, zone: str, law: str) -> None:
    found = resolve(number)
    assert (found.place.zones, found.place.laws) == ((zone,), (law,))


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+212612345678", "Africa/Casablanca"),
        ("+213551234567", "Africa/Algiers"),
        ("+211977123456", "Africa/Juba"),
        ("+50581234567", "America/Managua"),
        ("+970599123456", "Asia/Gaza"),
    ],
)
def test_a_country_has_its_own_clock_though_the_library_gives_it_a_neighbour_s(
    number: str, zone: str
) -> None:
    assert zones(number) == (zone,)


def test_no_country_s_number_is_placed_by_another_country_s_clock() -> None:
    elsewhere = {}
    for country in sorted(phonenumbers.SUPPORTED_REGIONS - NORTH_AMERICAN):
        number = phonenumbers.example_number(country)
        assert number is not None
        found = zones(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        if zones_of(country) and not {clock(zone) for zone in found} <= {
            clock(zone) for zone in zones_of(country)
        }:
            elsewhere[country] = found
    assert elsewhere == {}


@pytest.mark.parametrize("number", ["+881612345678", "+999123", "", "+"])
def test_a_number_of_no_country_says_nothing(number: str) -> None:
    found = resolve(number)
    assert (found.place.zones, found.place.laws, found.source) == ((), (), ZoneSource.ASSUMED)


def test_a_number_that_cannot_be_read_may_be_anywhere_in_its_country() -> None:
    assert zones("+61") == zones("+61412345678")


def test_a_contact_abroad_with_a_number_from_home_may_be_in_both_countries() -> None:
    found = resolve(A_NEW_YORKER, country="DE")
    assert found.place.zones == (NEW_YORK, "Europe/Berlin")
    assert found.place.laws == ("DE",)


def test_a_country_of_one_zone_places_a_number_that_says_nothing() -> None:
    found = resolve(SEED_NUMBERS[0], country="DE")
    assert (found.place.zones, found.source) == (("Europe/Berlin",), ZoneSource.STATE)
    assert resolve(SEED_NUMBERS[0], country="US").source is ZoneSource.ASSUMED


@pytest.mark.parametrize(
    ("number", "time_zone", "laws"),
    [
        (A_NEW_YORKER, CHICAGO, ("US", "US-NY")),
        (A_NEW_YORKER, "Europe/London", ("GB",)),
        ("+14165550123", NEW_YORK, ("CA", "CA-ON")),
        (A_NEW_YORKER, "America/Puerto_Rico", ("US", "US-PR")),
        (A_NEW_YORKER, "UTC", ("US", "US-NY")),
        ("+442079460000", "Europe/Paris", ("FR",)),
    ],
)
def test_a_zone_in_another_country_brings_that_country_s_law(
    number: str, time_zone: str, laws: tuple[str, ...]
) -> None:
    assert resolve(number, time_zone=time_zone).place.laws == laws


def test_utc_does_not_replace_what_tells_the_place() -> None:
    found = resolve(A_NEW_YORKER, time_zone="UTC")
    assert (found.place.zones, found.source) == ((NEW_YORK, "UTC"), ZoneSource.NUMBER)
    found = resolve(A_NEW_YORKER, time_zone="UTC", state="Hawaii")
    assert (found.place.zones, found.source) == (("Pacific/Honolulu", "UTC"), ZoneSource.STATE)
    found = resolve("+15551234567", time_zone="UTC")
    assert (found.place.zones, found.source) == (("UTC",), ZoneSource.OWN)


def test_the_contact_s_country_and_state_say_whose_law_holds() -> None:
    assert resolve(A_NEW_YORKER, country="US").place.laws == ("US", "US-NY")
    assert resolve(A_NEW_YORKER, state="FL", time_zone="Asia/Kolkata").place.laws == ("US", "US-FL")
    assert resolve(A_NEW_YORKER, country="GB").place.laws == ("GB",)
    assert resolve("+17875550123").place.laws == ("US", "US-PR")
    assert resolve("+18675550123").place.laws == ("CA", "CA-NT", "CA-NU", "CA-YT")


def test_every_state_s_zones_are_known_ones_of_different_clocks() -> None:
    for country, states in (("US", "AL AK AZ FL IN TX PR"), ("CA", "BC NU QC"), ("AU", "NSW WA")):
        for code in states.split():
            state = state_of(country, code)
            assert state is not None
            assert set(state.zones) <= set(known_zones())


def test_a_state_has_the_zones_of_all_its_postcodes() -> None:
    import zipcodes

    rows: Callable[[], list[dict[str, str]]] = zipcodes.list_all
    by_state: dict[str, set[object]] = defaultdict(set)
    for row in rows():
        if row["timezone"] in known_zones():
            by_state[row["state"]].add(clock(row["timezone"]))
    missing = {}
    for code, clocks in by_state.items():
        if state := state_of("US", code):
            missing[code] = clocks - {clock(zone) for zone in state.zones}
    assert len(missing) == 56
    assert not {code: left for code, left in missing.items() if left}


def test_the_area_codes_states_are_those_of_the_library() -> None:
    from phonenumbers.geodata import GEOCODE_DATA

    named = {
        prefix[1:]: texts["en"]
        for prefix, texts in GEOCODE_DATA.items()
        if prefix.startswith("1") and len(prefix) == 4 and "en" in texts
    }
    aliases = {"Washington D.C.": "DC", "British Colombia": "BC"}
    wrong = {}
    for code, text in named.items():
        for name in text.split("/"):
            short = aliases.get(name, name.rsplit(", ", 1)[-1])
            state = state_of("US", short) or state_of("CA", short)
            if state is None or (state.country, state.code) not in area_codes().places.get(code, ()):
                wrong[code] = text
    assert len(named) > 380
    assert wrong == {}


def test_the_countries_of_area_codes_are_those_of_the_library() -> None:
    codes = area_codes()
    for code, places in codes.places.items():
        numbers = (phonenumbers.parse(f"+1{code}{exchange}5678") for exchange in range(200, 1000, 7))
        regions = {phonenumbers.region_code_for_number(number) for number in numbers} - {None}
        ours = {country for country, _ in places} | {state for _, state in places}
        assert regions <= ours, code


@pytest.mark.parametrize("number", ["+61891234567", "+34912345678", "+551133334444", "+79161234567"])
def test_a_number_has_at_least_the_library_s_own_zones_in_its_country(number: str) -> None:
    parsed = phonenumbers.parse(number)
    library = {clock(read_zone(zone)) for zone in time_zones_for_number(parsed)}
    assert {clock(zone) for zone in zones(number)} & library


def test_the_country_of_a_number_is_that_of_the_library() -> None:
    dice = random.Random(12)
    shared = [str(code) for code, regions in COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) > 1]
    compared = 0
    for code in sorted(set(shared) - {"1"}):
        for _ in range(3_000):
            national = f"{dice.randrange(10 ** dice.randint(7, 10)):07}"
            number = phonenumbers.parse(f"+{code}{national}")
            if phonenumbers.number_type(number) not in _PLACED:
                continue
            found = calling_code_of(f"{code}{national}"[:3])
            assert found is not None
            assert country_among(found.countries, national) == phonenumbers.region_code_for_number(number)
            compared += 1
    assert compared > 2_000


_PLACED: Final = {
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
}


def test_rows_of_a_file_are_placed_at_more_than_fifteen_thousand_a_second() -> None:
    codes = sorted(area_codes().places)
    numbers = [f"+1{codes[at % len(codes)]}{2000000 + at}" for at in range(20_000)]
    numbers += [f"+614{10000000 + at * 7}" for at in range(5_000)]
    numbers += [f"+447{700000000 + at * 11}" for at in range(5_000)]
    began = time.process_time()
    for number in numbers:
        resolve(number, state="TX")
    a_second = len(numbers) / (time.process_time() - began)
    assert a_second > 15_000, f"{a_second:,.0f} places a second"
