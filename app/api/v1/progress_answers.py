"""The answers of `/api/v1` for a campaign's progress: counts, metrics, what blocks it, and its safeguards."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from app.api.v1.fields import Moment
from app.domain.metrics import StatusCounts
from app.domain.recipient import RecipientStatus
from app.domain.waiting import WaitReason
from app.services.campaigns.views import CampaignSnapshot, RunView


class Progress(BaseModel):
    """Contacts in four groups, which add up to the total."""

    total_contacts: int
    completed: int = Field(description="Completed or on voicemail.")
    failed: int = Field(description="Failed, no answer, busy, skipped or cancelled.")
    pending: int
    processing: int


class Metrics(BaseModel):
    """Metrics: rates in percent with one decimal, durations in seconds."""

    completion_rate: float = Field(
        description="Processed contacts among all, without cancelled ones; 0 before the start."
    )
    success_rate: float = Field(
        description="Completed contacts among those that ended with at least one attempt."
    )
    answer_rate: float = Field(description="Calls answered by a person or a machine, among all made.")
    human_answer_rate: float
    average_duration: float
    total_cost: float
    cost_unit: str | None
    cost_estimated: bool = Field(description="The carrier has not reported all prices yet.")


class HoldAnswer(BaseModel):
    """Why nothing is dialed now."""

    rule: str
    until: Moment | None
    why: str


class PilotAnswer(BaseModel):
    """The pilot: a few contacts first, then a user decides."""

    size: int
    reached: int = Field(description="Contacts of the pilot tried at least once.")
    waits: bool = Field(description="The pilot is done: check the results, then resume.")
    passed: bool


class RampAnswer(BaseModel):
    """The ramp: more contacts with each step, if the one before went well."""

    step: int
    steps: int
    percent: int
    reached: int = Field(description="Contacts tried at least once.")
    limit: int = Field(description="Contacts that may be tried by the end of this step.")
    total: int


class BudgetAnswer(BaseModel):
    """How much of the budget is used."""

    cap: float
    spent: float
    in_flight: float = Field(description="Set aside for attempts in flight: the most they can cost.")
    left: float
    used_up: bool = Field(description="The budget paused the campaign: raise it, then resume.")
    unit: str


class WaitingAnswer(BaseModel):
    """How many contacts wait for one reason."""

    reason: WaitReason
    contacts: int
    until: Moment | None = Field(
        description="When the first of them can go on; null: at any moment, or no time is awaited."
    )
    time_zone: str | None = Field(description="Calling hours: the zone where they open first.")


class ProgressAnswer(BaseModel):
    """What changes while a campaign runs: the `data` of the WebSocket's messages."""

    campaign_id: int
    run: int = Field(description="The number of the run that is counted.")
    status: str
    status_reason: str | None
    next_run_at: Moment | None = Field(
        description="When a recurring campaign starts again; null unless it waits."
    )
    progress: Progress
    contact_counts: dict[str, int]
    live_calls: int
    calls_made: int
    hold: HoldAnswer | None
    waiting_for: list[WaitingAnswer] = Field(
        description="The waiting contacts by reason. Many contacts are counted every few seconds."
    )
    next_at: Moment | None = Field(
        description="When somebody can be contacted next; null: at once, or no time is awaited."
    )
    pilot: PilotAnswer | None = Field(description="null: no pilot.")
    ramp: RampAnswer | None = Field(description="null: no ramp.")
    budget: BudgetAnswer | None = Field(description="null: no budget cap.")
    metrics: Metrics


class StatsAnswer(Metrics):
    """A campaign's metrics and counts."""

    campaign_id: int
    run: int = Field(description="The number of the run that is counted.")
    status: str
    total_contacts: int
    progress: Progress
    contact_counts: dict[str, int]
    calls_made: int
    calls_answered: int
    calls_voicemail: int
    live_calls: int


class RunAnswer(BaseModel):
    """One run of a campaign."""

    run: int = Field(description="Its number: 1 is the first.")
    occurrence_at: Moment | None = Field(description="The time of the schedule; null if it does not recur.")
    started_at: Moment | None
    ended_at: Moment | None = Field(
        description="Without a start: its time was missed and skipped, or cancelled."
    )
    filled: bool = Field(description="All its contacts have been added.")
    total_contacts: int
    progress: Progress
    contact_counts: dict[str, int]


def progress_answer(snapshot: CampaignSnapshot) -> ProgressAnswer:
    """Return the progress. Two snapshots without a change give equal answers."""
    hold, safeguards = snapshot.hold, snapshot.safeguards
    return ProgressAnswer(
        campaign_id=snapshot.campaign_id,
        run=snapshot.run,
        status=snapshot.status,
        status_reason=snapshot.status_reason or None,
        next_run_at=snapshot.next_run_at,
        progress=progress_of(snapshot.counts),
        contact_counts={status.value: count for status, count in snapshot.counts.items()},
        live_calls=snapshot.live_calls,
        calls_made=snapshot.calls_made,
        hold=HoldAnswer(rule=hold.rule, until=hold.until, why=hold.why) if hold else None,
        waiting_for=[
            WaitingAnswer(
                reason=each.reason, contacts=each.people, until=each.until, time_zone=each.time_zone or None
            )
            for each in snapshot.waiting.counts
        ],
        next_at=snapshot.waiting.next_at,
        pilot=PilotAnswer(**asdict(safeguards.pilot)) if safeguards.pilot else None,
        ramp=RampAnswer(**asdict(safeguards.ramp)) if safeguards.ramp else None,
        budget=BudgetAnswer(**asdict(safeguards.budget)) if safeguards.budget else None,
        metrics=Metrics(**_metrics(snapshot)),
    )


def stats_answer(snapshot: CampaignSnapshot) -> StatsAnswer:
    """Return a campaign's metrics and counts."""
    return StatsAnswer(
        campaign_id=snapshot.campaign_id,
        run=snapshot.run,
        status=snapshot.status,
        total_contacts=snapshot.total,
        progress=progress_of(snapshot.counts),
        contact_counts={status.value: count for status, count in snapshot.counts.items()},
        calls_made=snapshot.calls_made,
        calls_answered=snapshot.answered,
        calls_voicemail=snapshot.voicemail,
        live_calls=snapshot.live_calls,
        **_metrics(snapshot),
    )


def run_answer(run: RunView) -> RunAnswer:
    """Return the answer for one run."""
    return RunAnswer(
        run=run.number,
        occurrence_at=run.occurrence_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        filled=run.filled,
        total_contacts=sum(run.counts.values()),
        progress=progress_of(run.counts),
        contact_counts={status.value: count for status, count in run.counts.items()},
    )


def progress_of(counts: Mapping[RecipientStatus, int]) -> Progress:
    """Return the roll-up of seed `000`."""
    rolled = StatusCounts.of(counts).progress()
    return Progress(
        total_contacts=rolled.total_contacts,
        completed=rolled.completed,
        failed=rolled.failed,
        pending=rolled.pending,
        processing=rolled.processing,
    )


def _metrics(snapshot: CampaignSnapshot) -> dict[str, Any]:
    return {name: getattr(snapshot.metrics, name) for name in Metrics.model_fields}
