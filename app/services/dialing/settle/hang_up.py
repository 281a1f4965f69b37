"""Ending calls at the carrier: the wish is a row first, then it is asked for, and cleared once the carrier has agreed.

A kill anywhere is harmless: what was asked and not cleared is asked again, and ending a call twice ends it once. What
the end means for the recipient is told by the carrier's own events.
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
"""How soon a carrier that could not be asked is asked again."""

LOOK_AFTER: Final = timedelta(seconds=10)
"""How soon an ended call is looked up, in case the carrier's word of its end is lost."""

_MOST: Final = 100
_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True)
class _Ending:
    """A call or message to end."""

    id: UUID | int
    """Of the attempt, or of the second call's row."""
    channel: Channel
    provider_id: str
    only_unanswered: bool
    """Take it back while it is queued or rings; a conversation goes on."""


async def end_calls(database: Database, carrier: Hangup, *, carrier_account_id: int, clock: Clock) -> int:
    """Ask the carrier to end what should be ended by now; return how many it was asked about.

    Calls that still wait in the carrier's queue when their hours end or the person says stop; calls of campaigns
    cancelled with a hang-up; second calls of one attempt.
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
    """End a second call that has just been noted, without waiting for its turn."""
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
    """Write down the calls (attempt, carrier's id) that must be ended because their attempt has another.

    For a caller that holds the attempts' rows.
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


# Asked for once: what the carrier would not take back then is on its way, and its events tell. An attempt of which
# there is news just now is passed by until the next look: whoever waits here for one holds up those who write them.
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
    """Ask for one end, and note that it was asked; one that could not be asked is asked again."""
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
    """Take it back; if it is too late for that, hang up, unless a conversation is to go on."""
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
