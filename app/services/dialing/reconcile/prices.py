"""The prices of attempts. A carrier has them minutes after the end and sends no webhook, so we ask."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.models import sql
from app.providers.base import Lookup, LookupFailed, RemoteAttempt
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.live_feed import announce

log = logging.getLogger(__name__)

FIRST_LOOK: Final = timedelta(seconds=60)
"""How long after the end we first ask for the price. If there is none, we ask again at four times that age."""

PRICED_WITHIN: Final = timedelta(hours=24)
"""Without a price by then, our estimate stays."""

_MOST: Final = 40
_AT_ONCE: Final = 5
"""Questions at the same time. Few, so that the carrier's rate limit is left for dialing."""

# Only attempts that are charged: calls without an answer are free. The index `ix_attempt_unpriced` serves it.
_UNPRICED: Final = text(
    f"""
    SELECT id, channel, provider_id FROM attempt
    WHERE carrier_account_id = :carrier_account_id AND price IS NULL AND provider_id IS NOT NULL
      AND status IN {sql.CHARGED}
      AND coalesce(ended_at, placed_at) BETWEEN :since AND :until
      AND (price_asked_at IS NULL
           OR :now - coalesce(ended_at, placed_at) >= 4 * (price_asked_at - coalesce(ended_at, placed_at)))
    ORDER BY coalesce(ended_at, placed_at) DESC LIMIT :most
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_ASKED: Final = text(
    """
    UPDATE attempt SET price = coalesce(price, CAST(:price AS numeric)),
                       price_unit = coalesce(price_unit, CAST(:unit AS varchar)), price_asked_at = :now
    WHERE id = :id
    RETURNING organization_id, campaign_id
    """
)


@dataclass(frozen=True, slots=True)
class _Unpriced:
    """An attempt whose price we do not know."""

    id: UUID
    channel: Channel
    provider_id: str


@dataclass(frozen=True, slots=True)
class _Told:
    """The carrier's answer about one of them. Without a price: there is none yet, or the carrier could not be asked."""

    id: UUID
    price: Decimal | None = None
    unit: str | None = None
    silent: bool = False


async def collect_prices(
    database: Database, lookup: Lookup, *, carrier_account_id: int, clock: Clock, speed: float = 1.0
) -> int:
    """Ask the carrier for the prices of a batch of ended attempts; return how many prices it gave.

    It is asked about each a minute after its end, then less and less often for a day. `speed`: carrier seconds in a
    real second. If the carrier cannot be asked, the batch ends.
    """
    async with database.session() as session:
        unpriced = await _unpriced(
            session, carrier_account_id=carrier_account_id, wait=FIRST_LOOK / speed, now=clock.now()
        )
    priced = 0
    for start in range(0, len(unpriced), _AT_ONCE):
        told = await asyncio.gather(*(_ask(lookup, each) for each in unpriced[start : start + _AT_ONCE]))
        await database.write(partial(_note, told=told, now=clock.now()))
        priced += sum(each.price is not None for each in told)
        if any(each.silent for each in told):
            break
    return priced


async def _unpriced(
    session: AsyncSession, *, carrier_account_id: int, wait: timedelta, now: datetime
) -> list[_Unpriced]:
    given = {
        "carrier_account_id": carrier_account_id,
        "since": now - PRICED_WITHIN,
        "until": now - wait,
        "now": now,
        "wait": wait,
        "most": _MOST,
    }
    rows = await session.execute(_UNPRICED, given)
    return [_Unpriced(row.id, Channel(row.channel), row.provider_id) for row in rows]


async def _ask(lookup: Lookup, unpriced: _Unpriced) -> _Told:
    try:
        remote = await lookup.fetch(unpriced.channel, unpriced.provider_id)
    except LookupFailed as error:
        log.warning("prices.carrier_away", extra={"attempt_id": str(unpriced.id), "error": str(error)})
        return _Told(unpriced.id, silent=True)
    price, unit = _price_of(remote) if remote is not None else (None, None)
    return _Told(unpriced.id, price, unit)


def _price_of(remote: RemoteAttempt) -> tuple[Decimal | None, str | None]:
    priced = [event for event in remote.events if event.price is not None]
    if not priced:
        return None, None
    return Decimal(priced[-1].price or 0), priced[-1].price_unit


async def _note(session: AsyncSession, told: Sequence[_Told], *, now: datetime) -> None:
    for each in sorted(told, key=lambda one: one.id):
        values = {"id": each.id, "price": each.price, "unit": each.unit, "now": now}
        row = (await session.execute(_ASKED, values)).one()
        if each.price is not None:
            announce(session, organization_id=row.organization_id, campaign_id=row.campaign_id)
