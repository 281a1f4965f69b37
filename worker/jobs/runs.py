"""Jobs of recurring campaigns: add the people of a run."""

from typing import Any

from app.runtime.context import AppContext
from app.runtime.jobs import FILL_RUN
from app.services.campaigns import run_filling


async def fill_run(ctx: dict[str, Any], run_id: int) -> None:
    """Add the people of a run, or resume after a crash."""
    context: AppContext = ctx["context"]
    await run_filling.fill_run(context.database, run_id=int(run_id), clock=context.clock)


async def enqueue_due_runs(ctx: dict[str, Any]) -> None:
    """Enqueue a job for each run whose people are to be added, also if its job was lost."""
    context: AppContext = ctx["context"]
    async with context.database.session() as session:
        due = await run_filling.due_runs(session, now=context.clock.now())
    for run_id in due:
        await context.queue.enqueue_again(FILL_RUN, run_id)
