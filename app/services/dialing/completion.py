"""When the next recipient is due, and which campaigns are done."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import sql
from app.services.campaigns.transitions import complete_by_system
from app.services.dialing.settle.outcomes import REPORTS_WITHIN

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


async def next_due_at(session: AsyncSession, *, now: datetime) -> datetime | None:
    """Return when the next recipient of a dialing campaign becomes due; None if nothing waits for a time.

    Recipients that are due already are left out: they do not wait for a time.
    """
    return (await session.execute(_NEXT_DUE, {"now": now})).scalar_one_or_none()


async def finished_campaigns(session: AsyncSession) -> list[int]:
    """Return the dialing campaigns without a pending recipient and without one in progress."""
    return list((await session.execute(_DONE)).scalars())


async def complete_campaign(session: AsyncSession, *, campaign_id: int, now: datetime) -> bool:
    """Complete the campaign if all have ended and no delivery report is awaited; False if it is not done yet."""
    return await complete_by_system(
        session, campaign_id=campaign_id, reports_since=now - REPORTS_WITHIN, now=now
    )
