"""Every change of a campaign's status: allowed by the domain's table, compare-and-set, with a history row.

A person moves it with `move_campaign`. The system starts it (`run_by_system`), ends it (`complete_by_system`) and stops
it in two ways. It pauses a campaign that a person should look at and may resume unchanged. It fails one that needs a
correction first. Both leave calls under way and waiting recipients as they are.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import DIALING, OVER, CampaignStatus, before, check_transition
from app.models import Campaign, CampaignTransition, Run, sql
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.campaigns.rows import latest_run
from app.services.campaigns.schedules import plan_of
from app.services.errors import Conflict

LONGEST_REASON: Final = 1_000


async def move_campaign(
    session: AsyncSession,
    campaign: Campaign,
    target: CampaignStatus,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    carrier_account_id: int | None = None,
) -> None:
    """Move a campaign from the status it was read with. Raises `Conflict` if the status has changed since."""
    old = campaign.status
    check_transition(old, target)
    reason = reason.strip()[:LONGEST_REASON]
    begins = target in DIALING and campaign.started_at is None
    moved = await session.execute(
        update(Campaign)
        .where(col(Campaign.id) == campaign.id, col(Campaign.status) == old)
        .values(
            status=target,
            status_reason=reason if target in {CampaignStatus.PAUSED, CampaignStatus.FAILED} else "",
            carrier_account_id=carrier_account_id or campaign.carrier_account_id,
            started_at=now if begins else campaign.started_at,
            ended_at=now if target in OVER else None,
            gate_rule=None,
            gate_until=None,
            gate_why=None,
            room_left=None,
            updated_at=now,
        )
        .execution_options(synchronize_session="fetch")
        .returning(col(Campaign.id))
    )
    if moved.scalar_one_or_none() is None:
        status = await session.scalar(select(col(Campaign.status)).where(col(Campaign.id) == campaign.id))
        raise Conflict(f"This campaign was changed meanwhile: it is {status} now.")
    if target in DIALING:
        await _note_of_run(session, campaign.id, "started_at", now)
    elif target in OVER:
        await _note_of_run(session, campaign.id, "ended_at", now)
    session.add(
        CampaignTransition(campaign_id=campaign.id, old=old, new=target, actor=actor, reason=reason, at=now)
    )
    await session.flush()
    announce(session, organization_id=campaign.organization_id, campaign_id=campaign.id, work=True)


async def _note_of_run(session: AsyncSession, campaign_id: int, column: str, now: datetime) -> None:
    """Write when the campaign's newest run started or ended, unless that is written."""
    unwritten = col(getattr(Run, column)).is_(None)
    await session.execute(
        update(Run).where(col(Run.campaign_id) == campaign_id, unwritten).values({column: now})
    )


_QUEUED: Final = sql.among(DIALING & before(CampaignStatus.RUNNING))
"""The statuses in which attempts are reserved and that `running` may follow."""

_RUN: Final = text(
    f"""
    WITH moved AS (
        UPDATE campaign
        SET status = CASE WHEN status {_QUEUED} AND CAST(:reserved AS integer) > 0 THEN 'running' ELSE status END,
            pool_cursor = :pool_cursor, gate_rule = NULL, gate_until = NULL, gate_why = NULL,
            room_left = nullif(greatest(room_left - CAST(:reserved AS integer), 0), 0)
        WHERE id = :campaign_id
        RETURNING id, status
    )
    INSERT INTO campaign_transition (campaign_id, old, new, actor, reason, at)
    SELECT id, 'queued', 'running', 'system', 'the first attempt was reserved', :now FROM moved
    WHERE status = 'running' AND CAST(:was AS varchar) {_QUEUED}
    """  # noqa: S608 - constants are put in, nothing a caller gives
)


async def run_by_system(
    session: AsyncSession,
    *,
    campaign_id: int,
    organization_id: int,
    was: CampaignStatus,
    reserved: int,
    pool_cursor: int,
    now: datetime,
) -> None:
    """Record that the gate is open and attempts were reserved: a queued campaign becomes running.

    The dialer holds the campaign's row and has read the status `was`.
    """
    await session.execute(
        _RUN,
        {
            "campaign_id": campaign_id,
            "was": was.value,
            "reserved": reserved,
            "pool_cursor": pool_cursor,
            "now": now,
        },
    )
    announce(session, organization_id=organization_id, campaign_id=campaign_id)


