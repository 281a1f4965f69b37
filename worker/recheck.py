"""Asking again whether reservations are still wanted: those who ask at the same moment share one look."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from app.services.dialing.reserve.reservation import Reservation

Wanted = dict[UUID, datetime | None]
Look = Callable[[tuple[Reservation, ...]], Awaitable[Wanted]]


class Looking:
    """Gathers questions for one turn of the event loop: a slow carrier makes hundreds ask at once."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._unsure: list[Reservation] = []
        self._next: asyncio.Task[Wanted] | None = None

    async def still(self, reservation: Reservation) -> bool:
        """Return whether it may still be placed. Raises what the look raises."""
        self._unsure.append(reservation)
        if self._next is None:
            self._next = asyncio.create_task(self._look_once())
        return reservation.attempt_id in await asyncio.shield(self._next)

    async def _look_once(self) -> Wanted:
        unsure, self._unsure, self._next = tuple(self._unsure), [], None
        return await self._look(unsure)
