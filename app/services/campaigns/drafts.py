"""Begins a draft in the browser, without leaving empty drafts behind."""

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
"""The name of a draft until a person changes it."""


async def begin_draft(session: AsyncSession, *, principal: Principal, now: datetime) -> int:
    """Return the id of a new draft, or of this person's latest one if it was not used.

    A new one has the working hours of the organization's time zone as its calling hours. A draft is not used if it has
    no people, no uploaded file and its first settings. The agent does not count: the wizard chooses it if there is only
    one.
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
    if latest is not None:
        settings = (await load_rows(session, principal, latest)).settings
        made = replace(DEFAULTS, name=NEW, time_zone=principal.time_zone, **WORKING_HOURS)
        if replace(settings, agent_id=None) == made:
            return latest
    changes = {"name": NEW, **WORKING_HOURS}
    return await create_campaign(session, principal=principal, changes=changes, now=now)
