"""Counts what is used of a campaign's limits, from the attempts: no slot is held, so no slot can be lost."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.pacing import (
    ANSWERED_WITHIN,
    SECOND,
    PacingCounts,
    guarded,
    left_out,
    seen_by_carrier,
)
from app.models import sql
from app.services.dialing.reserve.held import Held

LATE_FORGIVEN: Final = timedelta(milliseconds=15)
"""A request that left at most this much after its date counts from its date: the guard margin covers it."""

_LATEST_START: Final = timedelta(seconds=5)
"""No request leaves later than this after its date. A call found later is dated by when it was found."""


_OURS: Final = "carrier_account_id = :carrier_account_id"
"""Calls that are still under way on an account used before take no slot of this one."""
# A request that left late counts from when it left: the next one keeps its distance from that.
_STARTED_AT: Final = (
    "greatest(reserved_at, least(coalesce(placed_at, reserved_at),"
    f" reserved_at + interval '{_LATEST_START.seconds} seconds')"
    f" - interval '{LATE_FORGIVEN.microseconds} microseconds')"
)
# The latest time at which the carrier has taken a request. Attempts that were not placed are left out.
_TAKEN_BY: Final = f"coalesce(responded_at, reserved_at + interval '{ANSWERED_WITHIN.seconds} seconds')"
_COUNT: Final = text(
    f"""
    SELECT
      (SELECT count(*) FROM attempt WHERE campaign_id = :campaign_id AND status IN {sql.LIVE} AND {_OURS})
          AS live_campaign,
      live.organization AS live_organization, live.agent AS live_agent,
      ARRAY(SELECT {_STARTED_AT} FROM attempt
            WHERE campaign_id = :campaign_id AND reserved_at > :campaign_since
            ORDER BY reserved_at DESC OFFSET :campaign_left_out LIMIT :campaign_most) AS recent,
      (SELECT {_STARTED_AT} FROM attempt
       WHERE campaign_id = :campaign_id AND reserved_at > :campaign_since
       ORDER BY reserved_at DESC LIMIT 1) AS latest,
      ARRAY(SELECT {_STARTED_AT} FROM attempt
            WHERE {_OURS} AND reserved_at > :account_since AND channel = 'call'
            ORDER BY reserved_at DESC OFFSET :account_left_out LIMIT :account_most) AS recent_account,
      ARRAY(SELECT {_TAKEN_BY} FROM attempt
            WHERE campaign_id = :campaign_id AND reserved_at > :campaign_taken_since AND status <> 'not_placed'
            ORDER BY 1 DESC OFFSET :campaign_taken_left_out LIMIT :campaign_taken_most) AS taken_by,
      ARRAY(SELECT {_TAKEN_BY} FROM attempt
            WHERE {_OURS} AND reserved_at > :account_taken_since AND channel = 'call' AND status <> 'not_placed'
            ORDER BY 1 DESC OFFSET :account_taken_left_out LIMIT :account_taken_most) AS taken_by_account
    FROM (SELECT count(*) AS organization, count(*) FILTER (WHERE agent_id = :agent_id) AS agent FROM attempt
          WHERE organization_id = :organization_id AND status IN {sql.LIVE} AND {_OURS} AND channel = 'call') live
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def count(session: AsyncSession, held: Held, *, now: datetime) -> PacingCounts:
    """Count the live attempts and recent reservations that the campaign's limits are compared with."""
    limits = held.limits
    of_campaign = max(limits.calls_per_minute, limits.messages_per_second, 1)
    of_account = max(limits.account_per_second, 1)
    seen_of_campaign = seen_by_carrier(limits.calls_per_minute or limits.messages_per_second)
    seen_of_account = seen_by_carrier(limits.account_per_second)
    row = (
        await session.execute(
            _COUNT,
            {
                "campaign_id": held.campaign_id,
                "organization_id": held.organization_id,
                "agent_id": held.agent_id,
                "carrier_account_id": held.carrier_account_id,
                "campaign_since": now - limits.lookback - _LATEST_START,
                "campaign_left_out": left_out(of_campaign),
                "campaign_most": of_campaign - left_out(of_campaign),
                "account_since": now - guarded(SECOND) - _LATEST_START,
                "account_left_out": left_out(of_account),
                "account_most": of_account - left_out(of_account),
                "campaign_taken_since": now - limits.lookback - ANSWERED_WITHIN,
                "campaign_taken_left_out": left_out(seen_of_campaign),
                "campaign_taken_most": seen_of_campaign - left_out(seen_of_campaign),
                "account_taken_since": now - guarded(SECOND) - ANSWERED_WITHIN,
                "account_taken_left_out": left_out(seen_of_account),
                "account_taken_most": seen_of_account - left_out(seen_of_account),
            },
        )
    ).one()
    return PacingCounts(
        live_campaign=row.live_campaign,
        live_organization=row.live_organization,
        live_agent=row.live_agent,
        recent=sorted(row.recent),
        recent_left_out=left_out(of_campaign),
        latest=row.latest,
        recent_account=sorted(row.recent_account),
        account_left_out=left_out(of_account),
        taken_by=sorted(row.taken_by),
        taken_by_account=sorted(row.taken_by_account),
    )
