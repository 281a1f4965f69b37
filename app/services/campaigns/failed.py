"""The failed campaigns of all organizations, for `callsheet doctor`."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.models import Campaign, Organization


@dataclass(frozen=True, slots=True)
class FailedCampaign:
    """A failed campaign: a person must correct something before it can go on."""

    id: int
    name: str
    organization: str
    reason: str


async def failed_campaigns(session: AsyncSession) -> list[FailedCampaign]:
    """Return the failed campaigns of every organization, the oldest first."""
    found = await session.execute(
        select(col(Campaign.id), col(Campaign.name), col(Organization.name), col(Campaign.status_reason))
        .join(Organization, col(Organization.id) == col(Campaign.organization_id))
        .where(col(Campaign.status) == CampaignStatus.FAILED)
        .order_by(col(Campaign.id))
    )
    return [FailedCampaign(*row) for row in found]
