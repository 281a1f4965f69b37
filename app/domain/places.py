"""Where a person may be: the time zones in which calling hours must hold, and whose legal hours apply.

The most certain source decides: the contact's own time zone, else its state or postcode, else its phone number. A
source that fits several zones gives all of them, and calling hours must then hold in each. A mobile number that has
moved with its owner cannot be recognized: it counts where its area code is, and its zone is never more than likely.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from app.domain.phone_countries import calling_code_of, country_among
from app.domain.place_tables import CountryState, area_codes, postcode_places, state_of, territory
from app.domain.time_zones import ZoneRefused, read_zone
from app.domain.zone_clocks import alike_in, country_of, one_of_each_clock, zones_of

_NORTH_AMERICA: Final = "+1"
_US: Final = "US"
_BOTH: Final = ("CA", _US)
"""The countries whose states are looked for if a +1 number's contact has no country."""


class ZoneSource(StrEnum):
    """What tells the zones of a person."""

    OWN = "own"
    """The contact's own time zone."""
    STATE = "state"
    """Its state or country."""
    POSTCODE = "postcode"
    NUMBER = "number"
    """The phone number."""
    ASSUMED = "assumed"
    """Nothing: the campaign's zone is assumed."""


class Confidence(StrEnum):
    """How certain the zones of a person are."""

    STATED = "stated"
    LIKELY = "likely"
    """One zone fits."""
    SEVERAL = "several"
    """Several zones fit: calling hours must hold in all."""
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person may be. All three are sorted."""

    zones: tuple[str, ...]
    """IANA names; empty: unknown, and the campaign's zone is assumed."""
    number_zones: tuple[str, ...]
    """What the phone number alone says."""
    laws: tuple[str, ...]
    """Whose legal hours apply: codes of countries, and of states such as `US-FL`. All must hold."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A place, and what told it."""

    place: Place
    source: ZoneSource


@dataclass(frozen=True, slots=True)
class _NumberFacts:
    """What a number says by itself."""

    zones: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    """Of its only country, without that country's code."""
    is_north_american: bool = False


def resolve(
    number: str, *, time_zone: str = "", state: str = "", country: str = "", postcode: str = ""
) -> Resolved:
    """Return where the person with this number (E.164) may be, and what says so.

    A time zone that `read_zone` refuses, and a state or postcode that is not known, count as not given. `UTC`, which is
    the time of no place, is a zone besides the others.
    """
    return _resolve(_facts(number), time_zone, state.strip(), country.strip().upper(), postcode.strip())


def confidence(source: ZoneSource, zones: Iterable[str]) -> Confidence:
    """Return how certain zones from this source are."""
    if source is ZoneSource.OWN:
        return Confidence.STATED
    match len(list(zones)):
        case 0:
            return Confidence.ASSUMED
        case 1:
            return Confidence.LIKELY
        case _:
            return Confidence.SEVERAL


@lru_cache(maxsize=50_000)
def _resolve(facts: _NumberFacts, time_zone: str, state: str, country: str, postcode: str) -> Resolved:
    own = _readable(time_zone)
    home = _home(facts, state, country, postcode)
    zones, source = home.zones, home.source
    if own and country_of(own):
        zones, source = (own,), ZoneSource.OWN
    elif not zones:
        zones = _by_number(facts, home.country)
        source = ZoneSource.NUMBER if zones else ZoneSource.ASSUMED
    if own and own not in zones:
        # UTC is no place: many programs write it where nobody gave a zone. So it replaces nothing.
        zones, source = tuple(sorted((*zones, own))), source if zones else ZoneSource.OWN
    return Resolved(Place(zones, facts.zones, _laws(facts, home, own)), source)


def _readable(time_zone: str) -> str:
    try:
        return read_zone(time_zone) if time_zone else ""
    except ZoneRefused:
        return ""


@dataclass(frozen=True, slots=True)
class _Home:
    """What the contact's own fields say about country and state, apart from its time zone."""

    country: str = ""
    states: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    source: ZoneSource = ZoneSource.ASSUMED


def _home(facts: _NumberFacts, state: str, country: str, postcode: str) -> _Home:
    found = territory(country) or _state(facts, state, country)
    where = found.country if found else country
    may_be_american = where == _US or (not where and _US in facts.countries)
    posted = postcode_places(postcode) if may_be_american else None
    if posted and (found is None or posted.states == (found.code,)):
        return _Home(_US, posted.states, _in(posted.zones, _US), ZoneSource.POSTCODE)
    if found:
        states = {found.code, *(posted.states if posted else ())}
        zones = (*found.zones, *(posted.zones if posted else ()))
        return _Home(found.country, tuple(sorted(states)), _in(zones, found.country), ZoneSource.STATE)
    alone = zones_of(country) if country and not facts.zones else ()
    return _Home(country, zones=alone, source=ZoneSource.STATE) if len(alone) == 1 else _Home(country)


