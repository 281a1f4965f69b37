"""May this recipient be contacted now? One ordered list of rules, used by the dialer and by the "why" panel.

The gate fails closed: if a fact cannot be established, the recipient is blocked, with the reason. Waiting for hours,
a number or a slot never changes a recipient. Only the rules in `ENDS` end one; they come before the rules that wait.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from app.domain.campaign import DIALING, CampaignStatus, Purpose
from app.domain.consent import Consent, why_not_consented
from app.domain.opening import Opening
from app.domain.pacing import Allowance, PacingLimit
from app.domain.recipient import RecipientStatus
from app.domain.retry import all_used


class Rule(StrEnum):
    """The rules, in the order in which they are asked. The first that blocks is the answer."""

    STOP_SWITCH = "stop_switch"
    CAMPAIGN_STATE = "campaign_state"
    RECIPIENT_STATE = "recipient_state"
    SUPPRESSION = "suppression"
    CONSENT = "consent"
    ATTEMPTS = "attempts"
    TEMPLATE = "template"
    NUMBER_IN_USE = "number_in_use"
    HOLD = "hold"
    CALLING_HOURS = "calling_hours"
    FREQUENCY = "frequency"
    BUDGET = "budget"
    PILOT = "pilot"
    RAMP = "ramp"
    CALLER_ID = "caller_id"
    PACING = "pacing"


SKIPS: Final = frozenset({Rule.SUPPRESSION, Rule.CONSENT, Rule.TEMPLATE})
"""A recipient blocked by one of these ends as skipped."""

ENDS: Final = SKIPS | {Rule.ATTEMPTS}
"""A recipient blocked by one of these ends without another attempt. Other rules leave it as it is."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """An attempt may be placed now."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """No attempt may be placed now."""

    rule: Rule
    until: datetime | None
    """When to ask again; None if waiting does not help."""
    why: str
    """A sentence for users."""


Verdict: TypeAlias = Allowed | Blocked


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """The facts that can end a recipient without another attempt, at any time."""

    suppressed_because: str | None = None
    """Why this number is suppressed, in a few words; None if it is not."""
    consent: Consent = Consent.UNKNOWN
    """What this person agreed to, for the campaign's channel."""
    purpose: Purpose = Purpose.INFORMATIONAL
    attempts_made: int
    attempts_allowed: int
    text_problem: str | None = None
    """Why the message cannot be rendered for this person, as a sentence; None if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts(PersonFacts):
    """All facts the gate needs; the caller loads them. The same facts always give the same verdict."""

    dialing_stopped: bool
    """The organization's stop switch is on."""
    campaign_status: CampaignStatus
    scheduled_at: datetime | None = None
    recipient_status: RecipientStatus
    not_before: datetime | None = None
    number_in_use: bool = False
    """Another attempt to the same phone number is live, or may be, in this or any campaign."""
    held_until: datetime | None = None
    """The contact may not be contacted before this, in any campaign."""
    held_because: str = ""
    """Why, in a few words; may be empty."""
    opening: Opening
    """Whether people at the recipient's place may be contacted, or when."""
    frequency_cap: int = 0
    """Most attempts to one phone number within `frequency_hours`, in all campaigns together; 0 is no cap."""
    frequency_hours: int = 24
    capped_since: datetime | None = None
    """When the `frequency_cap`-th newest attempt to this number started; None if there are fewer."""
    legal_cap: int = 0
    """Most attempts to one phone number within 24 hours by the law of its place; 0 is no cap."""
    legally_capped_since: datetime | None = None
    """As `capped_since`, for `legal_cap`."""
    sign: Blocked | None = None
    """Set if budget, pilot or ramp block the campaign."""
    has_caller_id: bool
    """The campaign has a number that may be shown to this recipient."""
    caller_id_free_at: datetime | None = None
    """If no number is free now: when a resting one can be used again."""
    caller_id_why: str = "None of our numbers can be used for this contact."
    """Why no number is free."""
    allowance: Allowance | None
    """What pacing allows now; None to leave pacing out, as in a forecast."""


