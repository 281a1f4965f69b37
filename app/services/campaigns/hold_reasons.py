"""Why nothing is dialed now: the first reason that applies, for the campaign's page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.campaign import CampaignStatus
from app.domain.gate import Rule
from app.domain.waiting import WaitReason
from app.services.campaigns.views import Hold, WaitingNow

_HELD: Final = frozenset(CampaignStatus) - {
    CampaignStatus.DRAFT,
    CampaignStatus.COMPLETED,
    CampaignStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts:
    """The facts that the reasons are decided by."""

    status: CampaignStatus
    status_reason: str
    scheduled_at: datetime | None
    dialing_stopped: bool
    dialing_stopped_by: str | None
    worker_alive: bool
    worker_problem: str
    """Why the workers that are running do nothing; empty: none is running, or they work."""
    gate_rule: str | None
    gate_until: datetime | None
    gate_why: str | None
    total: int
    pending: int
    waiting: WaitingNow
    at_the_carrier: int
    unknown: int
    review: int
    awaiting_report: int
    keeps_adding: bool
    """A rule keeps adding new matches."""


def find_hold(facts: HoldFacts, *, now: datetime) -> Hold | None:
    """Return the first reason why nothing new is dialed; None if something is, or nothing is expected."""
    if facts.status not in _HELD:
        return None
    for reason in _REASONS:
        if hold := reason(facts, now):
            return hold
    return None


def _stop_switch(facts: HoldFacts, _now: datetime) -> Hold | None:
    if not facts.dialing_stopped:
        return None
    by = f" by {facts.dialing_stopped_by}" if facts.dialing_stopped_by else ""
    return Hold(rule=Rule.STOP_SWITCH, until=None, why=f"All dialing of the organization was stopped{by}.")


def _campaign_state(facts: HoldFacts, _now: datetime) -> Hold | None:
    reason = f": {facts.status_reason}" if facts.status_reason else "."
    match facts.status:
        case CampaignStatus.PAUSED:
            return Hold(rule=Rule.CAMPAIGN_STATE, until=None, why=f"The campaign is paused{reason}")
        case CampaignStatus.FAILED:
            return Hold(rule=Rule.CAMPAIGN_STATE, until=None, why=f"The campaign stopped on an error{reason}")
        case CampaignStatus.SCHEDULED:
            why = "The campaign is scheduled and begins by itself."
            return Hold(rule=Rule.CAMPAIGN_STATE, until=facts.scheduled_at, why=why)
        case _:
            return None


def _no_worker(facts: HoldFacts, _now: datetime) -> Hold | None:
    if facts.worker_alive:
        return None
    if facts.worker_problem:
        return Hold(rule="worker_problem", until=None, why=facts.worker_problem)
    why = "No dialing worker is running. Start one: `uv run callsheet worker --queue dial`."
    return Hold(rule="no_worker", until=None, why=why)


def _gate(facts: HoldFacts, now: datetime) -> Hold | None:
    # Calling hours are told as they are now: what is stored says what time it was then.
    if facts.gate_rule is None or facts.gate_rule == Rule.CALLING_HOURS:
        return None
    if facts.gate_until is not None and facts.gate_until <= now:
        return None
    return Hold(rule=facts.gate_rule, until=facts.gate_until, why=facts.gate_why or "")


def _calling_hours(facts: HoldFacts, _now: datetime) -> Hold | None:
    hours = facts.waiting.hours
    return Hold(rule=hours.rule, until=hours.until, why=hours.why) if hours is not None else None


def _all_wait(facts: HoldFacts, now: datetime) -> Hold | None:
    first_due_at = facts.waiting.first_due_at
    later = first_due_at is not None and first_due_at > now
    if not facts.pending or facts.at_the_carrier or not later:
        return None
    held = {count.reason for count in facts.waiting.counts} == {WaitReason.HOLD}
    why = "Everybody who is left is held." if held else "Everybody who is left waits for the next attempt."
    return Hold(rule="waiting_for_retry", until=facts.waiting.next_at or first_due_at, why=why)


def _reports(facts: HoldFacts, _now: datetime) -> Hold | None:
    if facts.pending or facts.at_the_carrier or facts.unknown or facts.review or not facts.awaiting_report:
        return None
    why = f"Everything is sent. Delivery reports are awaited for {facts.awaiting_report:,} messages."
    return Hold(rule="waiting_for_reports", until=None, why=why)


def _unproven(facts: HoldFacts, _now: datetime) -> Hold | None:
    if facts.pending or facts.at_the_carrier or not facts.unknown:
        return None
    why = f"The carrier is asked what became of {facts.unknown:,} attempts."
    return Hold(rule="waiting_for_carrier", until=None, why=why)


def _review(facts: HoldFacts, _now: datetime) -> Hold | None:
    if facts.pending or facts.at_the_carrier or not facts.review:
        return None
    why = f"A person must decide whether {facts.review:,} attempts were placed."
    return Hold(rule="needs_review", until=None, why=why)


def _new_people(facts: HoldFacts, _now: datetime) -> Hold | None:
    if facts.pending or facts.at_the_carrier or not facts.keeps_adding:
        return None
    if not facts.total:
        why = "Nobody matches the campaign's rule yet. New matches are added within a minute and contacted."
        return Hold(rule="waiting_for_contacts", until=None, why=why)
    why = (
        "Everybody is accounted for. A rule keeps adding new matches, so the campaign does not complete. "
        "To let it complete, end the rule on the Contacts tab."
    )
    return Hold(rule="waiting_for_contacts", until=None, why=why)


_REASONS: Final[tuple[Callable[[HoldFacts, datetime], Hold | None], ...]] = (
    _stop_switch,
    _campaign_state,
    _no_worker,
    _gate,
    _calling_hours,
    _all_wait,
    _reports,
    _unproven,
    _review,
    _new_people,
)
