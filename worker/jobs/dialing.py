"""Cron work around the dialer: each asks the rows what is to be done, so a missed tick costs nothing but time."""

from typing import Any

from app.services.campaigns.operations import launch_due
from app.services.dialing.reconciling import reconcile_overdue
from worker.state import WorkerState


async def reconcile_attempts(ctx: dict[Any, Any]) -> int:
    """Ask the carrier about attempts that are unproven or have gone quiet."""
    state: WorkerState = ctx["state"]
    context = state.context
    return await reconcile_overdue(
        context.database,
        state.carrier,
        carrier_account_id=state.carrier_account_id,
        clock=context.clock,
        speed=context.settings.carrier_speed,
    )


async def launch_scheduled_campaigns(ctx: dict[Any, Any]) -> int:
    """Start the scheduled campaigns whose time has come."""
    state: WorkerState = ctx["state"]
    async with state.context.database.transaction() as session:
        return len(await launch_due(session, now=state.context.clock.now()))