def decide(facts: GateFacts, *, now: datetime) -> Verdict:
    """Return whether an attempt may be placed now; if not, which rule blocks it, until when, and why."""
    return next((blocked for ask in _RULES if (blocked := ask(facts, now))), Allowed())


def ending(facts: PersonFacts) -> Blocked | None:
    """Return the rule that ends this recipient without another attempt; None if no rule does.

    `decide` gives the same answer once the campaign dials and the recipient is due.
    """
    return next((blocked for ask in _ENDING_RULES if (blocked := ask(facts))), None)


def not_dialing(
    *, dialing_stopped: bool, campaign_status: CampaignStatus, scheduled_at: datetime | None
) -> Blocked | None:
    """Return why the campaign contacts nobody at all; None if it dials. These are the first rules of `decide`."""
    if dialing_stopped:
        return Blocked(Rule.STOP_SWITCH, None, "All dialing of the organization is stopped.")
    if campaign_status in DIALING:
        return None
    until = scheduled_at if campaign_status is CampaignStatus.SCHEDULED else None
    return Blocked(Rule.CAMPAIGN_STATE, until, _CAMPAIGN_WHY[campaign_status])


def _campaign(facts: GateFacts, _now: datetime) -> Blocked | None:
    return not_dialing(
        dialing_stopped=facts.dialing_stopped,
        campaign_status=facts.campaign_status,
        scheduled_at=facts.scheduled_at,
    )


def _recipient_state(facts: GateFacts, now: datetime) -> Blocked | None:
    if facts.recipient_status is not RecipientStatus.PENDING:
        return Blocked(Rule.RECIPIENT_STATE, None, RECIPIENT_WHY[facts.recipient_status])
    if facts.not_before is not None and facts.not_before > now:
        return Blocked(Rule.RECIPIENT_STATE, facts.not_before, "The next attempt is not due yet.")
    return None


def _suppression(facts: PersonFacts) -> Blocked | None:
    if facts.suppressed_because is None:
        return None
    return Blocked(Rule.SUPPRESSION, None, why_suppressed(facts.suppressed_because))


def why_suppressed(reason: str) -> str:
    """Return the sentence that says why a suppressed person is skipped. `reason` may be empty."""
    given = reason.strip().rstrip(".") or "no reason was given"
    return f"This number must not be contacted: {given}."


def _consent(facts: PersonFacts) -> Blocked | None:
    why = why_not_consented(facts.consent, facts.purpose)
    return Blocked(Rule.CONSENT, None, why) if why else None


def _attempts(facts: PersonFacts) -> Blocked | None:
    if facts.attempts_made < facts.attempts_allowed:
        return None
    return Blocked(Rule.ATTEMPTS, None, all_used(facts.attempts_allowed))


def _template(facts: PersonFacts) -> Blocked | None:
    return Blocked(Rule.TEMPLATE, None, facts.text_problem) if facts.text_problem else None


def _number_in_use(facts: GateFacts, _now: datetime) -> Blocked | None:
    if facts.number_in_use:
        return Blocked(Rule.NUMBER_IN_USE, None, "Another attempt to this number is not settled yet.")
    return None


def _hold(facts: GateFacts, now: datetime) -> Blocked | None:
    if facts.held_until is None or facts.held_until <= now:
        return None
    until = facts.opening.local_time(facts.held_until, seen=now)
    return Blocked(Rule.HOLD, facts.held_until, why_held(until, facts.held_because))


def why_held(until: str, reason: str) -> str:
    """Return the sentence that says until when a person is held. `reason` may be empty."""
    because = reason.strip().rstrip(".")
    return f"Held until {until}: {because}." if because else f"Held until {until}."


def _calling_hours(facts: GateFacts, now: datetime) -> Blocked | None:
    opening = facts.opening.at(now)
    if opening.is_open(now):
        return None
    return Blocked(Rule.CALLING_HOURS, opening.opens_at, opening.why(now))


def _frequency(facts: GateFacts, now: datetime) -> Blocked | None:
    """Return the cap that blocks for longer: the organization's, or that of the law."""
    capped = (
        _capped(facts.frequency_cap, facts.frequency_hours, facts.capped_since, "that is the cap"),
        _capped(facts.legal_cap, 24, facts.legally_capped_since, "the law there allows no more"),
    )
    standing = [each for each in capped if each is not None and each.until is not None and each.until > now]
    return max(standing, key=lambda each: each.until or now, default=None)


