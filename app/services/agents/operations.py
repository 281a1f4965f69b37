"""Creating, changing and switching off agents."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import DIALING, CampaignStatus
from app.domain.rights import Right
from app.domain.templates import TemplateInvalid, check
from app.models import Agent, Campaign
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.campaigns.agent_requirements import NEEDED_OF_AGENT, Wants, wants_of_begun
from app.services.errors import Conflict, FieldErrors
from app.services.field_readers import ChangeReader
from app.services.number_field import read_active_number
from app.services.refs import Ref, load

_IN_USE: Final = DIALING | {CampaignStatus.SCHEDULED}
_LANGUAGE: Final = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*")
_MOST_CALLS: Final = 1000


async def create_agent(
    session: AsyncSession, *, principal: Principal, changes: Mapping[str, Any], now: datetime
) -> int:
    """Create an active agent and return its id. Only `name` is needed. Raises `FieldErrors`."""
    authorize(principal, Right.EDIT_AGENTS)
    values = await _read(session, principal, {"name": "", **changes})
    agent = Agent(organization_id=principal.organization_id, created_at=now, updated_at=now, **values)
    session.add(agent)
    await session.flush()
    return agent.id


async def update_agent(
    session: AsyncSession, *, principal: Principal, agent_ref: Ref, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change an agent, also while it calls: texts that are not rendered yet use the new words.

    Raises `NotFound` and `FieldErrors`, also if a campaign that has begun could not go on. The dialer is woken, because
    a higher limit frees slots.
    """
    authorize(principal, Right.EDIT_AGENTS)
    organization_id = principal.organization_id
    agent = await load(session, Agent, agent_ref, organization_id=organization_id, lock=True)
    values = await _read(session, principal, changes)
    needed = [
        field for field in NEEDED_OF_AGENT if field in values and values[field] != getattr(agent, field)
    ]
    before = await wants_of_begun(session, agent, now=now) if needed else {}
    for field, value in values.items():
        setattr(agent, field, value)
    agent.updated_at = now
    await session.flush()
    if needed:
        _refuse_new_wants(before, await wants_of_begun(session, agent, now=now))
    announce(session, organization_id=organization_id, work=True)


async def set_agent_active(
    session: AsyncSession, *, principal: Principal, agent_ref: Ref, active: bool, now: datetime
) -> None:
    """Switch an agent on or off. An agent that is off cannot be chosen for a campaign.

    Raises `NotFound`, and `Conflict` when a campaign that runs, is queued or scheduled would lose its agent.
    """
    authorize(principal, Right.EDIT_AGENTS)
    organization_id = principal.organization_id
    agent = await load(session, Agent, agent_ref, organization_id=organization_id, lock=True)
    if not active:
        await _refuse_if_in_use(session, agent)
    agent.active = active
    agent.updated_at = now
    await session.flush()
    announce(session, organization_id=organization_id)


def _refuse_new_wants(before: Wants, after: Wants) -> None:
    """Raise `FieldErrors` if campaigns that have begun would now lack something that they had before."""
    errors: dict[str, str] = {}
    for (campaign, field), why in after.items():
        if (campaign, field) not in before:
            errors.setdefault(field, f"“{campaign.name}” has begun and could not go on with this. {why}")
    if errors:
        raise FieldErrors(errors)


async def _refuse_if_in_use(session: AsyncSession, agent: Agent) -> None:
    statement = (
        select(col(Campaign.name))
        .where(col(Campaign.agent_id) == agent.id, col(Campaign.status).in_(sorted(_IN_USE)))
        .order_by(col(Campaign.id))
        .limit(1)
    )
    campaign = await session.scalar(statement)
    if campaign is not None:
        raise Conflict(
            f"{agent.name} speaks in “{campaign}”, which is under way. Pause or cancel that campaign first."
        )


async def _read(session: AsyncSession, principal: Principal, changes: Mapping[str, Any]) -> dict[str, Any]:
    reader = ChangeReader(changes)
    reader.text("name", label="The agent's name", most=200, required=True)
    reader.text("description", label="The description", most=2000)
    reader.text("voice", label="The voice", most=100, required=True)
    language = reader.text("language", label="The language", most=20, required=True)
    if language and not _LANGUAGE.fullmatch(language):
        reader.refuse("language", f"“{language}” is no language's code. Use one such as en-US.")
    _read_template(reader, "greeting", label="The greeting", most=4000)
    _read_template(reader, "prompt", label="The prompt", most=10000)
    reader.whole("max_concurrent_calls", label="The limit of live calls", least=0, most=_MOST_CALLS)
    await read_active_number(
        session, reader, "default_phone_number_id", organization_id=principal.organization_id
    )
    return reader.finish()


def _read_template(reader: ChangeReader, field: str, *, label: str, most: int) -> None:
    source = reader.text(field, label=label, most=most)
    try:
        check(source or "")
    except TemplateInvalid as problem:
        reader.refuse(field, str(problem))
