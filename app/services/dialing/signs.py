"""How many more attempts pilot, ramp and budget allow, and pausing on bad signs: asked under the campaign's lock."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.gate import Blocked
from app.services.dialing.gating import Held


@dataclass(frozen=True, slots=True)
class Room:
    """What the signs leave a campaign."""

    count: int | None = None
    """How many more attempts may be reserved now; None: the signs set no limit."""
    blocked: Blocked | None = None
    """What holds the campaign while `count` is 0, to be shown; it goes on by itself."""
    paused: bool = False
    """The campaign was paused in this transaction: nothing may be reserved, and the transaction must commit."""


async def room(session: AsyncSession, held: Held, *, now: datetime) -> Room:
    """Return how many more attempts of the campaign its pilot, ramp and budget allow.

    The caller holds the campaign's lock and has found it dialing.
    """
    return Room()
