"""Ends calls at the carrier: the wish is stored first, then the carrier is asked, then the wish is cleared.

If the process is killed, the carrier is asked again; ending a call twice does no harm. What the end means for the
recipient comes with the carrier's own events.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.models import sql
from app.providers.base import Hangup, LookupFailed
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce

log = logging.getLogger(__name__)

ASK_AGAIN: Final = timedelta(seconds=5)
"""How soon we ask again if the carrier could not be asked."""

LOOK_AFTER: Final = timedelta(seconds=10)
"""How soon an ended call is looked up, in case the carrier's event of its end is lost."""

_MOST: Final = 100
_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True)
class _Ending:
    """A call or message to end."""

    id: UUID | int
    """Id of the attempt, or of the second call's row."""
    channel: Channel
    provider_id: str
    only_unanswered: bool
    """End it only while it is queued or rings; a conversation goes on."""


async def end_calls(database: Database, carrier: Hangup, *, carrier_account_id: int, clock: Clock) -> int:
    """Ask the carrier to end the calls that should end by now; return how many.

    These are calls in the carrier's queue when their hours end or the person says stop, calls of campaigns that were
    cancelled with a hang-up, and second calls of an attempt.
    """
    given = {"carrier_account_id": carrier_account_id, "now": clock.now(), "most": _MOST}

    async def look(session: AsyncSession) -> list[_Ending]:
        for statement in (_CLOSE, _STOP, _OVER):
            await session.execute(statement, given)
        return [*await _due(session, _DUE_SECONDS, given), *await _due(session, _DUE, given)]

    due = await database.write(look)
    for start in range(0, len(due), _AT_ONCE):
        await asyncio.gather(
            *(_end(database, carrier, ending, clock) for ending in due[start : start + _AT_ONCE])
        )
    return len(due)


async def end_second_call(database: Database, carrier: Hangup, *, provider_id: str, clock: Clock) -> None:
    """End a second call at once, when it has just been noted."""
    async with database.session() as session:
        seconds = await _due(session, _DUE_SECOND, {"provider_id": provider_id})
    for second in seconds:
        await _end(database, carrier, second, clock)


_NOTE_SECONDS: Final = text(
    """
    WITH seconds AS (
        SELECT * FROM unnest(CAST(:attempt_ids AS uuid[]), CAST(:provider_ids AS varchar[])) AS u (id, provider_id)
    ), strange AS (
        UPDATE attempt SET conflict = true WHERE id IN (SELECT id FROM seconds)
    )
    INSERT INTO second_call (organization_id, campaign_id, attempt_id, carrier_account_id, provider_id, found_at,
                             hang_up_at)
    SELECT a.organization_id, a.campaign_id, a.id, a.carrier_account_id, seconds.provider_id, :now, :now
    FROM seconds JOIN attempt a ON a.id = seconds.id
    ON CONFLICT DO NOTHING
    RETURNING organization_id, campaign_id
    """
)


async def note_second_calls(
    session: AsyncSession, calls: Collection[tuple[UUID, str]], *, now: datetime
) -> None:
    """Store the calls (attempt, carrier's id) that must be ended because their attempt has another call.

    The caller holds the attempts' rows.
    """
    if not calls:
        return
    given = {
        "attempt_ids": [attempt_id for attempt_id, _ in calls],
        "provider_ids": [provider_id for _, provider_id in calls],
        "now": now,
    }
    for row in await session.execute(_NOTE_SECONDS, given):
        log.error("attempt.second_call", extra={"campaign_id": row.campaign_id})
        announce(session, organization_id=row.organization_id, campaign_id=row.campaign_id)


# Asked once: if the carrier cannot take a call back, its events follow. Attempts that are locked now are skipped until
# the next look: waiting for one would block the transactions that write the others.
_CLOSE: Final = text(
    """
    UPDATE attempt SET hang_up_at = :now, hang_up_why = 'calling_hours'
    WHERE id IN (SELECT id FROM attempt
                 WHERE status = 'queued' AND closes_at <= :now AND channel = 'call' AND hang_up_why = ''
                   AND provider_id IS NOT NULL AND carrier_account_id = :carrier_account_id
                 FOR NO KEY UPDATE SKIP LOCKED)
    """
)

