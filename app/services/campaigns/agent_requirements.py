"""What campaigns that have begun would want of their agent: asked before and after the agent is changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import DIALING, CampaignStatus
from app.domain.templates import says_nothing
from app.models import Agent, Campaign, Step
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
"""Started by a person and not over, also where nobody has been contacted yet."""


@dataclass(frozen=True, slots=True)
class BegunCampaign:
    """A campaign that has begun."""

    id: int
    name: str


Wants = Mapping[tuple[BegunCampaign, str], str]
"""Campaign and the agent's field -> what has to be mended for it to go on, as the check of a start says."""


async def wants_of_begun(session: AsyncSession, agent: Agent, *, now: datetime) -> Wants:
    """Return what the begun campaigns of the agent lack that an agent can give, the oldest campaign first."""
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
        for field, why in (_greetingless(rows.step, agent) | problems).items():
            if field in _AGENTS:
                wants[BegunCampaign(campaign.id, campaign.name), _AGENTS[field]] = why
    return wants


def _greetingless(step: Step, agent: Agent) -> dict[str, str]:
    """A start takes a call that has no greeting but other words. Taking the greeting from one under way is a slip."""
    if not says_nothing(part_sources(step, agent).get("welcome", "hello")):
        return {}
    return {CALL_PARTS["welcome"]: "Write what the agent says when the call is answered."}
