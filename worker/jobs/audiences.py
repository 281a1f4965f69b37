"""Audience jobs: add contacts to a campaign by a rule, once or repeatedly."""

from typing import Any

from app.runtime.context import AppContext
from app.runtime.jobs import ADVANCE_AUDIENCE
from app.services.campaigns import audiences


async def advance_audience(ctx: dict[str, Any], audience_id: int) -> None:
    """Add the contacts that match a rule, or resume after a crash."""
    context: AppContext = ctx["context"]
    await audiences.advance(context.database, audience_id=int(audience_id), clock=context.clock)


async def enqueue_due_audiences(ctx: dict[str, Any]) -> None:
    """Enqueue a job for each audience that is due: standing ones, and those whose job was lost."""
    context: AppContext = ctx["context"]
    async with context.database.session() as session:
        due = await audiences.due_audiences(session, now=context.clock.now())
    for audience_id in due:
        await context.queue.enqueue_again(ADVANCE_AUDIENCE, audience_id)
