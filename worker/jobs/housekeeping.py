"""Deleting expired rows."""

from typing import Any

from app.runtime.context import AppContext
from app.services.housekeeping import forget_what_is_over as forget


async def forget_what_is_over(ctx: dict[Any, Any]) -> None:
    """Delete expired sessions, tickets, failed sign-ins and remembered answers."""
    context: AppContext = ctx["context"]
    await context.database.write(lambda session: forget(session, now=context.clock.now()))
