"""When somebody is due next, and which campaigns are done."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.live import announce
from app.models import sql
from app.services.dialing.settling import REPORTS_WITHIN

_NEXT_DUE: Final = text(
    f"""
    SELECT min(greatest(next.not_before, c.gate_until)) FROM campaign c
    JOIN organization o ON o.id = c.organization_id AND o.dialing_stopped_at IS NULL
    CROSS JOIN LATERAL (SELECT r.not_before FROM recipient r
                        WHERE r.campaign_id = c.id AND r.status = 'pending'
                        ORDER BY r.not_before LIMIT 1) next
    WHERE c.status IN {sql.DIALING} AND greatest(next.not_before, c.gate_until) > :now
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_DONE: Final = text(
    f"""
    SELECT c.id FROM campaign c
    WHERE c.status IN {sql.DIALING}
      AND NOT EXISTS (SELECT 1 FROM recipient r
                      WHERE r.campaign_id = c.id AND r.status IN {sql.OPEN})
      AND NOT EXISTS (SELECT 1 FROM audience a
                      WHERE a.campaign_id = c.id AND a.mode = 'standing' AND a.next_at IS NOT NULL)
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_HOLD: Final = text(
    f"SELECT status FROM campaign WHERE id = :campaign_id AND status IN {sql.DIALING} FOR NO KEY UPDATE"  # noqa: S608 - a constant is put in, nothing a caller gives
)

_COMPLETE: Final = text(
    f"""
    WITH done AS (
        UPDATE campaign c SET status = 'completed', status_reason = '', ended_at = :now, updated_at = :now,
                              gate_rule = NULL, gate_until = NULL, gate_why = NULL
        WHERE c.id = :campaign_id
          AND NOT EXISTS (SELECT 1 FROM recipient r
                          WHERE r.campaign_id = c.id AND r.status IN {sql.OPEN})
          AND NOT EXISTS (SELECT 1 FROM attempt a
                          WHERE a.campaign_id = c.id AND a.status = 'sent' AND a.last_event_at > :reports_since)
          AND NOT EXISTS (SELECT 1 FROM attempt a
                          WHERE a.campaign_id = c.id AND a.status IN {sql.LIVE})
          AND NOT EXISTS (SELECT 1 FROM audience a
                          WHERE a.campaign_id = c.id AND a.mode = 'standing' AND a.next_at IS NOT NULL)
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


async def next_due_at(session: AsyncSession, *, now: datetime) -> datetime | None:
    """Return when the next dialing campaign comes to have someone due; None if none waits for a time.

    Of those who are due already time is not what holds them back.
    """
    return (await session.execute(_NEXT_DUE, {"now": now})).scalar_one_or_none()


async def finished_campaigns(session: AsyncSession) -> list[int]:
    """Return the dialing campaigns in which nobody is pending or in progress."""
    return list((await session.execute(_DONE)).scalars())


async def complete_campaign(session: AsyncSession, *, campaign_id: int, now: datetime) -> bool:
    """Complete the campaign if everyone has ended and no report is awaited; False if it is not done after all.

    Locks first and looks in a second statement: one that waits for a lock decides on what was before its wait.
    """
    old = (await session.execute(_HOLD, {"campaign_id": campaign_id})).scalar_one_or_none()
    if old is None:
        return False
    given = {"campaign_id": campaign_id, "old": old, "now": now, "reports_since": now - REPORTS_WITHIN}
    row = (await session.execute(_COMPLETE, given)).one_or_none()
    if row is None:
        return False
    announce(session, organization_id=row.organization_id, campaign_id=campaign_id)
    return True