_COMPLETABLE: Final = sql.among(DIALING & before(CampaignStatus.COMPLETED))

_HOLD: Final = text(
    f"SELECT status FROM campaign WHERE id = :campaign_id AND status {_COMPLETABLE} FOR NO KEY UPDATE"  # noqa: S608 - as above
)

# A standing rule keeps a campaign open, but not a run of a recurring one: the rule adds to the next run then.
_ACCOUNTED: Final = f"""
    NOT EXISTS (SELECT 1 FROM recipient r
                WHERE r.campaign_id = c.id AND r.status IN {sql.OPEN})
    AND NOT EXISTS (SELECT 1 FROM attempt a
                    WHERE a.campaign_id = c.id AND a.status = 'sent' AND a.last_event_at > :reports_since)
    AND NOT EXISTS (SELECT 1 FROM attempt a
                    WHERE a.campaign_id = c.id AND a.status IN {sql.LIVE})
    AND NOT EXISTS (SELECT 1 FROM run
                    WHERE run.campaign_id = c.id AND run.occurrence_at IS NOT NULL AND run.filled_at IS NULL)
    AND (EXISTS (SELECT 1 FROM run
                 WHERE run.campaign_id = c.id AND run.occurrence_at IS NOT NULL AND run.ended_at IS NULL)
         OR NOT EXISTS (SELECT 1 FROM audience a
                        WHERE a.campaign_id = c.id AND a.mode = 'standing' AND a.next_at IS NOT NULL))
"""  # noqa: S608 - constants are put in

