"""Place jobs: contacts from before places were kept."""

from typing import Any

from app.runtime.context import AppContext
from app.services.places.contacts import place_unplaced


async def place_unplaced_contacts(ctx: dict[Any, Any]) -> None:
    """Resolve where the contacts without a place may be. They are not contacted before."""
    context: AppContext = ctx["context"]
    await place_unplaced(context.database)
