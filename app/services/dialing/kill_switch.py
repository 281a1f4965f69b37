"""The switch that stops all dialing of an organization at once."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import Organization
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize


async def stop_all_dialing(session: AsyncSession, *, principal: Principal, now: datetime) -> None:
    """Stop all dialing of the organization: nothing is placed after the commit. Calls under way go on."""
    authorize(principal, Right.STOP_DIALING)
    await _switch(session, principal, stopped_at=now, stopped_by=principal.actor)


async def resume_all_dialing(
    session: AsyncSession,
    *,
    principal: Principal,
    now: datetime,  # noqa: ARG001 - every write is told the time
) -> None:
    """Allow dialing again; campaigns go on where they were."""
    authorize(principal, Right.RESUME_DIALING)
    await _switch(session, principal, stopped_at=None, stopped_by=None)


async def _switch(
    session: AsyncSession, principal: Principal, *, stopped_at: datetime | None, stopped_by: str | None
) -> None:
    await session.execute(
        update(Organization)
        .where(col(Organization.id) == principal.organization_id)
        .values(dialing_stopped_at=stopped_at, dialing_stopped_by=stopped_by)
    )
    announce(session, organization_id=principal.organization_id, work=True)