_COMPLETE: Final = text(
    f"""
    WITH done AS (
        UPDATE campaign c SET status = 'completed', status_reason = '', ended_at = :now, updated_at = :now,
                              gate_rule = NULL, gate_until = NULL, gate_why = NULL
        WHERE c.id = :campaign_id AND {_ACCOUNTED}
        RETURNING c.id, c.organization_id
    ), history AS (
        INSERT INTO campaign_transition (campaign_id, old, new, actor, reason, at)
        SELECT id, CAST(:old AS varchar), 'completed', 'system', 'everyone is accounted for', :now FROM done
    ), run_end AS (
        UPDATE run SET ended_at = :now FROM done WHERE run.campaign_id = done.id AND run.ended_at IS NULL
    )
    SELECT organization_id FROM done
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


# The breaker looks at each run by itself, and a ramp begins anew. A pilot that a person has seen stays passed.
_GO_ON: Final = text(
    f"""
    WITH done AS (
        UPDATE campaign c SET status = 'scheduled', scheduled_at = :occurrence_at, status_reason = '',
                              updated_at = :now, gate_rule = NULL, gate_until = NULL, gate_why = NULL,
                              room_left = NULL, ramp_step = 0, breaker_since = :now
        WHERE c.id = :campaign_id AND {_ACCOUNTED}
        RETURNING c.id, c.organization_id
    ), history AS (
        INSERT INTO campaign_transition (campaign_id, old, new, actor, reason, at)
        SELECT id, CAST(:old AS varchar), 'scheduled', 'system', 'the run has ended, and another follows', :now
        FROM done
    ), run_end AS (
        UPDATE run SET ended_at = :now FROM done WHERE run.campaign_id = done.id AND run.ended_at IS NULL
    ), run_opening AS (
        INSERT INTO run (campaign_id, number, occurrence_at, fill_cursor, created_at)
        SELECT id, (SELECT max(number) + 1 FROM run WHERE campaign_id = done.id), :occurrence_at, 0, :now FROM done
    )
    SELECT organization_id FROM done
    """  # noqa: S608 - constants are put in, nothing a caller gives
)


async def complete_by_system(
    session: AsyncSession, *, campaign_id: int, reports_since: datetime, now: datetime
) -> bool:
    """End the run if all recipients have ended and no report is awaited; False if it is not done yet.

    If the campaign's schedule has another occurrence, the next run is opened and waits for it; else the campaign is
    completed. `reports_since`: messages without news since then are not waited for. It locks first and reads in a
    second statement, because a statement that waits for a lock may decide by what it read before the wait.
    """
    old = (await session.execute(_HOLD, {"campaign_id": campaign_id})).scalar_one_or_none()
    if old is None:
        return False
    given = {"campaign_id": campaign_id, "old": old, "now": now, "reports_since": reports_since}
    following = await _following_occurrence(session, campaign_id, now)
    if following is None:
        row = (await session.execute(_COMPLETE, given)).one_or_none()
    else:
        row = (await session.execute(_GO_ON, given | {"occurrence_at": following})).one_or_none()
        fault("before_run_opening_commit")
    if row is None:
        return False
    announce(session, organization_id=row.organization_id, campaign_id=campaign_id)
    return True


async def _following_occurrence(session: AsyncSession, campaign_id: int, now: datetime) -> datetime | None:
    """Return the occurrence that follows the campaign's newest run; None if there is none. The campaign is locked."""
    campaign = await session.get_one(Campaign, campaign_id)
    plan = plan_of(campaign)
    if plan is None:
        return None
    run = await latest_run(session, campaign_id)
    return plan.to_run(after=run.occurrence_at or run.started_at or now, now=now)


_STOP: Final = text(
    """
    WITH held AS (
        -- A transaction that settles an attempt has locked its rows. It must not wait here for a cancel of the
        -- campaign, which waits for those rows.
        SELECT id, status FROM campaign
        WHERE id = :campaign_id AND status = ANY(CAST(:from AS varchar[]))
          AND (CAST(:seen_in AS timestamptz) IS NULL OR breaker_since IS NULL OR breaker_since <= :seen_in)
        FOR NO KEY UPDATE SKIP LOCKED
    ), stopped AS (
        UPDATE campaign SET status = CAST(:to AS varchar), status_reason = CAST(:reason AS varchar), updated_at = :now
        FROM held WHERE campaign.id = held.id
        RETURNING campaign.id, campaign.organization_id, held.status AS old
    ), history AS (
        INSERT INTO campaign_transition (campaign_id, old, new, actor, reason, at)
        SELECT id, old, CAST(:to AS varchar), 'system', CAST(:reason AS varchar), :now FROM stopped
    )
    SELECT organization_id FROM stopped
    """
)


async def pause_by_system(session: AsyncSession, *, campaign_id: int, reason: str, now: datetime) -> None:
    """Pause a campaign that is dialing, with the reason. Other campaigns are not changed.

    A campaign that is locked by another transaction is skipped: the next bad sign pauses it.
    """
    await _stop(session, campaign_id, CampaignStatus.PAUSED, reason, seen_in=None, now=now)


async def fail_by_system(
    session: AsyncSession, *, campaign_id: int, reason: str, now: datetime, seen_in: datetime | None = None
) -> None:
    """Fail a campaign that is dialing; `reason` says what to correct before it is resumed.

    Other campaigns are not changed. A campaign that is locked by another transaction is skipped: the next pass fails
    it. `seen_in`: when the attempt with the problem was reserved; attempts from before the last resume do not count.
    """
    await _stop(session, campaign_id, CampaignStatus.FAILED, reason, seen_in=seen_in, now=now)


async def _stop(
    session: AsyncSession,
    campaign_id: int,
    target: CampaignStatus,
    reason: str,
    *,
    seen_in: datetime | None,
    now: datetime,
) -> None:
    given = {
        "campaign_id": campaign_id,
        "from": sorted(DIALING & before(target)),
        "to": target.value,
        "reason": reason[:LONGEST_REASON],
        "seen_in": seen_in,
        "now": now,
    }
    organization_id = (await session.execute(_STOP, given)).scalar_one_or_none()
    if organization_id is not None:
        announce(session, organization_id=organization_id, campaign_id=campaign_id)
