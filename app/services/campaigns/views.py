"""What readers of campaigns get: plain values, safe to send to a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.breaker import Sign
from app.domain.campaign import CampaignAction, CampaignStatus, Channel
from app.domain.events import AnsweredBy
from app.domain.metrics import CampaignStanding
from app.domain.recipient import RecipientStatus
from app.services.campaigns.settings import CampaignSettings

Counts = dict[RecipientStatus, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCards:
    """The four cards above the list."""

    total: int
    running_now: int
    calls_completed: int
    """Finished calls, successful or not."""
    success_rate: float
    """Calls that a person answered, of those finished, in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """A campaign in the list."""

    id: int
    public_id: UUID
    name: str
    description: str
    status: CampaignStatus
    status_reason: str
    channel: Channel
    agent_id: int | None
    agent_name: str | None
    counts: Counts
    standing: CampaignStanding
    success_rate: float
    """Recipients that completed, of those that ended and were attempted, in percent."""
    calls_made: int
    scheduled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    actions: frozenset[CampaignAction]
    simulated: bool | None
    """Whether its carrier is a simulator; None before it was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignBrief:
    """Which campaign it is and where it stands."""

    id: int
    name: str
    description: str
    status: CampaignStatus
    status_reason: str
    channel: Channel
    time_zone: str
    carrier_simulated: bool | None
    """Whether its carrier is a simulator; None before it was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDetail:
    """A campaign with all its settings."""

    id: int
    public_id: UUID
    status: CampaignStatus
    status_reason: str
    settings: CampaignSettings
    agent_name: str | None
    agent_active: bool | None
    phone_number: str | None
    """The caller ID as chosen, in E.164."""
    number_labels: dict[int, str]
    """Id of each number the campaign names -> how to show it."""
    actions: frozenset[CampaignAction]
    locked_because: str | None
    """Why its settings cannot be changed now; None if they can."""
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    carrier_simulated: bool | None
    number_warnings: list[str]
    unreadable: dict[str, str]
    """Settings whose stored value cannot be read, each with what to do; `settings` has their default instead."""
    variable_mappings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignMetrics:
    """The measures of `domain.metrics` and the cost. Rates are in percent, durations in seconds."""

    completion_rate: float
    success_rate: float
    answer_rate: float
    human_answer_rate: float
    call_success_rate: float
    average_duration: float
    total_cost: float
    cost_unit: str | None
    cost_estimated: bool
    """The carrier has not told every price yet; those are our estimate."""
    cost_known: float
    """What of the total the carrier has told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why nothing is dialed just now."""

    rule: str
    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAttempt:
    """A call or message that is under way."""

    attempt_id: UUID
    contact_name: str
    number: str
    status: AttemptStatus
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotView:
    """How far the pilot is."""

    size: int
    reached: int
    """People of it tried at least once."""
    waits: bool
    """It is done, and a person must resume the campaign."""
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RampView:
    """How far the ramp is."""

    step: int
    """1 is the first."""
    steps: int
    percent: int
    reached: int
    """People tried at least once."""
    limit: int
    """People that may be tried by the end of this step."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """What of the budget is used, in `unit`."""

    cap: float
    spent: float
    """By ended attempts; the carrier's prices, else our estimate."""
    in_flight: float
    """Set aside for attempts that go on, at the most they may cost."""
    left: float
    used_up: bool
    """It paused the campaign."""
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeguardsView:
    """The present state of the campaign's safeguards; None: it has no such safeguard."""

    pilot: PilotView | None = None
    ramp: RampView | None = None
    budget: BudgetView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSnapshot:
    """Everything that moves on a campaign's page, as of one moment."""

    campaign_id: int
    status: CampaignStatus
    status_reason: str
    channel: Channel
    time_zone: str
    most_at_once: int
    """Calls it may make at once; 0 of a campaign that texts."""
    actions: frozenset[CampaignAction]
    total: int
    counts: Counts
    """Every status, zeros included; their sum is `total`."""
    live_calls: int
    """Attempts at the carrier: placing, queued, ringing or in progress."""
    live_by_status: dict[AttemptStatus, int]
    calls_made: int
    answered: int
    voicemail: int
    metrics: CampaignMetrics
    hold: Hold | None
    safeguards: SafeguardsView
    next_due_at: datetime | None
    """When the next waiting contact is due; None if nobody waits."""
    review_count: int
    second_calls: int
    """Calls the carrier made beside the one of their attempt: hung up, and worth a look."""
    unknown_count: int
    happening: list[LiveAttempt]
    conserved: bool
    seq: int
    """Grows from one snapshot to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRow:
    """A contact in a campaign."""

    id: int
    contact_id: int
    position: int
    name: str
    number: str
    pretty: str
    email: str
    status: RecipientStatus
    attempts_made: int
    attempts_allowed: int
    last_disposition: Disposition | None
    last_attempt_at: datetime | None
    last_error: str | None
    """Why its last attempt did not reach the person; None if it did."""
    next_at: datetime | None
    """When it is due; None unless it waits."""
    blocked_by: str | None
    blocked_why: str | None
    why: str
    """Why it is where it is, as a sentence: a rule's, an error, or how it ended; may be empty."""
    actions: frozenset[str]
    """Of "retry", "skip" and "remove"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRow:
    """One change of a status."""

    old: str
    new: str
    reason: str
    at: datetime
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One try, as the call log lists it."""

    id: UUID
    at: datetime
    contact_name: str
    number_to: str
    number_from: str
    channel: Channel
    status: AttemptStatus
    disposition: Disposition | None
    duration_seconds: int | None
    cost: float | None
    """Positive, in `cost_unit`; None while the carrier has not said."""
    estimated_cost: float | None
    """What it will cost at the prices of the campaign's others; None where `cost` is known or nothing is due."""
    cost_unit: str | None
    answered_by: AnsweredBy | None
    reply: str | None
    ordinal: int
    error_code: int | None
    error_message: str | None
    recipient_id: int
    campaign_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TripRow:
    """One time the breaker paused the campaign."""

    id: int
    sign: Sign
    measured: float
    """Percent of `window`; of refusals in a row, how many."""
    threshold: float
    window: int
    sentence: str
    """Without a full stop."""
    at: datetime
    attempt_count: int
    """How many attempts show it."""
    attempts: list[AttemptRow]
    """The newest of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientDetail:
    """A contact in a campaign, with all that happened to it."""

    row: RecipientRow
    variables: dict[str, Any]
    attempts: list[AttemptRow]
    transitions: list[TransitionRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptLine:
    """One line of a conversation."""

    speaker: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One thing the carrier told us, as it told it."""

    kind: str
    at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDetail:
    """One try with its words and events."""

    row: AttemptRow
    rendered: dict[str, str]
    turns: list[TranscriptLine]
    events: list[EventRow]
    recipient_id: int
    campaign_id: int
    provider_id: str | None


