"""How a campaign fares, as `/api/v1` answers it: its counts and measures, what holds it, and its brakes."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from app.api.v1.fields import Moment
from app.domain.metrics import StatusCounts
from app.domain.recipient import RecipientStatus
from app.services.campaigns.views import CampaignSnapshot


class Progress(BaseModel):
    """Contacts in four groups whose sum is the total."""

    total_contacts: int
    completed: int = Field(description="Completed or on voicemail.")
    failed: int = Field(description="Failed, no answer, busy, skipped or cancelled.")
    pending: int
    processing: int


class Metrics(BaseModel):
    """Measures: rates in percent with one decimal, durations in seconds."""

    completion_rate: float = Field(
        description="Contacts that were processed, of all: not those cancelled, and none before the start."
    )
    success_rate: float = Field(description="Contacts completed, of those that ended and were attempted.")
    answer_rate: float = Field(description="Calls answered by a person or a machine, of all made.")
    human_answer_rate: float
    average_duration: float
    total_cost: float
    cost_unit: str | None
    cost_estimated: bool = Field(description="The carrier has not told every price yet.")


class HoldAnswer(BaseModel):
    """Why nothing is dialed just now."""

    rule: str
    until: Moment | None
    why: str


class PilotAnswer(BaseModel):
    """A few people first, then a person decides."""

    size: int
    reached: int = Field(description="People of it tried at least once.")
    waits: bool = Field(description="It is done: look at the results, then resume.")
    passed: bool


class RampAnswer(BaseModel):
    """Ever more people, each step when the one before went well."""

    step: int
    steps: int
    percent: int
    reached: int = Field(description="People tried at least once.")
    limit: int = Field(description="People that may be tried by the end of this step.")
    total: int


class BudgetAnswer(BaseModel):
    """What of the budget is used."""

    cap: float
    spent: float
    in_flight: float = Field(description="Set aside for attempts that go on, at the most they may cost.")
    left: float
    used_up: bool = Field(description="It paused the campaign: raise it, then resume.")
    unit: str


class ProgressAnswer(BaseModel):
    """What moves while a campaign runs: the `data` of the WebSocket's messages."""

    campaign_id: int
    status: str
    status_reason: str | None
    progress: Progress
    contact_counts: dict[str, int]
    live_calls: int
    calls_made: int
    hold: HoldAnswer | None
    pilot: PilotAnswer | None = Field(description="null: it has no pilot.")
    ramp: RampAnswer | None = Field(description="null: it has no ramp.")
    budget: BudgetAnswer | None = Field(description="null: it has no budget cap.")
    metrics: Metrics


class StatsAnswer(Metrics):
    """A campaign's measures and counts."""

    campaign_id: int
    status: str
    total_contacts: int
    progress: Progress
    contact_counts: dict[str, int]
    calls_made: int
    calls_answered: int
    calls_voicemail: int
    live_calls: int


def progress_answer(snapshot: CampaignSnapshot) -> ProgressAnswer:
    """Return what moves. Two snapshots of which nothing changed give equal answers."""
    hold, signs = snapshot.hold, snapshot.signs
    return ProgressAnswer(
        campaign_id=snapshot.campaign_id,
        status=snapshot.status,
        status_reason=snapshot.status_reason or None,
        progress=progress_of(snapshot.counts),
        contact_counts={status.value: count for status, count in snapshot.counts.items()},
        live_calls=snapshot.live_calls,
        calls_made=snapshot.calls_made,
        hold=HoldAnswer(rule=hold.rule, until=hold.until, why=hold.why) if hold else None,
        pilot=PilotAnswer(**asdict(signs.pilot)) if signs.pilot else None,
        ramp=RampAnswer(**asdict(signs.ramp)) if signs.ramp else None,
        budget=BudgetAnswer(**asdict(signs.budget)) if signs.budget else None,
        metrics=Metrics(**_metrics(snapshot)),
    )


def stats_answer(snapshot: CampaignSnapshot) -> StatsAnswer:
    """Return a campaign's measures and counts."""
    return StatsAnswer(
        campaign_id=snapshot.campaign_id,
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
