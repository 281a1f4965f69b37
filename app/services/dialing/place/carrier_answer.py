"""Step three of placing: record the carrier's answers. Answers within a few milliseconds share one commit."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import UNPROVEN, AttemptStatus
from app.domain.events import AttemptEvent, EventKind
from app.models import Attempt, sql
from app.providers.base import NotPlaced, Placed, Refused, Unclear
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.dialing.place.carrier_request import OUR_OWN_REASONS, CarrierAnswer
from app.services.dialing.settle.hang_up import note_second_calls
from app.services.dialing.settle.locked_attempts import LockedAttempt, load_attempts
from app.services.dialing.settle.outcomes import NEWS_WITHIN, apply_events, give_back

log = logging.getLogger(__name__)

BACK_OFF: Final = timedelta(seconds=1)
"""How long we wait after the carrier turned us away and did not say for how long."""

ASK_AFTER: Final = timedelta(seconds=5)
"""How soon the reconciler first asks about an unclear answer."""


async def record(
    database: Database, answers: Sequence[CarrierAnswer], *, clock: Clock, back_off: timedelta = BACK_OFF
) -> None:
    """Record the answers in one transaction. `back_off`: how long we wait after it turned us away."""
    now = clock.now()

    async def work(session: AsyncSession) -> None:
        placed = {each.attempt_id: each.answer for each in answers if isinstance(each.answer, Placed)}
        times = [
            (each.left_at or now, each.came_at or now) for each in answers if isinstance(each.answer, Placed)
        ]
        others = {each.attempt_id: each for each in answers if not isinstance(each.answer, Placed)}
        # These lock recipients, so they come first: `load_attempts` has the order of locks.
        for attempt_id, attempt in (await load_attempts(session, others)).items():
            await _record_other(session, attempt, others[attempt_id], now=now, back_off=back_off)
        await _bind(session, placed, times, now=now)
        fault("before_record_commit")

    await database.write(work)
    fault("after_record_commit")


_BIND: Final = text(
    f"""
    WITH placed AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:provider_ids AS varchar[]), CAST(:queue_ms AS integer[]),
                             CAST(:left AS timestamptz[]), CAST(:came AS timestamptz[]))
                 AS u (id, provider_id, queue_ms, left_at, came_at)
    ), locked AS (
        SELECT a.id, a.status AS old, placed.provider_id, placed.queue_ms, placed.left_at, placed.came_at,
               -- It would leave the carrier's queue after the end of this person's hours.
               a.channel = 'call' AND a.hang_up_why = ''
               AND a.status IN {sql.NOT_RINGING}
               AND CAST(:now AS timestamptz) + placed.queue_ms * interval '1 millisecond' > a.closes_at AS too_late
        FROM attempt a JOIN placed ON placed.id = a.id
        ORDER BY a.recipient_id, a.id FOR NO KEY UPDATE OF a
    ), bound AS (
        UPDATE attempt a
        SET provider_id = locked.provider_id,
            placed_at = coalesce(a.placed_at, locked.left_at),
            responded_at = locked.came_at,
            queued_for_ms = locked.queue_ms,
            hang_up_at = CASE WHEN locked.too_late THEN :now ELSE a.hang_up_at END,
            hang_up_why = CASE WHEN locked.too_late THEN 'calling_hours' ELSE a.hang_up_why END,
            status = CASE WHEN a.status IN {sql.OURS} THEN 'queued'
                          ELSE a.status END,
            deadline_at = CASE WHEN a.ended_as IS NULL THEN coalesce(
                CASE WHEN a.status IN {sql.OURS} THEN NULL ELSE a.deadline_at END,
                CAST(:deadline_at AS timestamptz)) ELSE NULL END
        FROM locked
        WHERE a.id = locked.id AND (a.provider_id IS NULL OR a.provider_id = locked.provider_id)
        RETURNING a.id, a.organization_id, a.campaign_id, a.recipient_id, locked.old
    ), spent AS (
        -- It was taken as not placed, but it was placed: it counts.
        UPDATE recipient r SET attempts_made = r.attempts_made + 1
        FROM bound WHERE r.id = bound.recipient_id AND bound.old = 'not_placed'
    )
    SELECT id, organization_id, campaign_id FROM bound
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def _bind(
    session: AsyncSession,
    placed: Mapping[UUID, Placed],
    times: Sequence[tuple[datetime, datetime]],
    *,
    now: datetime,
) -> None:
    """Store the carrier's ids. The first id of an attempt is its own; any other is a second call, to be hung up.

    `times`: when each request left, and when its answer came.
    """
    if not placed:
        return
    rows = await session.execute(
        _BIND,
        {
            "ids": list(placed),
            "provider_ids": [each.provider_id for each in placed.values()],
            "queue_ms": [each.queue_ms for each in placed.values()],
            "left": [left_at for left_at, _ in times],
            "came": [came_at for _, came_at in times],
            "now": now,
            "deadline_at": now + NEWS_WITHIN,
        },
    )
    bound = rows.all()
    for organization_id, campaign_id in {(row.organization_id, row.campaign_id) for row in bound}:
        announce(session, organization_id=organization_id, campaign_id=campaign_id)
    others = placed.keys() - {row.id for row in bound}
    await note_second_calls(session, [(each, placed[each].provider_id) for each in others], now=now)


