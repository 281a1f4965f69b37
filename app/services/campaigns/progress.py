"""The progress of a campaign: counts, metrics, calls under way, and the reason if nothing is dialed.

A few queries with indexes, cheap enough for several times a second while a person watches.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import LIVE, PLACED, AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus, Channel, allowed_actions, status_of_run
from app.domain.metrics import CallCounts, StatusCounts, measure
from app.domain.pacing import PacingLimits
from app.domain.recipient import ENDED, RecipientStatus
from app.models import sql
from app.services.campaigns import costs
from app.services.campaigns.hold_reasons import HoldFacts, find_hold
from app.services.campaigns.safeguards import safeguards_of
from app.services.campaigns.schedules import zone_of_plan
from app.services.campaigns.views import CampaignMetrics, CampaignSnapshot, Counts, LiveAttempt, WaitingNow
from app.services.campaigns.waiting import waiting_now
from app.services.errors import NotFound
from app.services.heartbeats import ALIVE_WITHIN

MOST_HAPPENING: Final = 20
"""Most live attempts that are listed."""

AT_THE_CARRIER: Final = LIVE - {AttemptStatus.UNKNOWN, AttemptStatus.REVIEW}

_CAMPAIGN: Final = text(
    """
    SELECT c.*,
           o.dialing_stopped_at, o.dialing_stopped_by, o.legal_policy, o.zone_trust, o.blackout_dates,
           EXISTS (SELECT 1 FROM worker_heartbeat w
                   WHERE w.queue = 'dial' AND w.seen_at > :alive_since AND w.problem = '') AS alive,
           (SELECT max(w.problem) FROM worker_heartbeat w
            WHERE w.queue = 'dial' AND w.seen_at > :alive_since) AS worker_problem,
           EXISTS (SELECT 1 FROM audience a
                   WHERE a.campaign_id = c.id AND a.mode = 'standing' AND a.next_at IS NOT NULL) AS keeps_adding,
           (SELECT count(*) FROM second_call s WHERE s.campaign_id = c.id) AS second_calls,
           run.id AS run_id, run.number AS run_number, run.started_at AS run_started_at,
           (SELECT max(number) FROM run WHERE run.campaign_id = c.id) AS runs
    FROM campaign c JOIN organization o ON o.id = c.organization_id
    LEFT JOIN LATERAL (SELECT id, number, started_at FROM run
                       WHERE run.campaign_id = c.id
                         AND (CAST(:run AS integer) IS NULL OR number = CAST(:run AS integer))
                       ORDER BY started_at IS NULL, number DESC LIMIT 1) run ON true
    WHERE c.id = :campaign_id AND c.organization_id = :organization_id
    """
)

_RECIPIENTS: Final = text(
    """
    SELECT status, count(*) AS count, count(*) FILTER (WHERE attempts_made > 0) AS attempted,
           CAST(sum(count(*)) OVER () AS bigint) AS total
    FROM recipient WHERE campaign_id = :campaign_id AND run_id = :run_id GROUP BY status
    """
)

_ATTEMPTS: Final = text(
    f"""
    SELECT status, disposition, channel, answered_at IS NOT NULL AS picked_up,
           coalesce(sum(duration_seconds), 0) AS seconds, {costs.COLUMNS}
    FROM attempt WHERE campaign_id = :campaign_id AND run_id = :run_id
    GROUP BY status, disposition, channel, picked_up
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_HAPPENING: Final = text(
    f"""
    SELECT a.id, a.status, a.number_to, contact.name,
           coalesce(a.answered_at, a.ringing_at, a.placed_at, a.reserved_at) AS since
    FROM attempt a JOIN contact ON contact.id = a.contact_id
    WHERE a.campaign_id = :campaign_id AND a.run_id = :run_id
      AND a.status IN {sql.LIVE}
    ORDER BY a.reserved_at, a.id LIMIT :most
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def campaign_snapshot(
    session: AsyncSession, *, organization_id: int, campaign_id: int, now: datetime, run: int | None = None
) -> CampaignSnapshot:
    """Return the campaign as of now. For callers that have checked the right to see it. Raises `NotFound`.

    People and attempts are those of the run of that number; without one, of the newest that has started, else of the
    newest.
    """
    parameters: dict[str, Any] = {"campaign_id": campaign_id}
    scope = {"organization_id": organization_id, "alive_since": now - ALIVE_WITHIN, "run": run}
    found = await _rows(session, _CAMPAIGN, parameters | scope)
    if not found:
        raise NotFound("campaign", campaign_id)
    if found[0]["run_id"] is None:
        raise NotFound("run", run)
    parameters["run_id"] = found[0]["run_id"]
    people = _People(await _rows(session, _RECIPIENTS, parameters))
    attempts = _Attempts(await _rows(session, _ATTEMPTS, parameters))
    shown = await _rows(session, _HAPPENING, parameters | {"most": MOST_HAPPENING}) if attempts.live else ()
    campaign = found[0]
    status = CampaignStatus(campaign["status"])
    zone = zone_of_plan(campaign)
    run_status = status_of_run(status, started=campaign["run_started_at"] is not None)
    waiting = WaitingNow()
    if pending := people.counts[RecipientStatus.PENDING]:
        waiting = await waiting_now(session, campaign, pending=pending, now=now)
    # A budget is for all runs together.
    spent = await costs.spending_rows(session, campaign_id) if _spans_runs(campaign) else attempts.rows
    return CampaignSnapshot(
        campaign_id=campaign_id,
        status=status,
        status_reason=campaign["status_reason"],
        channel=Channel(campaign["channel"]),
        time_zone=campaign["time_zone"],
        most_at_once=PacingLimits.of(campaign).campaign_concurrency,
        actions=allowed_actions(status),
        total=people.total,
        counts=people.counts,
        live_calls=sum(attempts.live.get(each, 0) for each in AT_THE_CARRIER),
        live_by_status=attempts.live,
        calls_made=attempts.calls.made,
        answered=attempts.calls.answered,
        voicemail=attempts.calls.voicemail,
        metrics=_metrics(people, attempts, run_status),
        hold=find_hold(_hold_facts(campaign, people, attempts, waiting), now=now),
        waiting=waiting,
        safeguards=safeguards_of(campaign, spent, reached=people.reached, total=people.total),
        next_due_at=waiting.first_due_at,
        review_count=attempts.live.get(AttemptStatus.REVIEW, 0),
        second_calls=campaign["second_calls"],
        unknown_count=attempts.live.get(AttemptStatus.UNKNOWN, 0),
        happening=[_happening(row) for row in shown],
        conserved=sum(people.counts.values()) == people.total,
        run=campaign["run_number"],
        run_status=run_status,
        runs=campaign["runs"],
        next_run_at=campaign["scheduled_at"] if status is CampaignStatus.SCHEDULED and zone else None,
        next_run_zone=zone,
        seq=int(now.timestamp() * 1_000),
    )


def _spans_runs(campaign: RowMapping) -> bool:
    return campaign["budget_cap"] is not None and campaign["runs"] > 1


def all_counts(counts: Mapping[RecipientStatus, int]) -> Counts:
    """Return a count for every status, zeros included."""
    return {status: counts.get(status, 0) for status in RecipientStatus}


class _People:
    """The recipients by status, and their total as counted by the database."""

    def __init__(self, rows: Sequence[RowMapping]) -> None:
        by_status = {RecipientStatus(row["status"]): row for row in rows}
        self.counts = all_counts({status: row["count"] for status, row in by_status.items()})
        self.total: int = rows[0]["total"] if rows else 0
        self.reached = sum(row["attempted"] for row in rows)
        self.ended_attempted = sum(row["attempted"] for status, row in by_status.items() if status in ENDED)


class _Attempts:
    """The attempts by status and disposition, and their cost."""

    def __init__(self, rows: Sequence[RowMapping]) -> None:
        live: Counter[AttemptStatus] = Counter()
        dispositions: Counter[Disposition] = Counter()
        self.awaiting_report = 0
        self.rows = rows
        for row in rows:
            status = AttemptStatus(row["status"])
            if status in LIVE:
                live[status] += row["count"]
            if row["disposition"] is not None:
                dispositions[Disposition(row["disposition"])] += row["count"]
            elif status is AttemptStatus.SENT:
                self.awaiting_report += row["count"]
        self.live = dict(live)
        self.calls = CallCounts.of(
            dispositions,
            live=self.awaiting_report + sum(live[status] for status in PLACED),
            opted_out_on_call=sum(row["count"] for row in rows if _opted_out_on_call(row)),
            talk_seconds=sum(
                row["seconds"]
                for row in rows
                if row["disposition"] == Disposition.ANSWERED or _opted_out_on_call(row)
            ),
        )
        self.cost = costs.cost_of(rows)


def _opted_out_on_call(row: RowMapping) -> bool:
    """Tell whether a person answered and asked not to be called again. A refusal by the carrier does not count."""
    return row["disposition"] == Disposition.OPTED_OUT and bool(row["picked_up"])


def _metrics(people: _People, attempts: _Attempts, status: CampaignStatus) -> CampaignMetrics:
    measures = measure(
        StatusCounts.of(people.counts),
        attempts.calls,
        ended_attempted=people.ended_attempted,
        campaign=status,
    )
    cost = attempts.cost
    return CampaignMetrics(
        **asdict(measures),
        total_cost=float(cost.amount),
        cost_unit=cost.unit or ("USD" if cost.amount else None),
        cost_estimated=cost.estimated,
        cost_known=float(cost.known),
    )


def _hold_facts(campaign: RowMapping, people: _People, attempts: _Attempts, waiting: WaitingNow) -> HoldFacts:
    return HoldFacts(
        status=CampaignStatus(campaign["status"]),
        status_reason=campaign["status_reason"],
        scheduled_at=campaign["scheduled_at"],
        dialing_stopped_by=campaign["dialing_stopped_by"] if campaign["dialing_stopped_at"] else None,
        dialing_stopped=campaign["dialing_stopped_at"] is not None,
        worker_alive=campaign["alive"],
        worker_problem=campaign["worker_problem"] or "",
        gate_rule=campaign["gate_rule"],
        gate_until=campaign["gate_until"],
        gate_why=campaign["gate_why"],
        total=people.total,
        pending=people.counts[RecipientStatus.PENDING],
        waiting=waiting,
        at_the_carrier=sum(attempts.live.get(each, 0) for each in AT_THE_CARRIER),
        unknown=attempts.live.get(AttemptStatus.UNKNOWN, 0),
        review=attempts.live.get(AttemptStatus.REVIEW, 0),
        awaiting_report=attempts.awaiting_report,
        keeps_adding=campaign["keeps_adding"],
    )


def _happening(row: RowMapping) -> LiveAttempt:
    return LiveAttempt(
        attempt_id=row["id"],
        contact_name=row["name"],
        number=row["number_to"],
        status=AttemptStatus(row["status"]),
        since=row["since"],
    )


async def _rows(
    session: AsyncSession, query: TextClause, parameters: Mapping[str, Any]
) -> Sequence[RowMapping]:
    return (await session.execute(query, parameters)).mappings().all()
