"""Before a campaign that failed is resumed: does the carrier take our requests again?"""

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database
from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.providers.base import AccountCheck, CarrierAccount, LookupFailed
from app.providers.registry import make_carrier
from app.services.access.principal import Principal, authorize
from app.services.campaigns.rows import load_campaign
from app.services.refs import Ref


async def why_carrier_refuses(
    database: Database, *, principal: Principal, campaign_ref: Ref, kind: str, account: CarrierAccount
) -> str | None:
    """Return why the carrier would place nothing for this campaign, and what to mend; None if it would.

    Only a campaign that failed makes it ask: of any other the carrier has not refused anything. It asks outside any
    transaction, so call it before the one that resumes. Raises `NotFound`.
    """
    authorize(principal, Right.RUN_CAMPAIGNS)
    async with database.session() as session:
        if not await _has_failed(session, principal, campaign_ref):
            return None
    carrier = make_carrier(kind, account)
    try:
        return await carrier.refuses() if isinstance(carrier, AccountCheck) else None
    except LookupFailed as error:
        return f"The carrier cannot be reached: {error}. Try again in a moment."
    finally:
        await carrier.aclose()


async def _has_failed(session: AsyncSession, principal: Principal, campaign_ref: Ref) -> bool:
    campaign = await load_campaign(session, principal, campaign_ref)
    return campaign.status is CampaignStatus.FAILED
