"""The safeguards on the Overview tab, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.domain.campaign import CampaignStatus, Channel
from app.domain.metrics import percent
from app.domain.phone import pretty
from app.services.campaigns.views import (
    AttemptRow,
    BudgetView,
    CampaignSnapshot,
    PilotView,
    RampView,
    SafeguardsView,
    TripRow,
)
from app.web.words import Moment, counted, moment, money

SHOWN: Final = 5
"""Most attempts listed for one trip; the call log has all of them."""


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A line of the panel: pilot, ramp or budget."""

    title: str
    text: str
    note: str
    percent: float
    """Percent used, at most 100."""


@dataclass(frozen=True, slots=True)
class SafeguardsNow:
    """The live lines of the panel, and the question that waits for a person."""

    lines: list[Safeguard] = field(default_factory=list)
    waits: str = ""
    """Title of the banner that asks to check and resume; empty while nothing waits."""
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """An attempt that shows a bad sign."""

    id: str
    name: str
    number: str
    search: str
    """The search text that finds it in the call log."""
    disposition: str
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """One time the breaker paused the campaign."""

    id: str
    sentence: str
    at: Moment
    is_now: bool
    """The campaign is paused now because of this trip."""
    witnesses: list[Witness]
    more: str


def safeguards(snapshot: CampaignSnapshot) -> SafeguardsNow:
    """Word pilot, ramp and budget."""
    present = snapshot.safeguards
    waits, todo = _waiting(present)
    return SafeguardsNow(
        lines=[
            *([_pilot(present.pilot)] if present.pilot else []),
            *([_ramp(present.ramp)] if present.ramp else []),
            *([_budget(present.budget, is_text=snapshot.channel is Channel.SMS)] if present.budget else []),
        ],
        waits=waits,
        todo=todo,
    )


def stops(trips: Sequence[TripRow], snapshot: CampaignSnapshot, *, now: datetime) -> list[Stop]:
    """Word the trips of the breaker, newest first."""
    is_paused = snapshot.status is CampaignStatus.PAUSED
    return [
        Stop(
            id=str(trip.id),
            sentence=trip.sentence,
            at=moment(trip.at, snapshot.time_zone, now=now),
            is_now=is_paused and index == 0 and snapshot.status_reason == trip.sentence,
            witnesses=[_witness(attempt) for attempt in trip.attempts[:SHOWN]],
            more=f"and {trip.attempt_count - SHOWN:,} more" if trip.attempt_count > SHOWN else "",
        )
        for index, trip in enumerate(trips)
    ]


def _waiting(present: SafeguardsView) -> tuple[str, str]:
    if present.pilot and present.pilot.waits:
        return (
            f"The pilot of {present.pilot.size:,} is done",
            "Look at the results, then resume to dial the rest.",
        )
    if present.budget and present.budget.used_up:
        return "The budget is used up", "Raise it in the settings and resume, or end the campaign here."
    return "", ""


def _pilot(pilot: PilotView) -> Safeguard:
    if pilot.passed:
        note = "Seen: the rest is dialed"
    elif pilot.waits:
        note = "Done: waits for you"
    else:
        note = "The rest waits for your word"
    text = f"{pilot.reached:,} of {counted(pilot.size, 'contact', 'contacts')} tried"
    return Safeguard("Pilot", text, note, percent(pilot.reached, pilot.size))


def _ramp(ramp: RampView) -> Safeguard:
    people = f"{ramp.limit:,} of {counted(ramp.total, 'contact', 'contacts')}"
    # In a short list, a step has more people than its percentage.
    is_share = ramp.limit == -(-ramp.total * ramp.percent // 100)
    step = f"Step {ramp.step} of {ramp.steps}: " + (f"{ramp.percent}% ({people})" if is_share else people)
    note = f"{ramp.reached:,} tried. " + (
        "More follow when these went well" if ramp.step < ramp.steps else "The last step: nobody is held back"
    )
    return Safeguard("Ramp", step, note, min(percent(ramp.reached, ramp.limit), 100.0))


def _budget(budget: BudgetView, *, is_text: bool) -> Safeguard:
    used = budget.spent + budget.in_flight
    text = f"{money(used, budget.unit)} of {money(budget.cap, budget.unit)} used"
    what = "texts" if is_text else "calls"
    note = (
        f"{money(budget.in_flight, budget.unit)} of it is set aside for {what} under way"
        if budget.in_flight
        else f"{money(budget.left, budget.unit)} left"
    )
    share = min(100.0, round(100 * used / budget.cap, 1)) if budget.cap else 100.0
    return Safeguard("Budget", text, note, share)


def _witness(attempt: AttemptRow) -> Witness:
    why = attempt.error_message or ""
    code = f" ({attempt.error_code})" if attempt.error_code and str(attempt.error_code) not in why else ""
    return Witness(
        id=str(attempt.id),
        name=attempt.contact_name or pretty(attempt.number_to),
        number=pretty(attempt.number_to),
        search=attempt.number_to,
        disposition=attempt.disposition or "",
        why=(why + code).strip(),
    )
