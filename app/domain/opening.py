"""When one place may be contacted: the campaign's hours, the law's and the organization's days off, all together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import combinations
from typing import Final, Self

from app.domain.calling_hours import (
    EVERY_DAY,
    CallingHours,
    Constraint,
    HoursClock,
    Span,
    UnknownZone,
    describe,
    describe_times,
    is_zone,
    open_span,
    zone_of,
)
from app.domain.legal_hours import (
    ANY_OTHER,
    STRICT_WINDOWS,
    AppliedLaw,
    LegalHours,
    PublicHolidays,
)
from app.domain.legal_policy import LegalPolicy

CAMPAIGN_HOURS: Final = "the campaign's hours"
STRICT_HOURS: Final = "the organization's strict hours"
BLACKOUT_DATES: Final = "the organization's blackout dates"

_ASK_AGAIN: Final = timedelta(days=1)
"""How long an answer without an end is kept: time may bring what lay beyond the horizon."""
_TWO_WEEKS: Final = timedelta(days=15)
"""Weekly windows that do not meet in this time never meet, but for days off."""
_A_WEEK: Final = 7
_UTC: Final = "UTC"


@dataclass(frozen=True)
class Blackouts:
    """Dates on which an organization contacts nobody, by the calendar where the person is."""

    dates: tuple[tuple[date, date, str], ...] = ()
    """From and until, both included, and what they are called; that may be empty."""

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, str]]) -> Self:
        """Return the dates of the organization's column: `from` and `until` in ISO form, and `name`."""
        written = ((row["from"], row["until"], row["name"]) for row in rows)
        return cls(
            tuple((date.fromisoformat(start), date.fromisoformat(end), name) for start, end, name in written)
        )

    def why_off(self, day: date) -> str | None:
        """Return what the day is called; None if it is not one of them."""
        name = self._names.get(day)
        return None if name is None else f"“{name}”" if name else "the day"

    @cached_property
    def _names(self) -> Mapping[date, str]:
        """Each of the days -> its name, the first of several. A year of days is asked about for each place."""
        return {
            start + timedelta(days=number): name
            for start, end, name in reversed(self.dates)
            for number in range((end - start).days + 1)
        }


NO_BLACKOUTS: Final = Blackouts()


def constraints_for(
    *,
    zones: Collection[str],
    laws: Collection[str],
    hours: CallingHours,
    campaign_zone: str,
    legal: LegalHours,
    policy: LegalPolicy = LegalPolicy.LAW,
    blackouts: Blackouts = NO_BLACKOUTS,
) -> tuple[Constraint, ...]:
    """Return all that must hold for people at a place with these zones and laws to be contacted.

    Without zones the place is unknown, and the campaign's zone is assumed. There is always at least one constraint,
    so an unknown zone is always found.
    """
    whose = HoursClock.CONTACT if zones else HoursClock.CAMPAIGN
    at_place = [(zone, whose) for zone in dict.fromkeys(zones or (campaign_zone,))]
    by_campaign = hours.clock is HoursClock.CAMPAIGN
    clocks = [(campaign_zone, HoursClock.CAMPAIGN)] if by_campaign else at_place
    found = [Constraint(zone, hours.windows, None, CAMPAIGN_HOURS, clock) for zone, clock in clocks]
    for zone, clock in at_place:
        if policy is not LegalPolicy.OFF:
            found += (_legal(zone, clock, each) for each in legal.rules_for(laws))
        if policy is LegalPolicy.STRICT:
            found += (
                Constraint(zone, STRICT_WINDOWS, PublicHolidays(law), STRICT_HOURS, clock)
                for law in laws or (ANY_OTHER,)
            )
        if blackouts.dates:
            found.append(Constraint(zone, (), blackouts, BLACKOUT_DATES, clock))
    return tuple(dict.fromkeys(found))


def _legal(zone: str, clock: HoursClock, applied: AppliedLaw) -> Constraint:
    return Constraint(zone, applied.rule.windows, applied.days_off, legal_hours_of(applied.rule.name), clock)


