"""The wish that a cancelled campaign's calls end: the dialer asks the carrier for it."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.outcomes import HangUp
from app.models import sql

_HANG_UP_CAMPAIGN: Final = text(
    f"""
    UPDATE attempt SET hang_up_at = :now, hang_up_why = CAST(:why AS varchar)
    FROM (SELECT id FROM attempt
          WHERE campaign_id = :campaign_id AND channel = 'call'
            AND status IN {sql.LIVE}
          ORDER BY recipient_id, id FOR NO KEY UPDATE) live
    WHERE attempt.id = live.id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def hang_up_campaign(session: AsyncSession, *, campaign_id: int, now: datetime) -> None:
    """Have every call of the campaign ended that is going on, or turns out to be. Messages cannot be called back."""
    given = {"campaign_id": campaign_id, "now": now, "why": HangUp.CAMPAIGN_CANCELLED.value}
    await session.execute(_HANG_UP_CAMPAIGN, given)