def _capped(cap: int, hours: int, since: datetime | None, because: str) -> Blocked | None:
    if not cap or since is None:
        return None
    times = "once" if cap == 1 else f"{cap} times"
    span = "hour" if hours == 1 else f"{hours} hours"
    why = f"This number was contacted {times} within {span}, all campaigns counted: {because}."
    return Blocked(Rule.FREQUENCY, since + timedelta(hours=hours), why)


def _sign(rule: Rule) -> Callable[[GateFacts, datetime], Blocked | None]:
    return lambda facts, _now: facts.sign if facts.sign is not None and facts.sign.rule is rule else None


def _caller_id(facts: GateFacts, _now: datetime) -> Blocked | None:
    if facts.has_caller_id:
        return None
    return Blocked(Rule.CALLER_ID, facts.caller_id_free_at, facts.caller_id_why)


def _pacing(facts: GateFacts, _now: datetime) -> Blocked | None:
    if facts.allowance is None or facts.allowance.count > 0:
        return None
    return Blocked(Rule.PACING, facts.allowance.next_at, _PACING_WHY[facts.allowance.limited_by])


_ENDING_RULES: Final[tuple[Callable[[PersonFacts], Blocked | None], ...]] = (
    _suppression,
    _consent,
    _attempts,
    _template,
)

_RULES: Final[tuple[Callable[[GateFacts, datetime], Blocked | None], ...]] = (
    _campaign,
    _recipient_state,
    lambda facts, _now: ending(facts),
    _number_in_use,
    _hold,
    _calling_hours,
    _frequency,
    _sign(Rule.BUDGET),
    _sign(Rule.PILOT),
    _sign(Rule.RAMP),
    _caller_id,
    _pacing,
)

_CAMPAIGN_WHY: Final[Mapping[CampaignStatus, str]] = {
    CampaignStatus.DRAFT: "The campaign has not been started.",
    CampaignStatus.SCHEDULED: "The campaign is scheduled for later.",
    CampaignStatus.PAUSED: "The campaign is paused.",
    CampaignStatus.COMPLETED: "The campaign is completed.",
    CampaignStatus.CANCELLED: "The campaign was cancelled.",
    CampaignStatus.FAILED: "The campaign stopped on an error.",
}

RECIPIENT_WHY: Final[Mapping[RecipientStatus, str]] = {
    RecipientStatus.IN_PROGRESS: "An attempt to reach this contact is under way.",
    RecipientStatus.COMPLETED: "This contact was reached.",
    RecipientStatus.FAILED: "The attempts to reach this contact failed.",
    RecipientStatus.NO_ANSWER: "This contact did not answer.",
    RecipientStatus.BUSY: "This contact's line was busy.",
    RecipientStatus.VOICEMAIL: "This contact's voicemail was reached.",
    RecipientStatus.SKIPPED: "This contact was skipped.",
    RecipientStatus.CANCELLED: "This contact was not reached before the campaign was cancelled.",
}
"""Every status but pending -> what it says, as a sentence for users."""

_PACING_WHY: Final[Mapping[PacingLimit | None, str]] = {
    PacingLimit.CAMPAIGN_CONCURRENCY: "As many calls as the campaign may make at once are under way.",
    PacingLimit.ORGANIZATION_CONCURRENCY: "As many calls as the organization may make at once are under way.",
    PacingLimit.AGENT_CONCURRENCY: "The agent is in as many calls as it may be at once.",
    PacingLimit.THROTTLE_DELAY: "The pause between two starts is not over yet.",
    PacingLimit.CALLS_PER_MINUTE: "As many calls as the campaign may make in a minute were just started.",
    PacingLimit.MESSAGES_PER_SECOND: "As many messages as the campaign may send in a second were just sent.",
    PacingLimit.ACCOUNT_PER_SECOND: "The carrier account takes no more in this second.",
    PacingLimit.CARRIER_ANSWERS: "The carrier has not answered yet what was sent to it last.",
    None: "No slot is free.",
}
