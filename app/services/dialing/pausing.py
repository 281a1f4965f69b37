"""Pausing by the system itself: a compare-and-set with a history row, and the reason where people look."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_PAUSE: Final = text(
    """
    WITH held AS (
        -- Whoever settles an attempt holds its rows: it must not wait here for a person who cancels the campaign and
        -- waits for those.
        SELECT id, status FROM campaign WHERE id = :campaign_id AND status IN ('queued', 'running')
        FOR NO KEY UPDATE SKIP LOCKED
    ), paused AS (
        UPDATE campaign SET status = 'paused', status_reason = CAST(:reason AS varchar), updated_at = :now
        FROM held WHERE campaign.id = held.id
        RETURNING campaign.id, held.status AS old
    )
    INSERT INTO campaign_transition (campaign_id, old, new, actor, reason, at)
    SELECT id, old, 'paused', 'system', CAST(:reason AS varchar), :now FROM paused
    """
)


async def pause_by_system(session: AsyncSession, *, campaign_id: int, reason: str, now: datetime) -> None:
    """Pause a campaign that is dialing, saying why; one that is not dialing is left alone.

    So is one that somebody changes just now: its next bad sign pauses it.
    """
    await session.execute(_PAUSE, {"campaign_id": campaign_id, "reason": reason[:1000], "now": now})
