"""The most frequent questions about a campaign: whether it exists, its status and zone, and its people by status."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.models import Campaign, CarrierAccount, Recipient
from app.services.access.principal import Principal, authorize
from app.services.campaigns.progress import all_counts
from app.services.campaigns.views import CampaignBrief, Counts
from app.services.errors import NotFound
from app.services.refs import Ref, select_ref


async def campaign_brief(session: AsyncSession, *, principal: Principal, campaign_ref: Ref) -> CampaignBrief:
    """Return the campaign in brief: one statement, which reads none of its people. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    one = select_ref(Campaign, campaign_ref, organization_id=principal.organization_id)
    if one is None:
        raise NotFound("campaign", campaign_ref)
    brief: Select[*tuple[Any, ...]] = one.outerjoin(
        CarrierAccount, col(CarrierAccount.id) == col(Campaign.carrier_account_id)
    ).with_only_columns(
        col(Campaign.id),
        col(Campaign.name),
        col(Campaign.description),
        col(Campaign.status),
        col(Campaign.status_reason),
        col(Campaign.channel),
        col(Campaign.time_zone),
        col(CarrierAccount.simulated).label("carrier_simulated"),
    )
    found = (await session.execute(brief)).mappings().one_or_none()
    if found is None:
        raise NotFound("campaign", campaign_ref)
    return CampaignBrief(**found)


async def recipient_counts(session: AsyncSession, campaign_id: int) -> Counts:
    """Return how many people of the campaign are in each status. For callers that have found the campaign.

    It reads all of them.
    """
    return (await recipient_counts_of_each(session, [campaign_id]))[campaign_id]


async def recipient_counts_of_each(session: AsyncSession, campaign_ids: Collection[int]) -> dict[int, Counts]:
    """Return the counts of several campaigns. For callers that have found them."""
    rows = await session.execute(
        select(col(Recipient.campaign_id), col(Recipient.status), func.count())
        .where(col(Recipient.campaign_id).in_(campaign_ids))
        .group_by(col(Recipient.campaign_id), col(Recipient.status))
    )
    found: dict[int, dict[RecipientStatus, int]] = defaultdict(dict)
    for campaign_id, status, count in rows:
        found[campaign_id][status] = count
    return {campaign_id: all_counts(found[campaign_id]) for campaign_id in campaign_ids}