def _state(facts: _NumberFacts, state: str, country: str) -> CountryState | None:
    """Return the state of the contact: in its country, else in the number's."""
    if country:
        return state_of(country, state)
    countries = _BOTH if facts.is_north_american else facts.countries
    return next(filter(None, (state_of(each, state) for each in countries)), None)


def _by_number(facts: _NumberFacts, country: str) -> tuple[str, ...]:
    """Return the zones of the number. If the contact is in another country, they are possible as well as its zones."""
    if not country or not facts.zones or facts.countries == (country,):
        return facts.zones
    if country in facts.countries:
        return _in((zone for zone in facts.zones if alike_in(zone, country)), country)
    return _in((*facts.zones, *zones_of(country)), country)


def _laws(facts: _NumberFacts, home: _Home, own: str) -> tuple[str, ...]:
    if home.country:
        numbers_own = facts.states if facts.countries == (home.country,) else ()
        return _codes((home.country,), home.states or numbers_own)
    if own and country_of(own) and not any(alike_in(own, country) for country in facts.countries):
        abroad = territory(country_of(own))
        return _codes((abroad.country,), (abroad.code,)) if abroad else (country_of(own),)
    return _codes(facts.countries, facts.states)


def _codes(countries: tuple[str, ...], states: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes of the countries, and of the states of the only one."""
    return tuple(sorted({*countries, *(f"{countries[0]}-{state}" for state in states)}))


def _in(zones: Iterable[str], country: str) -> tuple[str, ...]:
    """Return the zones, one for each clock, by the names that the country has for them."""
    return one_of_each_clock(frozenset(alike_in(zone, country) or zone for zone in zones))


def _facts(number: str) -> _NumberFacts:
    if number.startswith(_NORTH_AMERICA):
        return _north_american(number[2:5])
    if (calling := calling_code_of(number[1:4])) is None:
        return _NumberFacts()
    country = country_among(calling.countries, number[1 + len(calling.code) :])
    common = _zones_of_calling_code(calling.code, country)
    if len(common) == 1:
        return _of_country(country, common)
    try:
        zones = _at_home(time_zones_for_number(phonenumbers.parse(number)), country)
    except phonenumbers.NumberParseException:
        zones = ()
    return _of_country(country, zones or common)


@lru_cache(maxsize=1_000)
def _north_american(area_code: str) -> _NumberFacts:
    """Return what an area code says. All that it says of its numbers counts for each: exchanges move within it."""
    codes = area_codes()
    if area_code in codes.toll_free:
        every = (*zones_of("CA"), *zones_of(_US))
        return _NumberFacts(one_of_each_clock(frozenset(every)), _BOTH, is_north_american=True)
    served = (area_code, *codes.overlays.get(area_code, ()))
    places = sorted({place for code in served for place in codes.places.get(code, ())})
    country = places[0][0] if places else _US
    states = tuple(sorted({state for _, state in places if state}))
    found = [zone for code in served for zone in _zones_under(f"1{code}")]
    zones = set(_named(tuple(found), country))
    if len(zones) > 1:
        known = filter(None, (state_of(country, state) for state in states))
        zones |= {zone for state in known for zone in state.zones}
    return _NumberFacts(_in(zones, country), (country,), states, is_north_american=True)


@lru_cache(maxsize=1_000)
def _of_country(country: str, zones: tuple[str, ...]) -> _NumberFacts:
    return _NumberFacts(zones, (country,))


@lru_cache(maxsize=300)
def _zones_of_calling_code(calling_code: str, country: str) -> tuple[str, ...]:
    return _at_home(tuple(_zones_under(calling_code)), country)


@lru_cache(maxsize=1_000)
def _at_home(zones: tuple[str, ...], country: str) -> tuple[str, ...]:
    """Return the zones as `_named` does, or all of the country's if one of them is not the country's.

    `phonenumbers` gives some countries the zone of another one, whose clock is only alike in winter.
    """
    named, own = _named(zones, country), zones_of(country)
    return own if own and not set(own).issuperset(named) else named


def _zones_under(prefix: str) -> list[str]:
    """Return all zones of numbers that begin with these digits, as `phonenumbers` calls them."""
    return [zone for key, zones in TIMEZONE_DATA.items() if key.startswith(prefix) for zone in zones]


@lru_cache(maxsize=1_000)
def _named(zones: tuple[str, ...], country: str) -> tuple[str, ...]:
    """Return the zones of `phonenumbers` by their names today, one for each clock; without its name for none."""
    return _in(filter(None, map(_readable, zones)), country)
