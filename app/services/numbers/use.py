"""Which campaigns call from a number."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import UNDER_WAY, Channel
from app.models import PhoneNumber

_UNDER_WAY: Final = sorted(UNDER_WAY)

# A campaign with a pool calls from the pool only. Without one it calls from its own number, else its agent's,
# else the organization's.
_LEFT_WITHOUT: Final = text(
    """
    SELECT c.name FROM campaign c
    JOIN organization o ON o.id = c.organization_id
    LEFT JOIN agent a ON a.id = c.agent_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS size,
               bool_or(n.id = :number_id) AS has_it,
               bool_or(n.active AND n.id <> :number_id
                       AND CASE c.channel WHEN 'sms' THEN n.sms ELSE n.voice END) AS has_another
        FROM campaign_number p JOIN phone_number n ON n.id = p.phone_number_id WHERE p.campaign_id = c.id
    ) pool
    WHERE c.organization_id = :organization_id AND c.status = ANY(:statuses) AND c.channel = ANY(:channels)
      AND CASE WHEN pool.size > 0 THEN pool.has_it AND NOT pool.has_another
          ELSE coalesce(c.phone_number_id, a.default_phone_number_id, o.default_phone_number_id) = :number_id
          END
    ORDER BY c.id
    """
)


async def campaigns_left_without(
    session: AsyncSession, number: PhoneNumber, *, channels: Collection[Channel] = tuple(Channel)
) -> list[str]:
    """Return the names of campaigns under way, on these channels, that would have no caller ID without this number."""
    given = {
        "organization_id": number.organization_id,
        "number_id": number.id,
        "statuses": list(map(str, _UNDER_WAY)),
        "channels": sorted(map(str, channels)),
    }
    return list((await session.execute(_LEFT_WITHOUT, given)).scalars())
