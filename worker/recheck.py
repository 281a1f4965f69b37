"""Check again whether reservations are still wanted. Checks at the same moment share one query."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from app.services.dialing.reserve.reservation import Reservation

Wanted = dict[UUID, datetime | None]
Query = Callable[[tuple[Reservation, ...]], Awaitable[Wanted]]


class RecheckBatcher:
    """Collects the checks of one turn of the event loop: with a slow carrier, hundreds come at once."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._unsure: list[Reservation] = []
        self._next: asyncio.Task[Wanted] | None = None

    async def is_wanted(self, reservation: Reservation) -> bool:
        """Return whether it may still be placed. Raises the errors of the query."""
        self._unsure.append(reservation)
        if self._next is None:
            self._next = asyncio.create_task(self._query_once())
        return reservation.attempt_id in await asyncio.shield(self._next)

    async def _query_once(self) -> Wanted:
        unsure, self._unsure, self._next = tuple(self._unsure), [], None
        return await self._query(unsure)
