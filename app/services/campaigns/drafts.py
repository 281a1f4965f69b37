"""Beginning a draft in the browser, without leaving empty ones behind."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.models import Campaign, ContactImport, Recipient
from app.services.access.principal import Principal, authorize
from app.services.campaigns.operations import create_campaign
from app.services.campaigns.rows import load_rows
from app.services.campaigns.settings import DEFAULTS, WORKING_HOURS

NEW: Final = "New campaign"
"""What a draft is called until somebody names it."""


async def begin_draft(session: AsyncSession, *, principal: Principal, now: datetime) -> int:
    """Return the id of a new draft, or of this person's latest one if nothing was done with it.

    A new one has the working hours of the organization's time zone as its calling hours.
    Nothing was done: every setting is as it was made, but for the agent, whom the wizard chooses by itself
    where there is but one; nobody is in it, and no file was uploaded for it.
    """
    authorize(principal, Right.EDIT_CAMPAIGNS)
    latest = await session.scalar(
        select(col(Campaign.id))
        .where(
            col(Campaign.organization_id) == principal.organization_id,
            col(Campaign.status) == CampaignStatus.DRAFT,
            col(Campaign.created_by) == principal.actor,
            col(Campaign.name) == NEW,
            ~exists().where(col(Recipient.campaign_id) == col(Campaign.id)),
            ~exists().where(col(ContactImport.campaign_id) == col(Campaign.id)),
        )
        .order_by(col(Campaign.id).desc())
        .limit(1)
    )
    if latest is not None and await _is_untouched(session, principal, latest):
        return latest
    changes = {"name": NEW, **WORKING_HOURS}
    return await create_campaign(session, principal=principal, changes=changes, now=now)


async def _is_untouched(session: AsyncSession, principal: Principal, campaign_id: int) -> bool:
    settings = (await load_rows(session, principal, campaign_id)).settings
    made = replace(DEFAULTS, name=NEW, time_zone=principal.time_zone, **WORKING_HOURS)
    return replace(settings, agent_id=None) == made