@dataclass(frozen=True, slots=True)
class Skipped:
    """How many people are skipped for one reason."""

    rule: str
    """The gate's rule, or "by_hand"; empty: the carrier shields them from us."""
    variable: str
    """The variable they have no value for, if that is why; else empty."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """Who of a campaign's people will be contacted if it goes on now, as the dialer will decide it."""

    total: int
    """All people of the campaign."""
    contacted: int
    """Those who wait and will be contacted, each when its turn comes."""
    capped: int = 0
    """Of these, those who wait until the frequency cap of their number lets them."""
    used_up: int = 0
    """Those who wait with no attempt left: they end with their last outcome."""
    skipped: Sequence[Skipped] = ()
    """Those who are skipped or will be, by reason; the most first."""
    lacking: Mapping[str, int] = field(default_factory=dict)
    """Variable -> how many will be contacted without a value for it and nothing in its place."""

    @property
    def skipped_count(self) -> int:
        """How many are skipped or will be."""
        return sum(each.count for each in self.skipped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What a start now would meet."""

    errors: dict[str, str]
    warnings: list[str]
    people: Eligibility
    awaits_people: bool
    """There is nobody yet, and a rule adds who comes to match."""
    estimated_minutes: int | None
    """First round only, while calling hours are open; None without contacts."""
    numbers: list[str]
    first_call_at: datetime | None
    sms_segments_max: int | None
    """The most parts a message of the sample has; None for calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePreview:
    """What one contact would hear or read."""

    contact_name: str
    number: str
    texts: dict[str, str] = field(default_factory=dict)
    unresolved: list[str] = field(default_factory=list)
    """Variables that have no value for this contact and nothing to stand in."""
    errors: dict[str, str] = field(default_factory=dict)
    """By the setting that holds the template."""
    variables: list[str] = field(default_factory=list)
    """What may be inserted: everybody's variables, then the list's own."""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddResult:
    """What became of contacts that were added to a campaign."""

    added: int
    """Waiting to be contacted."""
    duplicates: int
    """Already in the campaign, or named twice."""
    suppressed: int
    """Listed as skipped: they must not be contacted."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """What became of a bulk action."""

    done: int
    refused: dict[str, int]
    """Reason in words -> how many."""
