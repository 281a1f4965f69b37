"""The history of a campaign's status, and who changed it."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import CampaignTransition
from app.services.access.principal import Principal, authorize
from app.services.campaigns.rows import load_campaign
from app.services.campaigns.views import TransitionRow
from app.services.refs import Ref

_MOST: Final = 50


async def campaign_history(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref
) -> list[TransitionRow]:
    """Return the campaign's latest changes of status, the newest first. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    statement = (
        select(CampaignTransition)
        .where(col(CampaignTransition.campaign_id) == campaign.id)
        .order_by(col(CampaignTransition.id).desc())
        .limit(_MOST)
    )
    return [
        TransitionRow(old=each.old, new=each.new, reason=each.reason, at=each.at, actor=each.actor)
        for each in (await session.execute(statement)).scalars()
    ]
