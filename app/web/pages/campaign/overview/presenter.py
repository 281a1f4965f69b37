"""The Overview tab in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.attempt import AttemptStatus
from app.domain.calling_hours import is_zone
from app.domain.campaign import CampaignStatus, Channel
from app.domain.metrics import percent
from app.domain.opening import place_name, time_text
from app.domain.phone import pretty
from app.domain.recipient import RecipientStatus
from app.domain.waiting import WaitReason
from app.services.campaigns.views import (
    AttemptRow,
    CampaignSnapshot,
    LiveAttempt,
    TransitionRow,
    WaitingCount,
)
from app.services.dialing.settle.second_calls import SecondCallRow
from app.web.components import ProgressView
from app.web.pages.campaign.overview.safeguards_presenter import SafeguardsNow, safeguards
from app.web.pages.campaign.progress_presenter import progress
from app.web.recipient_words import STATUS_WORDS
from app.web.words import (
    NOTHING,
    YOUR_TIME,
    Moment,
    clock_time,
    counted,
    duration,
    in_both_zones,
    moment,
    money,
    rate,
    zone_word,
)


@dataclass(frozen=True, slots=True)
class StatusShare:
    """One line of the status breakdown."""

    status: str
    count: str
    share: str
    unused: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """The six measures."""

    completion: str = ""
    success: str = ""
    answer: str = ""
    human_answer: str = ""
    duration: str = ""
    cost: str = ""
    cost_note: str = ""
    calls_note: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """A call or message under way."""

    id: str
    name: str
    number: str
    status: str
    since: str


@dataclass(frozen=True, slots=True)
class Now:
    """The current activity; if there is none, why, and what to do."""

    title: str = ""
    sentence: str = ""
    until: str = ""
    kind: str = "quiet"
    """"busy", "held" or "quiet"."""
    waiting: str = ""
    """How many wait for what, in one sentence."""
    slots: str = ""
    happening: list[Happening] = field(default_factory=list)
    more: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """An attempt that a person must decide on: was it placed or not?"""

    id: str
    name: str
    number: str
    at: Moment
    why: str


@dataclass(frozen=True, slots=True)
class Second:
    """A second call that the carrier made for one attempt."""

    id: str
    name: str
    number: str
    at: Moment
    state: str


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of the campaign's status."""

    status: str
    sentence: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Overview:
    """The live part of the tab. Before it is read it has the same size, so that nothing jumps."""

    progress: ProgressView = field(default_factory=ProgressView)
    shares: list[StatusShare] = field(
        default_factory=lambda: [StatusShare(each.value, NOTHING, "", unused=True) for each in STATUS_WORDS]
    )
    measures: Measures = field(default_factory=Measures)
    conservation: str = "\u00a0"
    conserved: bool = True
    now: Now = field(default_factory=Now)
    next_run: str = ""
    """When a campaign on a schedule starts again; empty unless it waits."""
    safeguards: SafeguardsNow = field(default_factory=SafeguardsNow)


_OVER: Final[Mapping[CampaignStatus, tuple[str, str]]] = {
    CampaignStatus.DRAFT: ("Not started", "This is a draft. It contacts nobody until you start it."),
    CampaignStatus.COMPLETED: ("Completed", "Every contact has a final outcome."),
    CampaignStatus.CANCELLED: (
        "Cancelled",
        "No more contacts are called or texted. The results so far are kept.",
    ),
}

_HELD_TITLES: Final[Mapping[str, str]] = {
    "stop_switch": "All dialing is stopped",
    "campaign_state": "Nothing is dialed now",
    "calling_hours": "Waiting for calling hours",
    "caller_id": "Waiting for a number",
    "pacing": "Waiting for a slot",
    "pilot": "Waiting for the pilot to end",
    "ramp": "Waiting for this step to end",
    "budget": "Waiting for calls under way",
    "number_in_use": "Waiting for another attempt to settle",
    "waiting_for_retry": "Waiting for the next attempt",
    "waiting_for_reports": "Waiting for delivery reports",
    "waiting_for_carrier": "Asking the carrier",
    "waiting_for_contacts": "Waiting for new matching contacts",
    "needs_review": "Waiting for your decision",
    "no_worker": "No dialing worker is running",
    "worker_problem": "The dialing worker needs attention",
}