def legal_hours_of(name: str) -> str:
    """Return what a law's hours are called in a sentence: `Florida's legal hours`."""
    apostrophe = "'" if name.endswith("s") else "'s"
    return f"{name}{apostrophe} legal hours"


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether people at a place may be contacted, or from when on. It may be kept, and asked again with `at`."""

    constraints: tuple[Constraint, ...]
    asked_at: datetime
    span: Span | None
    """The first time from `asked_at` on in which all constraints hold; None: never, or a zone is not known."""
    problem: str = ""
    """Why the local time is not known, as a sentence; empty: it is."""

    @classmethod
    def find(cls, constraints: tuple[Constraint, ...], now: datetime) -> Self:
        """Return the answer for now. An unknown zone is closed, and is the `problem`."""
        try:
            return cls(constraints, now, open_span(constraints, now))
        except UnknownZone as unknown:
            return cls(constraints, now, None, f"{unknown} Without it the local time is not known.")

    def at(self, now: datetime) -> "Opening":
        """Return the answer for now: this one as long as it holds, else a new one."""
        closes_at = self.span.closes_at if self.span is not None else None
        holds = self.asked_at <= now < (closes_at or self.asked_at + _ASK_AGAIN)
        return self if holds else Opening.find(self.constraints, now)

    def is_open(self, now: datetime) -> bool:
        """Tell whether people may be contacted now."""
        span = self.at(now).span
        return span is not None and span.opens_at <= now

    @property
    def opens_at(self) -> datetime | None:
        """When people may be contacted, at `asked_at` or later; None: never, or it is not known."""
        return self.span.opens_at if self.span is not None else None

    @property
    def closes_at(self) -> datetime | None:
        """When they may no longer be contacted; None: that is not in sight."""
        return self.span.closes_at if self.span is not None else None

    def why(self, now: datetime) -> str:
        """Return why people may not be contacted now, and from when on they may, as a sentence for users.

        `It is 18:40 in Denver (America/Denver), allowed from 09:00 on Wednesday, their time: the campaign's hours
        are 09:00 to 18:00, every day.` Empty if they may be contacted.
        """
        answer = self.at(now)
        if answer.problem:
            return answer.problem
        if answer.span is None:
            return _why_never(answer.constraints, now)
        return (
            "" if answer.span.opens_at <= now else _why_until(answer.constraints, now, answer.span.opens_at)
        )

    def wait(self, now: datetime) -> str:
        """Return the first half of `why`, without the rule and the full stop, and with the city alone.

        If no time is awaited, it says so in a few words.
        """
        answer = self.at(now)
        if answer.problem:
            return "The local time is not known"
        if answer.span is None:
            return "No hour is allowed there"
        closing = _last_to_open(answer.constraints, now, answer.span.opens_at)
        return _wait(closing, now, answer.span.opens_at, where=place_name(closing.zone))

    def local_time(self, at: datetime, *, seen: datetime) -> str:
        """Return a time by the clock where the people are, and where that is: `09:00 on Wednesday in Denver`."""
        theirs = (each.zone for each in self.constraints if each.whose is HoursClock.CONTACT)
        zone = next(theirs, self.constraints[0].zone if self.constraints else _UTC)
        zone = zone if is_zone(zone) else _UTC
        return f"{time_text(at, zone, seen=seen)} in {place_name(zone)}"


def place_name(zone: str) -> str:
    """Return the city of a zone's name: `Buenos Aires` of `America/Argentina/Buenos_Aires`."""
    return zone.rpartition("/")[2].replace("_", " ")


def time_text(at: datetime, zone: str, *, seen: datetime) -> str:
    """Return a time on the zone's wall clock, as one says it at `seen`: `09:00 on Wednesday`, `09:00 today`."""
    local, today = at.astimezone(zone_of(zone)), seen.astimezone(zone_of(zone))
    days = (local.date() - today.date()).days
    if days == 0:
        return f"{local:%H:%M} today"
    if 0 < days < _A_WEEK:
        return f"{local:%H:%M} on {local:%A}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local:%H:%M} on {local:%A} {local.day} {local:%B}{year}"


def _why_until(constraints: Sequence[Constraint], now: datetime, opens_at: datetime) -> str:
    closing = _last_to_open(constraints, now, opens_at)
    local = now.astimezone(zone_of(closing.zone))
    off = closing.days_off.why_off(local.date()) if closing.days_off is not None else None
    rule = f"closed for {off} ({closing.name})" if off else f"{closing.name} are {describe(closing.windows)}"
    city = place_name(closing.zone)
    where = city if city == closing.zone else f"{city} ({closing.zone})"
    return f"{_wait(closing, now, opens_at, where=where)}: {rule}."


def _wait(closing: Constraint, now: datetime, opens_at: datetime, *, where: str) -> str:
    local = now.astimezone(zone_of(closing.zone))
    whose = "their time" if closing.whose is HoursClock.CONTACT else "the campaign's time"
    opens = time_text(opens_at, closing.zone, seen=now)
    return f"It is {local:%H:%M} in {where}, allowed from {opens}, {whose}"


def _last_to_open(constraints: Sequence[Constraint], now: datetime, opens_at: datetime) -> Constraint:
    """Return the constraint that is closed now for the longest time; of several, the first."""

    def opens(constraint: Constraint) -> datetime:
        span = open_span((constraint,), now)
        return span.opens_at if span is not None else opens_at

    return max(constraints, key=opens)


def _why_never(constraints: Sequence[Constraint], now: datetime) -> str:
    apart = _never_together(constraints, now) or tuple(constraints)
    zones = {each.zone for each in apart}
    told = dict.fromkeys(_told(each, with_place=len(zones) > 1) for each in reversed(apart))
    *first, last = told
    return f"No hour satisfies {', '.join(first)} and {last}." if first else f"No hour satisfies {last}."


def _never_together(constraints: Sequence[Constraint], now: datetime) -> tuple[Constraint, ...] | None:
    """Return one constraint that never holds, or two that never hold together; None: it takes more of them."""
    return next(
        (some for some in _ones_and_twos(constraints) if open_span(some, now, horizon=_TWO_WEEKS) is None),
        None,
    )


def _ones_and_twos(constraints: Sequence[Constraint]) -> Iterator[tuple[Constraint, ...]]:
    yield from ((each,) for each in constraints)
    yield from combinations(constraints, 2)


def _told(constraint: Constraint, *, with_place: bool) -> str:
    windows = constraint.windows
    hours = (describe_times if all(each.days == EVERY_DAY for each in windows) else describe)(windows)
    place = f" in {place_name(constraint.zone)}" if with_place else ""
    return f"{constraint.name} ({hours}){place}" if windows else f"{constraint.name}{place}"
