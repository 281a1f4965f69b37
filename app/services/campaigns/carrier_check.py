"""Asks the carrier about a campaign's numbers before it starts and, if it had failed, about the account."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.models import Agent
from app.providers.base import AccountCheck, ConfiguredAccount, LookupFailed
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
"""Statuses in which a person may start, resume or retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCheck:
    """The carrier's answers; empty if it was not asked."""

    refuses: str | None = None
    """Why the account cannot place calls, and what to correct."""
    numbers: Known = field(default_factory=dict)


UNASKED: Final = CarrierCheck()


async def ask_carrier(
    database: Database, *, principal: Principal, campaign_ref: Ref, account: ConfiguredAccount
) -> CarrierCheck:
    """Ask the carrier what matters for a start, a resume or a retry of this campaign.

    It asks outside any transaction: call it before the one that starts the campaign. The account itself is checked
    only if the campaign had failed: otherwise the carrier has not refused anything. Raises `NotFound`.
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
    """Return the numbers (E.164) that the campaign would use, without those that are off."""
    campaign = rows.campaign
    agent = await session.get(Agent, campaign.agent_id) if campaign.agent_id is not None else None
    return [each.number for each in await chosen_numbers(session, campaign, rows.pool, agent) if each.active]


async def said_of(carrier: object, numbers: Sequence[str]) -> Known:
    """Return the carrier's answer about these numbers; empty if it cannot be asked.

    Without an answer the campaign may start all the same. If the account has lost a number, the carrier refuses it
    (21210, 21606). Then the campaign fails with what to correct, and no attempt is spent.
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
