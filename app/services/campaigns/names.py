"""The names of campaigns: to choose one, and to show those that other rows refer to."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import Campaign
from app.services.access.principal import Principal, authorize


async def newest_campaigns(
    session: AsyncSession, *, principal: Principal, most: int
) -> list[tuple[int, str]]:
    """Return id and name of the organization's campaigns, the newest first."""
    authorize(principal, Right.VIEW)
    rows = await session.execute(
        select(col(Campaign.id), col(Campaign.name))
        .where(col(Campaign.organization_id) == principal.organization_id)
        .order_by(col(Campaign.id).desc())
        .limit(most)
    )
    return [(row.id, row.name) for row in rows]


async def campaign_names(
    session: AsyncSession, *, principal: Principal, ids: Collection[int]
) -> dict[int, str]:
    """Return id -> name of these campaigns; those of other organizations are left out."""
    authorize(principal, Right.VIEW)
    rows = await session.execute(
        select(col(Campaign.id), col(Campaign.name)).where(
            col(Campaign.organization_id) == principal.organization_id, col(Campaign.id).in_(ids)
        )
    )
    return {row.id: row.name for row in rows}
