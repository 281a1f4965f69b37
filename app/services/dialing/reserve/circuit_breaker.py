"""The circuit breaker: judges a campaign's last outcomes, and pauses the campaign on a bad sign."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import Disposition
from app.domain.breaker import HANG_UP_SECONDS, Settled, Trip, describe, judge
from app.domain.events import FailureClass
from app.models import BreakerTrip
from app.runtime.live_feed import announce
from app.services.campaigns.transitions import pause_by_system
from app.services.dialing.reserve.held import Held

# The index `ix_attempt_settled` serves it: it reads as many rows as the window has.
_WINDOW: Final = text(
    """
    SELECT id, disposition, failure, provider_id IS NOT NULL AS accepted, duration_seconds,
           CASE WHEN duration_seconds < :hang_up
                THEN coalesce(length(rendered ->> 'welcome'), 0) + coalesce(length(rendered ->> 'agenda'), 0)
                     + coalesce(length(rendered ->> 'question'), 0) + coalesce(length(rendered ->> 'closing'), 0)
                ELSE 0 END AS spoken_characters
    FROM attempt
    WHERE campaign_id = :campaign_id AND disposition IS NOT NULL AND disposition <> 'cancelled'
      AND failure IS DISTINCT FROM 'misconfigured'  -- One of these fails the campaign by itself.
      AND ended_at > coalesce(CAST(:since AS timestamptz), '-infinity')
    ORDER BY ended_at DESC LIMIT :window
    """
)


async def judge_last_outcomes(session: AsyncSession, held: Held) -> Trip | None:
    """Return the bad sign in the campaign's last outcomes, or None. Only outcomes after its last resume count."""
    policy = held.safeguards.breaker
    if policy.is_off:
        return None
    rows = await session.execute(
        _WINDOW,
        {
            "campaign_id": held.campaign_id,
            "since": held.safeguards.breaker_since,
            "hang_up": HANG_UP_SECONDS,
            "window": max(policy.window, policy.refusals_in_a_row),
        },
    )
    outcomes = [
        Settled(
            attempt_id=row.id,
            disposition=Disposition(row.disposition),
            failure=FailureClass(row.failure) if row.failure is not None else None,
            accepted=row.accepted,
            duration_seconds=row.duration_seconds,
            spoken_characters=row.spoken_characters,
        )
        for row in rows
    ]
    return judge(policy, outcomes)


async def pause_by_breaker(session: AsyncSession, held: Held, trip: Trip, *, now: datetime) -> None:
    """Pause the campaign and store the bad sign with the attempts that show it. The caller holds the lock."""
    session.add(
        BreakerTrip(
            campaign_id=held.campaign_id,
            sign=trip.sign,
            measured=trip.measured,
            threshold=trip.threshold,
            window=trip.window,
            attempt_ids=list(trip.attempt_ids),
            at=now,
        )
    )
    await session.flush()
    await pause_by_system(session, campaign_id=held.campaign_id, reason=describe(trip), now=now)
    announce(session, organization_id=held.organization_id, campaign_id=held.campaign_id)
