"""Voice agents, which the seeds call assistants."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Moment, Ref, RefField, at_most
from app.services.agents.operations import create_agent, set_agent_active, update_agent
from app.services.agents.queries import AgentView, get_agent, list_agents

router = APIRouter(route_class=KeyedRoute)


class AgentBody(Body):
    """The fields of an agent."""

    name: Annotated[str, at_most(200)] | None = None
    description: Annotated[str, at_most(2000)] | None = None
    voice: Annotated[str, at_most(100)] | None = Field(None, examples=["Polly.Joanna-Neural"])
    language: Annotated[str, at_most(20)] | None = Field(None, examples=["en-US"])
    greeting: Annotated[str, at_most(4000)] | None = Field(
        None, description="A template, for campaigns without a greeting."
    )
    prompt: Annotated[str, at_most(10000)] | None = None
    max_concurrent_calls: int | None = Field(None, description="0 is no limit.")
    default_phone_number_id: RefField | None = None
    active: bool | None = None


class AgentAnswer(BaseModel):
    """An agent."""

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
    created_at: Moment


class Agents(BaseModel):
    """All agents."""

    items: list[AgentAnswer]
    total: int


@router.get("")
async def index(caller: Keyed, *, active_only: bool = False) -> Agents:
    """List the organization's agents."""
    async with caller.reading() as session:
        found = await list_agents(session, principal=caller.principal, active_only=active_only)
    return Agents(items=[agent_answer(view) for view in found], total=len(found))


@router.post("", status_code=HTTPStatus.CREATED, response_model=AgentAnswer)
async def create(body: AgentBody, caller: Repeatable) -> Response:
    """Create an agent. Only `name` is required."""
    changes, active = _split(body)

    async def work(session: AsyncSession) -> AgentAnswer:
        agent_id = await create_agent(session, principal=caller.principal, changes=changes, now=caller.now)
        return await _switched(session, caller, agent_id, active)

    return await caller.once(work)


@router.get("/{agent_id}")
async def show(agent_id: Ref, caller: Keyed) -> AgentAnswer:
    """Return one agent."""
    async with caller.reading() as session:
        return agent_answer(await get_agent(session, principal=caller.principal, agent_ref=agent_id))


@router.patch("/{agent_id}", response_model=AgentAnswer)
@router.put("/{agent_id}", response_model=AgentAnswer)
async def change(agent_id: Ref, body: AgentBody, caller: Repeatable) -> Response:
    """Change an agent. Fields that are not sent stay as they are."""
    changes, active = _split(body)

    async def work(session: AsyncSession) -> AgentAnswer:
        await update_agent(
            session, principal=caller.principal, agent_ref=agent_id, changes=changes, now=caller.now
        )
        return await _switched(session, caller, agent_id, active)

    return await caller.once(work, status=HTTPStatus.OK)


@router.delete("/{agent_id}", status_code=HTTPStatus.NO_CONTENT)
async def deactivate(agent_id: Ref, caller: Repeatable) -> Response:
    """Deactivate an agent: campaigns cannot choose it. Its history is kept. 409 while it is in use."""
    return await caller.gone_once(lambda session: _switched(session, caller, agent_id, active=False))


def agent_answer(view: AgentView) -> AgentAnswer:
    """Return the API's answer for an agent."""
    return AgentAnswer(**{name: getattr(view, name) for name in AgentAnswer.model_fields})


def _split(body: AgentBody) -> tuple[dict[str, Any], bool | None]:
    changes = body.sent()
    return changes, changes.pop("active", None)


async def _switched(
    session: AsyncSession,
    caller: Caller,
    agent_ref: int | str,
    active: bool | None,  # noqa: FBT001  # private
) -> AgentAnswer:
    if active is not None:
        await set_agent_active(
            session, principal=caller.principal, agent_ref=agent_ref, active=active, now=caller.now
        )
    return agent_answer(await get_agent(session, principal=caller.principal, agent_ref=agent_ref))
