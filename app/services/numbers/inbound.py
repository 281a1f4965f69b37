"""Tells the carrier to send us the texts to our numbers, and stores at each number whether it does."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import PhoneNumber
from app.providers.base import InboundTexts, LookupFailed
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.live_feed import announce

log = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(minutes=10)
"""How often we check again: a person may have changed it at the carrier, or our address may have changed."""

LOOK_AGAIN: Final = timedelta(minutes=1)
"""How often we check again while there is a problem."""

NOT_OWNED: Final = "The carrier account does not own this number, so a STOP texted to it is not heard."
_LONGEST_PROBLEM: Final = 500


@dataclass(frozen=True, slots=True)
class _DueNumber:
    """A number to check."""

    id: int
    number: str
    organization_id: int
    problem: str


async def hear_texts(database: Database, carrier: object, *, carrier_account_id: int, clock: Clock) -> None:
    """Tell the carrier to send us texts for every number that is due for a check; store the result at each.

    The carrier is asked once for all numbers, and only if one is due. A failure is logged, shown at the number, and
    tried again.
    """
    if not isinstance(carrier, InboundTexts):
        return
    async with database.session() as session:
        due = await _due(session, carrier_account_id=carrier_account_id, now=clock.now())
    if not due:
        return
    problems = await _ask(carrier, due)
    await database.write(lambda session: _note(session, due, problems, now=clock.now()))


async def _due(session: AsyncSession, *, carrier_account_id: int, now: datetime) -> list[_DueNumber]:
    """Return the numbers to check, also those that only call: people text back to them.

    A number that was added by hand may belong to any account.
    """
    looked = col(PhoneNumber.inbound_checked_at)
    statement = (
        select(
            col(PhoneNumber.id),
            col(PhoneNumber.number),
            col(PhoneNumber.organization_id),
            col(PhoneNumber.inbound_problem),
        )
        .where(
            or_(
                col(PhoneNumber.carrier_account_id) == carrier_account_id,
                col(PhoneNumber.carrier_account_id).is_(None),
            ),
            or_(
                looked.is_(None),
                looked < now - LOOK_EVERY,
                and_(col(PhoneNumber.inbound_problem) != "", looked < now - LOOK_AGAIN),
            ),
        )
        .order_by(col(PhoneNumber.id))
    )
    return [_DueNumber(*row) for row in await session.execute(statement)]


async def _ask(carrier: InboundTexts, due: Sequence[_DueNumber]) -> dict[str, str]:
    """Return for each number why its texts do not reach us; empty if they do."""
    numbers = {each.number for each in due}
    try:
        outcome = await carrier.announce_texts(numbers)
    except LookupFailed as error:
        return dict.fromkeys(numbers, f"The carrier could not be told where to announce its texts: {error}")
    return {number: outcome.get(number, NOT_OWNED) for number in numbers}


async def _note(
    session: AsyncSession, due: Sequence[_DueNumber], problems: Mapping[str, str], *, now: datetime
) -> None:
    for each in due:
        problem = problems[each.number][:_LONGEST_PROBLEM]
        await session.execute(
            update(PhoneNumber)
            .where(col(PhoneNumber.id) == each.id)
            .values(inbound_problem=problem, inbound_checked_at=now)
        )
        if problem != each.problem:
            log.warning("inbound.announced", extra={"phone_number_id": each.id, "problem": problem or "none"})
            announce(session, organization_id=each.organization_id)
