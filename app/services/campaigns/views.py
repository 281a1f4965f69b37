"""The results of reading campaigns: plain values, safe to send to a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.breaker import Sign
from app.domain.calling_hours import HoursClock
from app.domain.campaign import CampaignAction, CampaignStatus, Channel
from app.domain.events import AnsweredBy
from app.domain.gate import Blocked
from app.domain.metrics import CampaignStanding
from app.domain.recipient import RecipientStatus
from app.domain.waiting import WaitReason
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
    """Of the run that is shown, as all that is counted here."""
    run_status: CampaignStatus
    """The status by which its progress is measured: `domain.campaign.status_of_run`."""
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
    """A campaign's name and status, without its settings."""

    id: int
    name: str
    description: str
    status: CampaignStatus
    status_reason: str
    channel: Channel
    time_zone: str
    carrier_simulated: bool | None
    """Whether its carrier is a simulator; None before it was started."""
    runs: int
    """How many runs it has."""


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
    """Id of each number of the campaign -> the text that shows it."""
    actions: frozenset[CampaignAction]
    locked_because: str | None
    """Why its settings cannot be changed now; None if they can."""
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    carrier_simulated: bool | None
    number_warnings: list[str]
    schedule_warning: str | None
    """A question about a start that is more than a year after the settings were changed last."""
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
    """Some prices are our estimates: the carrier has not reported them yet."""
    cost_known: float
    """The part of the total that the carrier has reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why nothing is dialed at the moment."""

    rule: str
    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCount:
    """How many people wait for one reason."""

    reason: WaitReason
    people: int
    until: datetime | None = None
    """When the first of them can go on; None: at any moment, or never."""
    several: bool = False
    """They do not all go on then."""
    time_zone: str = ""
    """The zone in which `until` is told; empty: nobody's in particular."""
    clock: HoursClock | None = None
    """Whose zone that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNow:
    """What the waiting people of a campaign wait for, at one moment."""

    counts: tuple[WaitingCount, ...] = ()
    """One for each reason that anybody has."""
    next_at: datetime | None = None
    """When somebody can be contacted next; None: at once, or no time is awaited."""
    first_due_at: datetime | None = None
    """The first next time of anybody; None if nobody waits."""
    hours: Blocked | None = None
    """Set if the calling hours are closed wherever somebody is due."""


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
    """The progress of the pilot."""

    size: int
    reached: int
    """Contacts of the pilot that were tried at least once."""
    waits: bool
    """The pilot is done, and a person must resume the campaign."""
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RampView:
    """The progress of the ramp."""

    step: int
    """1 is the first."""
    steps: int
    percent: int
    reached: int
    """Contacts that were tried at least once."""
    limit: int
    """Contacts that may be tried by the end of this step."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """How much of the budget is used, in `unit`."""

    cap: float
    spent: float
    """The cost of ended attempts: the carrier's prices, or our estimates."""
    in_flight: float
    """Reserved for attempts under way: the most that they may cost."""
    left: float
    used_up: bool
    """The budget has paused the campaign."""
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeguardsView:
    """The present state of the campaign's safeguards; None: it has no such safeguard."""

    pilot: PilotView | None = None
    ramp: RampView | None = None
    budget: BudgetView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimes:
    """When one run of a campaign was to be, and was."""

    number: int
    occurrence_at: datetime | None
    """The time of the schedule that it executes; None for a campaign that does not recur."""
    started_at: datetime | None
    ended_at: datetime | None
    """Without a start: its time was missed and skipped, or the campaign was cancelled before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView(RunTimes):
    """One run of a campaign, with its people by status."""

    filled: bool
    """All its people have been added."""
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSnapshot:
    """Everything on a campaign's page that changes while it runs, read at one moment."""

    campaign_id: int
    status: CampaignStatus
    status_reason: str
    channel: Channel
    time_zone: str
    most_at_once: int
    """How many calls it may make at the same time; 0 if it sends texts."""
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
    waiting: WaitingNow
    safeguards: SafeguardsView
    next_due_at: datetime | None
    """When the next waiting contact is due; None if no contact waits."""
    review_count: int
    second_calls: int
    """Second calls that the carrier made for one attempt. They were hung up, and a person should look at them."""
    unknown_count: int
    happening: list[LiveAttempt]
    conserved: bool
    run: int
    """The number of the run that is counted."""
    run_status: CampaignStatus
    """The status by which its progress is measured: `domain.campaign.status_of_run`."""
    runs: int
    """How many runs there are."""
    next_run_at: datetime | None
    """When the run to come starts; None unless the campaign waits for an occurrence."""
    next_run_zone: str
    """The time zone of its schedule."""
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
    """The reason for its status, as a sentence: a rule, an error, or how it ended; may be empty."""
    actions: frozenset[str]
    """Those of "retry", "skip" and "remove" that are possible now."""


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
    """One attempt in the call log."""

    id: UUID
    at: datetime
    contact_name: str
    place_zones: tuple[str, ...]
    """Where the contact may be; empty: not known."""
    number_to: str
    number_from: str
    channel: Channel
    status: AttemptStatus
    disposition: Disposition | None
    duration_seconds: int | None
    cost: float | None
    """Positive, in `cost_unit`; None until the carrier reports it."""
    estimated_cost: float | None
    """Its cost by the prices of the campaign's other attempts; None if `cost` is known or it costs nothing."""
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
    """Percent of `window`. For refusals in a row: how many."""
    threshold: float
    window: int
    sentence: str
    """Without a full stop."""
    at: datetime
    attempt_count: int
    """How many attempts caused it."""
    attempts: list[AttemptRow]
    """The newest of these attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientDetail:
    """A contact in a campaign, with its attempts and changes of status."""

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
    """One event from the carrier, with its original content."""

    kind: str
    at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDetail:
    """One attempt with its transcript and events."""

    row: AttemptRow
    rendered: dict[str, str]
    turns: list[TranscriptLine]
    events: list[EventRow]
    recipient_id: int
    campaign_id: int
    provider_id: str | None


@dataclass(frozen=True, slots=True)
class Skipped:
    """How many contacts are skipped for one reason."""

    rule: str
    """The gate's rule, or "by_hand"; empty if the carrier blocks calls from us to them."""
    variable: str
    """The variable that has no value, if that is the reason; else empty."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """How many of a campaign's contacts will be called or texted if it goes on now, by the rules of the dialer."""

    total: int
    """All contacts of the campaign."""
    contacted: int
    """Contacts that wait and will be called or texted."""
    capped: int = 0
    """Those of `contacted` that wait longer, because of the frequency cap of their number."""
    used_up: int = 0
    """Contacts that wait but have no attempt left: they end with their last outcome."""
    skipped: Sequence[Skipped] = ()
    """Contacts that are or will be skipped, by reason; the largest group first."""
    lacking: Mapping[str, int] = field(default_factory=dict)
    """Variable -> how many will be called or texted without a value or a fallback for it."""

    @property
    def skipped_count(self) -> int:
        """How many are or will be skipped."""
        return sum(each.count for each in self.skipped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What would happen if the campaign were started now."""

    errors: dict[str, str]
    warnings: list[str]
    people: Eligibility
    awaits_people: bool
    """The campaign has no contacts yet, and a rule will add new matches."""
    estimated_minutes: int | None
    """Minutes for the first round, while calling hours are open; None without contacts."""
    numbers: list[str]
    first_call_at: datetime | None
    sms_segments_max: int | None
    """The most segments of a message in the sample; None for calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePreview:
    """The text that one contact would hear or read."""

    contact_name: str
    number: str
    texts: dict[str, str] = field(default_factory=dict)
    unresolved: list[str] = field(default_factory=list)
    """Variables without a value or a fallback for this contact."""
    errors: dict[str, str] = field(default_factory=dict)
    """By the setting that holds the template."""
    variables: list[str] = field(default_factory=list)
    """Variables that can be inserted: first those of every contact, then those of this list."""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddResult:
    """The result of adding contacts to a campaign."""

    added: int
    """Waiting to be contacted."""
    duplicates: int
    """Already in the campaign, or given twice."""
    suppressed: int
    """Added as skipped, because they must not be contacted."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """The result of a bulk action."""

    done: int
    refused: dict[str, int]
    """Reason as a sentence -> how many contacts."""
