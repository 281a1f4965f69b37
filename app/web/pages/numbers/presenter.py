"""Our numbers in words: the list, and the resting ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.domain.number_health import NumberRest
from app.services.numbers.queries import NumberView
from app.web.words import Moment, counted, moment

WHY: Final[Mapping[NumberRest, str]] = {
    NumberRest.FLAGGED: "Flagged as spam",
    NumberRest.LOW_ANSWER_RATE: "Answered too seldom",
    NumberRest.MANUAL: "Set aside",
}


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A number in the list."""

    id: int
    number: str
    pretty: str
    label: str
    voice: bool
    sms: bool
    active: bool
    is_default: bool
    carrier: str
    campaigns: int
    calls: str
    calls_in_a_day: str
    """Of the last 24 hours: "12", or "12 of 200" with a cap."""
    cap_reached: bool
    resting: bool
    texts_problem: str
    """Why a texted STOP does not reach us; empty if it does."""


@dataclass(frozen=True, slots=True)
class RestRow:
    """A number that rests."""

    id: int
    shown: str
    reason: str
    why: str
    """The evidence, in a sentence."""
    since: Moment = field(default_factory=Moment)
    until: Moment = field(default_factory=Moment)
    """Empty: until somebody puts it back to work."""


@dataclass(frozen=True, slots=True)
class NumberLists:
    """All numbers, read at one moment."""

    rows: list[NumberRow]
    resting: list[RestRow]


def numbers_of(
    views: Sequence[NumberView], calls: Mapping[int, int], *, zone: str, now: datetime
) -> NumberLists:
    """Word all numbers; `calls` tells how many each made in the last 24 hours."""
    resting = [view for view in views if view.active and view.is_resting(now)]
    return NumberLists(
        rows=[_row(view, calls.get(view.id, 0), now) for view in views],
        resting=[rest_row(view, zone, now) for view in resting],
    )


def rest_row(view: NumberView, zone: str, now: datetime) -> RestRow:
    """Word a number's rest; only its name if it does not rest."""
    shown = f"{view.pretty} · {view.label}" if view.label else view.pretty
    if view.rest is None:
        return RestRow(view.id, shown, "", "")
    return RestRow(
        id=view.id,
        shown=shown,
        reason=WHY[view.rest],
        why=view.rest_why,
        since=moment(view.rested_at, zone, now=now),
        until=moment(view.resting_until, zone, now=now),
    )


def caps_words(view: NumberView) -> str:
    """Return "200 calls a day, 20 in 10 minutes"; "No caps" without any."""
    day = f"{counted(view.daily_cap, 'call', 'calls')} a day" if view.daily_cap else ""
    minutes = counted(view.burst_minutes, "minute", "minutes")
    burst = f"{counted(view.burst_cap, 'call', 'calls')} in {minutes}" if view.burst_cap else ""
    return ", ".join(filter(None, (day, burst))) or "No caps"


def _row(view: NumberView, calls: int, now: datetime) -> NumberRow:
    return NumberRow(
        id=view.id,
        number=view.number,
        pretty=view.pretty,
        label=view.label,
        voice=view.voice,
        sms=view.sms,
        active=view.active,
        is_default=view.is_default,
        carrier=view.carrier,
        campaigns=view.campaigns_count,
        calls=f"{view.calls_made:,}",
        calls_in_a_day=f"{calls:,} of {view.daily_cap:,}" if view.daily_cap else f"{calls:,}",
        cap_reached=0 < view.daily_cap <= calls,
        resting=view.is_resting(now),
        texts_problem=view.inbound_problem,
    )
