"""Address book jobs: bulk changes."""

from typing import Any

from app.runtime.context import AppContext
from app.runtime.jobs import ADVANCE_BULK_CHANGE
from app.services.contacts import bulk


async def advance_bulk_change(ctx: dict[str, Any], bulk_id: int) -> None:
    """Run a bulk change, or resume it after a crash."""
    context: AppContext = ctx["context"]
    await bulk.advance_bulk_change(context.database, bulk_id=int(bulk_id), clock=context.clock)


async def enqueue_due_bulk_changes(ctx: dict[str, Any]) -> None:
    """Enqueue a job for each unfinished bulk change whose job was lost."""
    context: AppContext = ctx["context"]
    async with context.database.session() as session:
        due = await bulk.due_bulk_changes(session, now=context.clock.now())
    for bulk_id in due:
        await context.queue.enqueue_again(ADVANCE_BULK_CHANGE, bulk_id)
