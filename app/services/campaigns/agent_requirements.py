"""What campaigns that have begun need from their agent. It is compared before and after a change of the agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import DIALING, CampaignStatus
from app.domain.templates import says_nothing
from app.models import Agent, Campaign
from app.services.campaigns.readiness import what_to_mend
from app.services.campaigns.rendering import CALL_PARTS, part_sources
from app.services.campaigns.rows import CampaignRows, first_step, pool_of

NEEDED_OF_AGENT: Final[Mapping[str, str]] = {
    "greeting": CALL_PARTS["welcome"],
    "default_phone_number_id": "phone_number_id",
}
"""Field of an agent -> the campaign's own, which it stands in for. Voice and language are never empty."""

_AGENTS: Final = {theirs: ours for ours, theirs in NEEDED_OF_AGENT.items()}

_BEGUN: Final = DIALING | {CampaignStatus.SCHEDULED, CampaignStatus.PAUSED, CampaignStatus.FAILED}
"""Started by a person and not over, even if no person has been contacted yet."""


_NO_GREETING: Final = {CALL_PARTS["welcome"]: "Write what the agent says when the call is answered."}


@dataclass(frozen=True, slots=True)
class BegunCampaign:
    """A campaign that has begun."""

    id: int
    name: str


Wants = Mapping[tuple[BegunCampaign, str], str]
"""Campaign and the agent's field -> what must be corrected so that it can go on, as the check of a start says."""


async def wants_of_begun(session: AsyncSession, agent: Agent, *, now: datetime) -> Wants:
    """Return what the agent's begun campaigns lack and the agent could provide, the oldest campaign first."""
    statement = (
        select(Campaign)
        .where(col(Campaign.agent_id) == agent.id, col(Campaign.status).in_(sorted(_BEGUN)))
        .order_by(col(Campaign.id))
    )
    wants: dict[tuple[BegunCampaign, str], str] = {}
    for campaign in (await session.execute(statement)).scalars().all():
        rows = CampaignRows(
            campaign, await first_step(session, campaign.id), await pool_of(session, campaign.id)
        )
        problems = await what_to_mend(session, rows, now=now, carrier_account_id=campaign.carrier_account_id)
        # A start accepts a call without a greeting that has other texts. Removing the greeting later is a mistake.
        if says_nothing(part_sources(rows.step, agent).get("welcome", "hello")):
            problems = _NO_GREETING | problems
        for field, why in problems.items():
            if field in _AGENTS:
                wants[BegunCampaign(campaign.id, campaign.name), _AGENTS[field]] = why
    return wants
