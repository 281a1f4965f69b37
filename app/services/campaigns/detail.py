"""One campaign with its settings."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import allowed_actions
from app.domain.phone import pretty
from app.domain.rights import Right
from app.models import Agent, CarrierAccount, PhoneNumber
from app.services.access.principal import Principal, authorize
from app.services.campaigns.number_warnings import why_unusable
from app.services.campaigns.operations import WHY_LOCKED
from app.services.campaigns.rows import CampaignRows, load_rows
from app.services.campaigns.schedules import start_time
from app.services.campaigns.setting_rows import unreadable
from app.services.campaigns.start_hours import far_start_warning
from app.services.campaigns.views import CampaignDetail
from app.services.refs import Ref


async def get_campaign(session: AsyncSession, *, principal: Principal, campaign_ref: Ref) -> CampaignDetail:
    """Return one campaign with its settings, without its contacts. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    return await detail_of(session, await load_rows(session, principal, campaign_ref))


async def detail_of(session: AsyncSession, rows: CampaignRows) -> CampaignDetail:
    """Return the campaign of these rows with its settings. The caller has loaded the rows with its principal."""
    campaign = rows.campaign
    agent = await session.get(Agent, campaign.agent_id) if campaign.agent_id is not None else None
    account = campaign.carrier_account_id
    carrier = await session.get(CarrierAccount, account) if account is not None else None
    numbers = await _numbers(session, [*rows.pool, *filter(None, [campaign.phone_number_id])])
    chosen = numbers.get(campaign.phone_number_id or 0)
    problems = [why_unusable(number, campaign.channel, account) for number in numbers.values()]
    return CampaignDetail(
        id=campaign.id,
        public_id=campaign.public_id,
        status=campaign.status,
        status_reason=campaign.status_reason,
        settings=rows.settings,
        agent_name=agent.name if agent is not None else None,
        agent_active=agent.active if agent is not None else None,
        phone_number=chosen.number if chosen is not None else None,
        number_labels={number.id: _label(number) for number in numbers.values()},
        actions=allowed_actions(campaign.status),
        locked_because=WHY_LOCKED.get(campaign.status),
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
        started_at=campaign.started_at,
        ended_at=campaign.ended_at,
        carrier_simulated=carrier.simulated if carrier is not None else None,
        number_warnings=[problem for problem in problems if problem is not None],
        schedule_warning=far_start_warning(start_time(campaign, campaign.updated_at), campaign.updated_at),
        unreadable=unreadable(campaign),
        variable_mappings=campaign.variable_mappings,
    )


async def _numbers(session: AsyncSession, ids: Collection[int]) -> dict[int, PhoneNumber]:
    found = await session.execute(select(PhoneNumber).where(col(PhoneNumber.id).in_(ids)))
    return {number.id: number for number in found.scalars()}


def _label(number: PhoneNumber) -> str:
    shown = pretty(number.number)
    return f"{number.label} ({shown})" if number.label else shown
