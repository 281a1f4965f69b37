"""Why a person of a campaign waits, is contacted now or has ended, in words: short for a list, whole for one person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.domain.calling_hours import HoursClock, is_zone, zone_of
from app.domain.campaign import Channel
from app.domain.gate import RECIPIENT_WHY, Blocked, Rule
from app.domain.opening import Opening, place_name, time_text
from app.domain.places import Place
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionSource


class WaitReason(StrEnum):
    """What a waiting person waits for. Each waits for exactly one of these; the names of rules are the gate's."""

    DUE = "due"
    """Nothing but their turn: a free line, a free number of ours, the pace, or the campaign's safeguards."""
    CALLING_HOURS = "calling_hours"
    RETRY = "retry"
    """The time of their next attempt."""
    HOLD = "hold"
    NUMBER_IN_USE = "number_in_use"
    FREQUENCY = "frequency"


STORED_REASONS: Final = frozenset({WaitReason.HOLD, WaitReason.NUMBER_IN_USE, WaitReason.FREQUENCY})
"""The reasons that are stored with the person (`recipient.blocked_by`), for as long as its next time is ahead."""


class SkipReason(StrEnum):
    """Why a person was skipped."""

    SUPPRESSION = "suppression"
    CONSENT = "consent"
    TEMPLATE = "template"
    BY_HAND = "by_hand"
    CARRIER = "carrier"
    """The carrier blocks what we send to them, because they opted out there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """The suppression that keeps a person out."""

    source: SuppressionSource
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the words about one person are made of."""

    status: RecipientStatus
    channel: Channel
    attempts_made: int
    zone: str
    """The time zone in which times are told: the person's, or the campaign's if the person's is not known."""
    whose: HoursClock
    opening: Opening
    opt_out: OptOut | None = None
    stored_why: str = ""
    """The reason for its status, as it is stored; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer about one person. `until`: when to look again; None: no time is awaited."""

    rule: str
    """A `gate.Rule` or a `WaitReason`; of one that was skipped, a `SkipReason`; else the status."""
    until: datetime | None
    short: str
    """For a list, without a full stop."""
    why: str
    """One or two sentences."""


def zone_to_tell(place: Place, campaign_zone: str) -> tuple[str, HoursClock]:
    """Return the time zone in which times are told to users, and whose it is: the first of the person's, if known."""
    if place.zones:
        return place.zones[0], HoursClock.CONTACT
    return campaign_zone if is_zone(campaign_zone) else "UTC", HoursClock.CAMPAIGN


def tell_blocked(story: Story, blocked: Blocked, *, now: datetime) -> Told:
    """Return the words for a waiting person about whom the gate has answered this."""
    rule, until = blocked.rule, blocked.until
    match rule:
        case Rule.STOP_SWITCH | Rule.CAMPAIGN_STATE:
            short, why = blocked.why.rstrip("."), blocked.why
        case Rule.SUPPRESSION:
            short = f"Will be skipped: {_opted_out(story, now)}"
            why = f"{short}. {story.opt_out.reason if story.opt_out else blocked.why}"
        case Rule.CONSENT | Rule.TEMPLATE:
            short = why = f"Will be skipped: {_lower(blocked.why)}"
        case Rule.ATTEMPTS:
            short = why = f"Ends without another attempt: {_lower(blocked.why)}"
        case Rule.NUMBER_IN_USE:
            short, why = "Waiting: their number is in another call", f"Waiting: {_lower(blocked.why)}"
        case Rule.HOLD:
            short = why = blocked.why
        case Rule.CALLING_HOURS:
            short = f"Waiting: {_lower(story.opening.wait(now))}"
            why = f"Waiting: {_lower(blocked.why)}"
        case Rule.FREQUENCY:
            short = f"Waiting: contacted often enough{_after(story, until, now)}"
            why = f"Waiting{_after(story, until, now)}. {blocked.why}"
        case _:
            turn = "waits for its turn" if story.channel is Channel.SMS else "waits for a free line"
            short = f"Due now: {_TURNS.get(rule, turn)}"
            why = f"{short}. {blocked.why}"
    return Told(rule=rule.value, until=until, short=short.rstrip("."), why=why)