def overview(snapshot: CampaignSnapshot, *, other_zone: str, now: datetime) -> Overview:
    """Word a snapshot in the campaign's time zone; the end of a hold also in `other_zone`, if that differs."""
    counts = snapshot.counts
    shares = [
        StatusShare(
            status=status.value,
            count=f"{counts[status]:,}",
            share=f"{percent(counts[status], snapshot.total):g}%",
            unused=counts[status] == 0,
        )
        for status in STATUS_WORDS
    ]
    return Overview(
        progress=progress(counts, snapshot.run_status),
        shares=shares,
        measures=_measures(snapshot),
        conservation=_conservation(snapshot),
        conserved=snapshot.conserved,
        now=_now(snapshot, other_zone, now),
        next_run=_next_run(snapshot, now),
        safeguards=safeguards(snapshot),
    )


def _next_run(snapshot: CampaignSnapshot, now: datetime) -> str:
    """Return "Next run: Mon 14 Dec 09:00, America/New_York", with the year if it is not the present one."""
    if snapshot.next_run_at is None or not is_zone(snapshot.next_run_zone):
        return ""
    zone = ZoneInfo(snapshot.next_run_zone)
    there = snapshot.next_run_at.astimezone(zone)
    year = "" if there.year == now.astimezone(zone).year else f" {there.year}"
    return f"Next run: {there:%a} {there.day} {there:%b}{year} {there:%H:%M}, {snapshot.next_run_zone}"


def review(row: AttemptRow, zone: str, *, now: datetime) -> Review:
    """Word an attempt in review."""
    return Review(
        id=str(row.id),
        name=row.contact_name or pretty(row.number_to),
        number=pretty(row.number_to),
        at=moment(row.at, zone, now=now),
        why=row.error_message or "The carrier could not say whether this was placed.",
    )


def second_call(row: SecondCallRow, zone: str, *, now: datetime) -> Second:
    """Word a second call."""
    return Second(
        id=row.provider_id,
        name=row.contact_name or pretty(row.number_to),
        number=pretty(row.number_to),
        at=moment(row.found_at, zone, now=now),
        state="Ended" if row.ended_at else "Being hung up",
    )


def change(row: TransitionRow, zone: str, *, now: datetime) -> StatusChange:
    """Word a change of status."""
    sentence = f"by {row.actor}" if row.actor != "system" else "automatically"
    return StatusChange(
        status=row.new,
        sentence=f"{sentence}: {row.reason}" if row.reason else sentence,
        at=moment(row.at, zone, now=now),
    )


def _measures(snapshot: CampaignSnapshot) -> Measures:
    metrics, made = snapshot.metrics, snapshot.calls_made
    return Measures(
        completion=rate(metrics.completion_rate, of=snapshot.total),
        success=rate(metrics.success_rate, of=made),
        answer=rate(metrics.answer_rate, of=made),
        human_answer=rate(metrics.human_answer_rate, of=made),
        duration=duration(metrics.average_duration) if snapshot.answered else NOTHING,
        cost=money(metrics.total_cost, metrics.cost_unit),
        cost_note=_cost_note(snapshot),
        calls_note=f"of {counted(made, 'attempt', 'attempts')}",
    )


def _cost_note(snapshot: CampaignSnapshot) -> str:
    if not snapshot.calls_made:
        return "Nothing spent yet"
    metrics = snapshot.metrics
    if metrics.cost_estimated:
        return (
            "Partly estimated: final prices follow"
            if metrics.cost_known
            else "Estimated: final prices follow"
        )
    return "As the carrier charges" if metrics.total_cost else "Nothing charged so far"


def _conservation(snapshot: CampaignSnapshot) -> str:
    parts = [
        f"{snapshot.counts[status]:,} {word.lower()}"
        for status, word in STATUS_WORDS.items()
        if snapshot.counts[status]
    ]
    return f"{counted(snapshot.total, 'contact', 'contacts')} = {' + '.join(parts)}" if parts else ""


