"""Before a campaign is let go: what its carrier says of its numbers and, if it failed, of the account."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.models import Agent
from app.providers.base import AccountCheck, CarrierAccount, LookupFailed
from app.providers.registry import make_carrier
from app.runtime.database import Database
from app.services.access.principal import Principal, authorize
from app.services.campaigns.readiness import chosen_numbers
from app.services.campaigns.rows import CampaignRows, load_rows
from app.services.numbers.ownership import Known, known_numbers
from app.services.refs import Ref

_LET_GO_FROM: Final = frozenset(
    {CampaignStatus.DRAFT, CampaignStatus.PAUSED, CampaignStatus.FAILED, CampaignStatus.COMPLETED}
)
"""Where a person may start, resume or retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCheck:
    """What the carrier said just now; nothing if it was not asked."""

    refuses: str | None = None
    """Why the account may place nothing, and what to mend."""
    numbers: Known = field(default_factory=dict)


UNASKED: Final = CarrierCheck()


async def ask_carrier(
    database: Database, *, principal: Principal, campaign_ref: Ref, account: CarrierAccount
) -> CarrierCheck:
    """Ask the carrier what a start, a resume or a retry of this campaign has to heed.

    It asks outside any transaction, so call it before the one that lets the campaign go. Whether the account works is
    asked only of a campaign that failed: of any other the carrier has not refused anything. Raises `NotFound`.
    """
    authorize(principal, Right.RUN_CAMPAIGNS)
    async with database.session() as session:
        rows = await load_rows(session, principal, campaign_ref)
        numbers = await numbers_of(session, rows) if rows.campaign.status in _LET_GO_FROM else []
    if not numbers and rows.campaign.status is not CampaignStatus.FAILED:
        return UNASKED
    carrier = make_carrier(account)
    try:
        refuses = await _refusal(carrier) if rows.campaign.status is CampaignStatus.FAILED else None
        return CarrierCheck(refuses=refuses, numbers=await said_of(carrier, numbers))
    finally:
        await carrier.aclose()


async def numbers_of(session: AsyncSession, rows: CampaignRows) -> list[str]:
    """Return the numbers (E.164) the campaign would contact people from, those that are off left out."""
    campaign = rows.campaign
    agent = await session.get(Agent, campaign.agent_id) if campaign.agent_id is not None else None
    return [each.number for each in await chosen_numbers(session, campaign, rows.pool, agent) if each.active]


async def said_of(carrier: object, numbers: Sequence[str]) -> Known:
    """Return what the carrier says of these numbers; nothing if it cannot be asked.

    That must not keep a campaign from its start: a number that the account lost calls nobody. The carrier refuses it
    (21210, 21606), and the campaign fails with what to mend, nobody's attempt spent.
    """
    try:
        return await known_numbers(carrier, numbers)
    except LookupFailed:
        return {}


async def _refusal(carrier: object) -> str | None:
    try:
        return await carrier.refuses() if isinstance(carrier, AccountCheck) else None
    except LookupFailed as error:
        return f"The carrier cannot be reached: {error}. Try again in a moment."
