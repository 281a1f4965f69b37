"""Which contacts are in a campaign already."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import Recipient
from app.services.access.principal import Principal, authorize
from app.services.campaigns.rows import latest_run, load_campaign
from app.services.refs import Ref


async def members_among(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, contact_ids: Sequence[int]
) -> frozenset[int]:
    """Return those of the contacts that are in the campaign's newest run. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    run = await latest_run(session, campaign.id)
    found = await session.scalars(
        select(col(Recipient.contact_id)).where(
            col(Recipient.run_id) == run.id, col(Recipient.contact_id).in_(contact_ids)
        )
    )
    return frozenset(found)