def tell_later(story: Story, at: datetime, reason: str | None, *, now: datetime) -> Told:
    """Return the words for a waiting person who is not due before `at`. `reason`: the stored rule; None: a retry."""
    opens_at = story.opening.at(at).opens_at
    until = max(at, opens_at) if opens_at is not None else at
    if reason is None:
        short = f"{_ordinal(story.attempts_made + 1)} try{_after(story, until, now)}"
        return Told(rule=WaitReason.RETRY.value, until=until, short=short, why=f"{short}.")
    short = f"Waiting{_after(story, until, now)}"
    stored = story.stored_why
    return Told(
        rule=reason, until=until, short=short, why=f"{short}. {stored}".strip() if stored else f"{short}."
    )


def tell_due(story: Story) -> Told:
    """Return the words for a person who may be contacted now."""
    word = "texted" if story.channel is Channel.SMS else "called"
    short = f"Due now: is {word} next"
    return Told(rule=WaitReason.DUE.value, until=None, short=short, why=f"{short}.")


def tell_ended(story: Story, blocked_by: str | None, *, now: datetime) -> Told:
    """Return the words for a person who does not wait: under way or ended, by what is stored."""
    status, stored = story.status, story.stored_why
    if status is RecipientStatus.IN_PROGRESS:
        short = "Texted now" if story.channel is Channel.SMS else "Called now"
        return Told(rule=status.value, until=None, short=short, why=f"{short}. {RECIPIENT_WHY[status]}")
    if status is not RecipientStatus.SKIPPED:
        return Told(
            rule=status.value,
            until=None,
            short="",
            why=" ".join(filter(None, (RECIPIENT_WHY[status], stored))),
        )
    rule = blocked_by or SkipReason.CARRIER.value
    if rule == SkipReason.SUPPRESSION and story.opt_out is not None:
        short = f"Skipped: {_opted_out(story, now)}"
        return Told(rule=rule, until=None, short=short, why=f"{short}. {story.opt_out.reason}".strip())
    why = f"Skipped: {_lower(stored)}" if stored else RECIPIENT_WHY[status]
    return Told(rule=rule, until=None, short=why.rstrip("."), why=why)


def _opted_out(story: Story, now: datetime) -> str:
    if story.opt_out is None:
        return "this number must not be contacted"
    local, today = story.opt_out.at.astimezone(zone_of(story.zone)), now.astimezone(zone_of(story.zone))
    year = "" if local.year == today.year else f" {local.year}"
    return f"{_OPTED_OUT[story.opt_out.source]} on {local.day} {local:%B}{year}"


def _after(story: Story, until: datetime | None, now: datetime) -> str:
    """Return " after 14:05, New York"; the day is said if it is not today there."""
    if until is None:
        return ""
    return f" after {time_text(until, story.zone, seen=now).removesuffix(' today')}, {place_name(story.zone)}"


def _ordinal(number: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    teens = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teens else endings.get(number % 10, 'th')}"


def _lower(sentence: str) -> str:
    """Return the sentence so that it can follow a colon."""
    return sentence[:1].lower() + sentence[1:]


_OPTED_OUT: Final[Mapping[SuppressionSource, str]] = {
    SuppressionSource.KEYPRESS: "opted out by a key press in a call",
    SuppressionSource.SPOKEN: "opted out in a call",
    SuppressionSource.STOP_MESSAGE: "opted out by SMS",
    SuppressionSource.MANUAL: "blocked by hand",
    SuppressionSource.IMPORT: "blocked by an imported list",
    SuppressionSource.CARRIER: "opted out at the carrier",
    SuppressionSource.API: "blocked by an API call",
}

_TURNS: Final[Mapping[Rule, str]] = {
    Rule.BUDGET: "waits for the budget",
    Rule.PILOT: "waits for the pilot to end",
    Rule.RAMP: "waits for the ramp's next step",
    Rule.CALLER_ID: "waits for a free number of ours",
}
