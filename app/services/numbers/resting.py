"""Resting numbers: flagged by a network, answered too seldom, or set aside by a person.

A number rests while `rest` is set and `resting_until` is None or in the future. `rested_at` stays after a rest: earlier
calls are no reason for another one.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.number_health import (
    FLAGGED_AGAIN_WITHIN,
    LOOK_BACK,
    LOW_ANSWER_RATE_FOR,
    MINIMUM_CALLS,
    Answered,
    NumberRest,
    Poor,
    poorly_answered,
    rest_after_flag,
)
from app.domain.rights import Right
from app.models import PhoneNumber, sql
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.errors import Conflict, FieldErrors
from app.services.field_readers import cleaned
from app.services.numbers.reopening import ask_again, hold_dialing
from app.services.refs import Ref, load

log = logging.getLogger(__name__)

_LONGEST_WHY: Final = 500


async def rest_number(
    session: AsyncSession,
    *,
    principal: Principal,
    number_ref: Ref,
    until: datetime | None = None,
    why: str = "",
    now: datetime,
) -> None:
    """Stop calls and texts from a number until then; None: until it is put back to work.

    Campaigns go on with their other numbers, or wait. Raises `NotFound`, and `FieldErrors` for a time in the past.
    """
    authorize(principal, Right.EDIT_NUMBERS)
    if until is not None and until <= now:
        raise FieldErrors({"until": "Choose a time that is still to come."})
    await hold_dialing(session, principal.organization_id)
    number = await load(
        session, PhoneNumber, number_ref, organization_id=principal.organization_id, lock=True
    )
    number.rest = NumberRest.MANUAL
    number.rest_why = (cleaned(why) or f"{principal.actor} set it aside.")[:_LONGEST_WHY]
    number.rested_at, number.resting_until, number.updated_at = now, until, now
    await session.flush()
    await ask_again(session, principal.organization_id)  # The rest may be shorter than before.
    announce(session, organization_id=principal.organization_id)


async def resume_number(
    session: AsyncSession, *, principal: Principal, number_ref: Ref, now: datetime
) -> None:
    """Put a resting number back to work. Raises `NotFound`, and `Conflict` if it does not rest."""
    authorize(principal, Right.EDIT_NUMBERS)
    await hold_dialing(session, principal.organization_id)
    number = await load(
        session, PhoneNumber, number_ref, organization_id=principal.organization_id, lock=True
    )
    if number.rest is None:
        raise Conflict(f"{number.number} does not rest.")
    number.rest, number.rest_why, number.resting_until = None, "", None
    number.updated_at = now
    await session.flush()
    await ask_again(session, principal.organization_id)
    announce(session, organization_id=principal.organization_id, work=True)


_FLAGGED_BEFORE: Final = text(
    """
    SELECT max(a.ended_at) FROM attempt a
    WHERE a.phone_number_id = :phone_number_id AND a.reserved_at >= :since AND a.id <> :attempt_id
      AND a.failure = 'sender_health'
    """
)

_REST: Final = text(
    """
    UPDATE phone_number
    SET rest = CAST(:rest AS varchar), rest_why = CAST(:why AS varchar), rested_at = :now,
        resting_until = CAST(:until AS timestamptz), updated_at = :now
    WHERE id = :phone_number_id AND (rest IS NULL OR resting_until <= :now)
    RETURNING organization_id
    """
)


async def rest_flagged(
    session: AsyncSession, *, phone_number_id: int, attempt_id: UUID, evidence: str, now: datetime
) -> bool:
    """Rest a number because a network flagged this attempt; False if it rests already.

    It rests for a day, because such labels fade. Flagged again within a week, it rests until a person puts it back.
    """
    given = {
        "phone_number_id": phone_number_id,
        "since": now - FLAGGED_AGAIN_WITHIN,
        "attempt_id": attempt_id,
    }
    before = (await session.execute(_FLAGGED_BEFORE, given)).scalar_one()
    until = rest_after_flag(flagged_before=before, now=now)
    again = "" if until is not None else " It was flagged before in the last 7 days."
    return await _rest(
        session, phone_number_id, NumberRest.FLAGGED, f"{evidence}{again}", until=until, now=now
    )


_ANSWERED: Final = text(
    f"""
    SELECT a.campaign_id, a.phone_number_id, count(*) AS calls,
           count(*) FILTER (WHERE a.disposition IN {sql.PICKED_UP}) AS answered
    FROM campaign c
    JOIN attempt a ON a.campaign_id = c.id AND a.reserved_at >= :since
    JOIN phone_number n ON n.id = a.phone_number_id
    WHERE c.status IN {sql.DIALING} AND a.channel = 'call'
      AND (SELECT count(*) FROM campaign_number p WHERE p.campaign_id = c.id) > 1
      AND a.disposition IN {sql.JUDGED}
      AND (n.rested_at IS NULL OR a.reserved_at > n.rested_at)
      AND EXISTS (SELECT 1 FROM campaign_number p WHERE p.campaign_id = c.id AND p.phone_number_id = n.id)
    GROUP BY a.campaign_id, a.phone_number_id
    ORDER BY a.campaign_id, a.phone_number_id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_WORKING: Final = text(
    """
    SELECT n.id FROM campaign_number p JOIN phone_number n ON n.id = p.phone_number_id
    WHERE p.campaign_id = :campaign_id AND n.active AND n.voice AND (n.rest IS NULL OR n.resting_until <= :now)
    """
)


