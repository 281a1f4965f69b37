"""Stopping a campaign by the system itself: a compare-and-set with a history row, and the reason where people look.

It is paused where a person, or a sign that a person should see, keeps it: it may be resumed as it is. It fails where
something has to be mended first. Neither cuts a call that goes on, nor moves whoever waits.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import DIALING, TRANSITIONS, CampaignStatus
from app.live import announce

_STOP: Final = text(
    """
    WITH held AS (
        -- Whoever settles an attempt holds its rows: it must not wait here for a person who cancels the campaign and
        -- waits for those.
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

_LONGEST_REASON: Final = 1_000


async def pause_by_system(session: AsyncSession, *, campaign_id: int, reason: str, now: datetime) -> None:
    """Pause a campaign that is dialing, saying why; one that is not dialing is left alone.

    So is one that somebody changes just now: its next bad sign pauses it.
    """
    await _stop(session, campaign_id, CampaignStatus.PAUSED, reason, seen_in=None, now=now)


async def fail_by_system(
    session: AsyncSession, *, campaign_id: int, reason: str, now: datetime, seen_in: datetime | None = None
) -> None:
    """Let a campaign that is dialing fail; `reason` says what to mend before it can be resumed.

    One that is not dialing is left alone, and so is one that somebody changes just now: the next look fails it.
    `seen_in`: when the attempt was reserved that shows it; one from before a person last resumed shows nothing.
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
        "from": sorted(old for old in DIALING if target in TRANSITIONS[old]),
        "to": target.value,
        "reason": reason[:_LONGEST_REASON],
        "seen_in": seen_in,
        "now": now,
    }
    organization_id = (await session.execute(_STOP, given)).scalar_one_or_none()
    if organization_id is not None:
        announce(session, organization_id=organization_id, campaign_id=campaign_id)
