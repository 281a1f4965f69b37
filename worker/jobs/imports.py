"""Import jobs: run an import, and resume those whose process died."""

from typing import Any

from app.runtime.context import AppContext
from app.runtime.jobs import RUN_IMPORT
from app.services.imports import run


async def run_import(ctx: dict[str, Any], import_id: int) -> None:
    """Run a queued import, or resume an interrupted one."""
    context: AppContext = ctx["context"]
    await run.run_import(context.database, import_id=int(import_id), clock=context.clock)


async def requeue_stalled_imports(ctx: dict[str, Any]) -> None:
    """Enqueue a job for each unfinished import that no process runs."""
    context: AppContext = ctx["context"]
    async with context.database.session() as session:
        stalled = await run.requeue_stalled_imports(session)
    for import_id in stalled:
        await context.queue.enqueue_again(RUN_IMPORT, import_id)