_STOP: Final = text(
    f"""
    UPDATE attempt SET hang_up_at = :now, hang_up_why = 'suppressed'
    WHERE id IN (SELECT id FROM attempt a
                 WHERE status = 'queued' AND channel = 'call' AND hang_up_why = ''
                   AND provider_id IS NOT NULL AND carrier_account_id = :carrier_account_id
                   AND EXISTS (SELECT 1 FROM suppression s
                               WHERE s.organization_id = a.organization_id AND s.number = a.number_to
                                 AND s.lifted_at IS NULL AND s.scope IN {sql.CALLS_CLOSED_BY})
                 FOR NO KEY UPDATE SKIP LOCKED)
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_OVER: Final = text(
    f"""
    UPDATE attempt SET hang_up_at = NULL
    WHERE id IN (SELECT id FROM attempt
                 WHERE hang_up_at <= :now
                   AND status IN {sql.ENDED_ATTEMPT}
                 FOR NO KEY UPDATE SKIP LOCKED)
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_DUE: Final = text(
    f"""
    SELECT id, channel, provider_id, hang_up_why IN {sql.BEFORE_THE_ANSWER} AS only_unanswered FROM attempt
    WHERE hang_up_at <= :now AND provider_id IS NOT NULL AND carrier_account_id = :carrier_account_id
    ORDER BY hang_up_at LIMIT :most
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_DUE_SECONDS: Final = text(
    """
    SELECT s.id, a.channel, s.provider_id, false AS only_unanswered
    FROM second_call s JOIN attempt a ON a.id = s.attempt_id
    WHERE s.hang_up_at <= :now AND s.carrier_account_id = :carrier_account_id
    ORDER BY s.hang_up_at LIMIT :most
    """
)

_DUE_SECOND: Final = text(
    """
    SELECT s.id, a.channel, s.provider_id, false AS only_unanswered
    FROM second_call s JOIN attempt a ON a.id = s.attempt_id
    WHERE s.provider_id = CAST(:provider_id AS varchar) AND s.hang_up_at IS NOT NULL
    """
)


async def _due(session: AsyncSession, query: TextClause, given: Mapping[str, object]) -> list[_Ending]:
    rows = await session.execute(query, given)
    return [_Ending(row.id, Channel(row.channel), row.provider_id, row.only_unanswered) for row in rows]


async def _end(database: Database, carrier: Hangup, ending: _Ending, clock: Clock) -> None:
    """Ask the carrier to end one, and note that we asked. If it cannot be asked, ask again later."""
    fault("before_hang_up")
    again_at = None
    try:
        await _ask(carrier, ending)
    except LookupFailed as error:
        log.warning("hang_up.carrier_away", extra={"id": str(ending.id), "error": str(error)})
        again_at = clock.now() + ASK_AGAIN
    fault("after_hang_up")
    note = _ASKED if isinstance(ending.id, UUID) else _SECOND_ASKED
    now = clock.now()
    given = {"id": ending.id, "again_at": again_at, "ended_at": None if again_at else now}

    async def work(session: AsyncSession) -> None:
        await session.execute(note, given | ({"look_at": now + LOOK_AFTER} if note is _ASKED else {}))

    await database.write(work)


async def _ask(carrier: Hangup, ending: _Ending) -> None:
    """Cancel it before the answer; if it is too late for that, hang up, unless a conversation may go on."""
    taken_back = await carrier.cancel(ending.channel, ending.provider_id)
    if not taken_back and not ending.only_unanswered and ending.channel is not Channel.SMS:
        await carrier.hang_up(ending.provider_id)


_ASKED: Final = text(
    """
    UPDATE attempt
    SET hang_up_at = CAST(:again_at AS timestamptz),
        deadline_at = CASE WHEN CAST(:ended_at AS timestamptz) IS NULL OR deadline_at IS NULL THEN deadline_at
                           ELSE least(deadline_at, CAST(:look_at AS timestamptz)) END
    WHERE id = :id AND hang_up_at IS NOT NULL
    """
)

_SECOND_ASKED: Final = text(
    """
    UPDATE second_call
    SET hang_up_at = CAST(:again_at AS timestamptz), ended_at = CAST(:ended_at AS timestamptz)
    WHERE id = :id
    """
)