async def rest_seldom_answered(session: AsyncSession, *, now: datetime) -> int:
    """Rest the numbers that are answered significantly less often than the others of their pool; return how many.

    Numbers are compared within one dialing campaign, so that they call the same kind of people. The last working
    number of a pool never rests.
    """
    pools: dict[int, list[Answered]] = {}
    for row in await session.execute(_ANSWERED, {"since": now - LOOK_BACK}):
        pools.setdefault(row.campaign_id, []).append(Answered(row.phone_number_id, row.calls, row.answered))
    rested = 0
    for campaign_id, pool in pools.items():
        if sum(each.calls >= MINIMUM_CALLS for each in pool):
            rested += await _rest_poor(session, campaign_id, poorly_answered(pool), now=now)
    return rested


async def _rest_poor(session: AsyncSession, campaign_id: int, poor: Sequence[Poor], *, now: datetime) -> int:
    if not poor:
        return 0
    given = {"campaign_id": campaign_id, "now": now}
    working = set((await session.execute(_WORKING, given)).scalars())
    rested = 0
    for each in sorted(poor, key=lambda one: one.number.percent):
        if each.number.phone_number_id in working and len(working) > 1:
            working.discard(each.number.phone_number_id)
            rested += await _rest(
                session,
                each.number.phone_number_id,
                NumberRest.LOW_ANSWER_RATE,
                _seldom(each),
                until=now + LOW_ANSWER_RATE_FOR,
                now=now,
            )
    return rested


def _seldom(poor: Poor) -> str:
    number, others = poor.number, poor.others
    return (
        f"{number.answered} of its last {number.calls} calls were answered ({number.percent:.1f} %), "
        f"and {others.percent:.1f} % of the pool's others."
    )


_END: Final = text(
    """
    UPDATE phone_number SET rest = NULL, rest_why = '', resting_until = NULL, updated_at = :now
    WHERE rest IS NOT NULL AND resting_until <= :now
    RETURNING organization_id
    """
)


async def end_rests(session: AsyncSession, *, now: datetime) -> int:
    """Put numbers back to work whose rest is over; return how many."""
    ended = (await session.execute(_END, {"now": now})).scalars().all()
    for organization_id in set(ended):
        announce(session, organization_id=organization_id, work=True)
    return len(ended)


async def _rest(
    session: AsyncSession,
    phone_number_id: int,
    rest: NumberRest,
    why: str,
    *,
    until: datetime | None,
    now: datetime,
) -> bool:
    """Rest a number; False if it rests already."""
    values = {
        "phone_number_id": phone_number_id,
        "rest": rest.value,
        "why": why[:_LONGEST_WHY],
        "until": until,
        "now": now,
    }
    organization_id = (await session.execute(_REST, values)).scalar_one_or_none()
    if organization_id is None:
        return False
    log.warning("number.rests", extra={"phone_number_id": phone_number_id, "rest": rest})
    announce(session, organization_id=organization_id)
    return True
