"""Reading agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import LIVE
from app.domain.rights import Right
from app.models import Agent, Attempt, Campaign, PhoneNumber
from app.services.access.principal import Principal, authorize
from app.services.refs import Ref, load


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent and its live calls. `max_concurrent_calls` 0 is no limit."""

    id: int
    public_id: UUID
    name: str
    description: str
    voice: str
    language: str
    greeting: str
    prompt: str
    max_concurrent_calls: int
    default_phone_number_id: int | None
    default_phone_number: str | None
    active: bool
    campaigns_count: int
    live_calls: int
    created_at: datetime


async def list_agents(
    session: AsyncSession, *, principal: Principal, active_only: bool = False
) -> list[AgentView]:
    """Return the organization's agents: active ones first, then by name."""
    authorize(principal, Right.VIEW)
    wanted = [col(Agent.organization_id) == principal.organization_id]
    if active_only:
        wanted.append(col(Agent.active).is_(True))
    order = (col(Agent.active).desc(), func.lower(col(Agent.name)), col(Agent.id))
    rows = (await session.execute(select(Agent).where(*wanted).order_by(*order))).scalars().all()
    return await _views(session, rows)


async def get_agent(session: AsyncSession, *, principal: Principal, agent_ref: Ref) -> AgentView:
    """Return an agent by its integer id or UUID. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    row = await load(session, Agent, agent_ref, organization_id=principal.organization_id)
    return (await _views(session, [row]))[0]


async def _views(session: AsyncSession, agents: Sequence[Agent]) -> list[AgentView]:
    ids = [agent.id for agent in agents]
    campaigns = await _count_campaigns(session, ids)
    calls = await _count_live_calls(session, ids)
    defaults = {
        agent.default_phone_number_id for agent in agents if agent.default_phone_number_id is not None
    }
    statement = select(col(PhoneNumber.id), col(PhoneNumber.number)).where(col(PhoneNumber.id).in_(defaults))
    numbers = {row.id: row.number for row in await session.execute(statement)}
    return [
        AgentView(
            id=agent.id,
            public_id=agent.public_id,
            name=agent.name,
            description=agent.description,
            voice=agent.voice,
            language=agent.language,
            greeting=agent.greeting,
            prompt=agent.prompt,
            max_concurrent_calls=agent.max_concurrent_calls,
            default_phone_number_id=agent.default_phone_number_id,
            default_phone_number=numbers.get(agent.default_phone_number_id or 0),
            active=agent.active,
            campaigns_count=campaigns.get(agent.id, 0),
            live_calls=calls.get(agent.id, 0),
            created_at=agent.created_at,
        )
        for agent in agents
    ]


async def _count_campaigns(session: AsyncSession, ids: Sequence[int]) -> dict[int, int]:
    statement = (
        select(col(Campaign.agent_id), func.count())
        .where(col(Campaign.agent_id).in_(ids))
        .group_by(col(Campaign.agent_id))
    )
    return {agent_id: number for agent_id, number in await session.execute(statement) if agent_id is not None}


async def _count_live_calls(session: AsyncSession, ids: Sequence[int]) -> dict[int, int]:
    statement = (
        select(col(Attempt.agent_id), func.count())
        .where(col(Attempt.agent_id).in_(ids), col(Attempt.status).in_(sorted(LIVE)))
        .group_by(col(Attempt.agent_id))
    )
    return {agent_id: number for agent_id, number in await session.execute(statement) if agent_id is not None}