def _now(snapshot: CampaignSnapshot, other_zone: str, now: datetime) -> Now:
    going_on = replace(_going_on(snapshot), waiting=waiting_words(snapshot, other_zone, now=now))
    if (hold := snapshot.hold) is not None:
        until = ""
        if hold.until is not None:
            until = f"Until {in_both_zones(hold.until, snapshot.time_zone, other_zone, now=now, others=YOUR_TIME)}"
        title = _HELD_TITLES.get(hold.rule, "Nothing is dialed now")
        return replace(going_on, title=title, sentence=hold.why, until=until, kind="held")
    if snapshot.status in _OVER:
        title, sentence = _OVER[snapshot.status]
        return replace(going_on, title=title, sentence=sentence)
    if snapshot.live_calls:
        is_text = snapshot.channel is Channel.SMS
        under_way = counted(snapshot.live_calls, *(("text", "texts") if is_text else ("call", "calls")))
        return replace(going_on, title=f"{under_way} under way", kind="busy")
    waiting = counted(snapshot.counts[RecipientStatus.PENDING], "contact waits", "contacts wait")
    sentence = f"{waiting}. The next attempt starts in a moment."
    return replace(going_on, title="About to dial", sentence=sentence, kind="busy")


def waiting_words(snapshot: CampaignSnapshot, viewers: str, *, now: datetime) -> str:
    """Return "40 wait for 09:00 in Los Angeles (19:00 your time) \u00b7 3 are held"; empty if all who wait are due.

    `viewers`: the viewer's time zone.
    """
    counts = [each for each in snapshot.waiting.counts if each.people]
    if not counts or {each.reason for each in counts} == {WaitReason.DUE}:
        return ""
    return " \u00b7 ".join(_waiting_part(each, viewers, now) for each in counts)


def _waiting_part(count: WaitingCount, viewers: str, now: datetime) -> str:
    people = f"{count.people:,} {'waits' if count.people == 1 else 'wait'}"
    match count.reason:
        case WaitReason.DUE:
            return f"{count.people:,} {'is' if count.people == 1 else 'are'} due now"
        case WaitReason.CALLING_HOURS:
            return f"{people} for {_opening_words(count, viewers, now)}"
        case WaitReason.RETRY:
            verb = "tries" if count.people == 1 else "try"
            return f"{count.people:,} {verb} again after {_at(count, viewers, now)}"
        case WaitReason.HOLD:
            return f"{count.people:,} {'is' if count.people == 1 else 'are'} held"
        case WaitReason.NUMBER_IN_USE:
            return f"{people} for another call to their number"
        case WaitReason.FREQUENCY:
            return f"{people} because of the frequency cap"


def _opening_words(count: WaitingCount, viewers: str, now: datetime) -> str:
    if count.until is None:
        return "calling hours that never open"
    where = f"{_short(count.until, count.time_zone, now)} in {place_name(count.time_zone)}"
    here = _short(count.until, viewers, now)
    same = here == _short(count.until, count.time_zone, now)
    first = where if same else f"{where} ({here} {YOUR_TIME})"
    return f"calling hours, the first for {first}" if count.several else first


def _at(count: WaitingCount, viewers: str, now: datetime) -> str:
    return f"{_short(count.until, viewers, now)} {YOUR_TIME}" if count.until is not None else "a while"


def _short(at: datetime, zone: str, now: datetime) -> str:
    return time_text(at, zone, seen=now).removesuffix(" today")


def _going_on(snapshot: CampaignSnapshot) -> Now:
    """Return the attempts under way, without a title."""
    shown = [
        _happening(each, snapshot.time_zone)
        for each in snapshot.happening
        if each.status is not AttemptStatus.REVIEW
    ]
    live = snapshot.live_calls
    has_slots = snapshot.channel is Channel.CALL and live > 0
    left = live + snapshot.unknown_count - len(shown)
    return Now(
        slots=f"{live} of {counted(snapshot.most_at_once, 'slot', 'slots')} in use" if has_slots else "",
        happening=shown,
        more=f"and {left:,} more" if left > 0 else "",
    )


def _happening(attempt: LiveAttempt, zone: str) -> Happening:
    return Happening(
        id=str(attempt.attempt_id),
        name=attempt.contact_name or pretty(attempt.number),
        number=pretty(attempt.number),
        status=attempt.status.value,
        since=f"since {clock_time(attempt.since, zone)} {zone_word(attempt.since.astimezone(ZoneInfo(zone)))}",
    )