async def _record_other(
    session: AsyncSession,
    attempt: LockedAttempt,
    answered: CarrierAnswer,
    *,
    now: datetime,
    back_off: timedelta,
) -> None:
    """Record an answer other than placed. If a webhook came first, the webhook decides."""
    if attempt.progress.status not in UNPROVEN or attempt.provider_id is not None:
        return
    await session.execute(
        update(Attempt)
        .where(col(Attempt.id) == attempt.attempt_id)
        .values(responded_at=answered.came_at or now)
    )
    match answered.answer:
        case Refused() as refused:
            event = AttemptEvent(
                kind=EventKind.FAILED,
                occurred_at=now,
                failure=refused.failure,
                remedy=refused.remedy,
                error_code=refused.code,
            )
            await apply_events(session, attempt, [event], now=now, error=refused.message)
        case NotPlaced() as turned_away:
            await _turned_away(session, attempt, turned_away, now=now, back_off=back_off)
        case Unclear(reason=reason):
            await _mark_unknown(session, attempt, reason, now=now)
        case Placed():
            raise AssertionError("placed answers are bound, not recorded here")


_LEAVE_ALONE: Final = text(
    f"""
    UPDATE campaign SET gate_rule = 'pacing', gate_until = :until, gate_why = CAST(:why AS varchar)
    WHERE id IN (SELECT id FROM campaign
                 WHERE carrier_account_id = :carrier_account_id AND status IN {sql.DIALING}
                   AND (gate_until IS NULL OR gate_until < :until)
                 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def _turned_away(
    session: AsyncSession, attempt: LockedAttempt, answer: NotPlaced, *, now: datetime, back_off: timedelta
) -> None:
    """Put the recipient back in line, in its old place, and wait before the next request if the carrier says so.

    All campaigns of the account wait: the carrier would turn the next one away too. A campaign whose row is locked
    now is skipped; it is stopped by its own next answer.
    """
    await give_back(session, attempt, reason=answer.reason, now=now)
    if answer.retry_after_seconds is None and answer.reason in OUR_OWN_REASONS:
        return
    asked = timedelta(seconds=answer.retry_after_seconds or 0)
    why = f"The carrier takes no more just now ({answer.reason})."
    await session.execute(
        _LEAVE_ALONE,
        {
            "carrier_account_id": attempt.carrier_account_id,
            "until": now + max(asked, back_off),
            "why": why[:500],
        },
    )


async def _mark_unknown(session: AsyncSession, attempt: LockedAttempt, reason: str, *, now: datetime) -> None:
    log.warning("attempt.unknown", extra={"attempt_id": str(attempt.attempt_id), "reason": reason})
    await session.execute(
        update(Attempt)
        .where(col(Attempt.id) == attempt.attempt_id)
        .values(status=AttemptStatus.UNKNOWN, error_message=reason[:1000], deadline_at=now + ASK_AFTER)
    )
    announce(session, organization_id=attempt.organization_id, campaign_id=attempt.campaign_id)
