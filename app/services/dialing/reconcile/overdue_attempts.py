"""Asking the carrier about attempts that may or may not have been placed, and about attempts without news.

Such an attempt is never placed again by itself. If the carrier has the call, its id is stored. Only two look-ups
without a result, at least `SETTLE` apart, prove that it has none. If it stays unclear, a person decides.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import UNPROVEN, AttemptStatus
from app.domain.campaign import Channel
from app.domain.events import AttemptEvent, EventKind
from app.domain.rights import Right
from app.models import Attempt, sql
from app.providers.base import Carrier, LookupFailed, RemoteAttempt
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.campaigns.transitions import pause_by_system
from app.services.dialing.settle.hang_up import note_second_calls
from app.services.dialing.settle.locked_attempts import LockedAttempt, load_attempts
from app.services.dialing.settle.outcomes import NEWS_WITHIN, REPORTS_WITHIN, apply_events, give_back
from app.services.errors import Conflict, NotFound

log = logging.getLogger(__name__)

SETTLE: Final = timedelta(seconds=60)
"""A new call is in the carrier's list within this time: "never call twice" rests on this one assumption."""

_LOOK_BACK: Final = timedelta(seconds=30)
"""How far the carrier's clock may differ from ours."""

_ASK_AGAIN: Final = timedelta(seconds=15)
_MOST: Final = 100
_AT_ONCE: Final = 10
"""Look-ups at the same time: one by one, a thousand lost calls would keep their slots for minutes."""

_OVERDUE: Final = text(
    f"""
    SELECT id FROM attempt
    WHERE carrier_account_id = :carrier_account_id AND deadline_at <= :now_for_news
      AND (deadline_at <= :now OR status IN {sql.PLACED})
    ORDER BY deadline_at LIMIT :most
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def reconcile_overdue(
    database: Database, carrier: Carrier, *, carrier_account_id: int, clock: Clock, speed: float = 1.0
) -> int:
    """Ask the carrier about every attempt past its deadline; return how many were asked about.

    `speed`: carrier seconds in a real second. The waits for the carrier's list (`SETTLE`) and for its news
    (`NEWS_WITHIN`) are in carrier seconds, the waits for our own requests in real ones.
    """
    now, hurry = clock.now(), NEWS_WITHIN - NEWS_WITHIN / speed
    async with database.session() as session:
        overdue = await session.execute(
            _OVERDUE,
            {
                "now": now,
                "now_for_news": now + hurry,
                "carrier_account_id": carrier_account_id,
                "most": _MOST,
            },
        )
        ids = list(overdue.scalars())
    for start in range(0, len(ids), _AT_ONCE):
        asked = ids[start : start + _AT_ONCE]
        await asyncio.gather(
            *(_reconcile_one(database, carrier, each, clock=clock, settle=SETTLE / speed) for each in asked)
        )
    return len(ids)


async def _reconcile_one(
    database: Database, carrier: Carrier, attempt_id: UUID, *, clock: Clock, settle: timedelta
) -> None:
    """Settle one attempt. If that fails, ask again later: it must not keep the others waiting."""
    try:
        await reconcile(database, carrier, attempt_id=attempt_id, clock=clock, settle=settle)
    except LookupFailed as error:
        log.warning("reconcile.carrier_away", extra={"attempt_id": str(attempt_id), "error": str(error)})
        await _ask_later(database, attempt_id, clock.now() + _ASK_AGAIN)
    except OperationalError:
        raise
    except Exception:
        log.exception("reconcile.failed", extra={"attempt_id": str(attempt_id)})
        await _ask_later(database, attempt_id, clock.now() + NEWS_WITHIN)


_SET_ASIDE: Final = text(
    """
    UPDATE attempt SET status = 'review', deadline_at = NULL,
                       error_message = 'It was made on a carrier account that is not in use any more.'
    WHERE deadline_at <= :long_ago AND carrier_account_id <> :carrier_account_id AND status <> 'sent'
    RETURNING organization_id, campaign_id
    """
)
_FOREIGN: Final = text(
    f"""
    SELECT id FROM campaign
    WHERE status IN {sql.DIALING} AND carrier_account_id <> :carrier_account_id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def set_aside_other_accounts(session: AsyncSession, *, carrier_account_id: int, now: datetime) -> None:
    """Pause the campaigns of a carrier account that is not in use, with the reason.

    Its overdue attempts go to a person.
    """
    given = {"long_ago": now - REPORTS_WITHIN, "carrier_account_id": carrier_account_id}
    for row in (await session.execute(_SET_ASIDE, given)).all():
        announce(session, organization_id=row.organization_id, campaign_id=row.campaign_id)
    for campaign_id in (
        (await session.execute(_FOREIGN, {"carrier_account_id": carrier_account_id})).scalars().all()
    ):
        reason = (
            "It was started on another carrier account than the one in use. Resume it to go on with this one."
        )
        await pause_by_system(session, campaign_id=campaign_id, reason=reason, now=now)


async def reconcile(
    database: Database, carrier: Carrier, *, attempt_id: UUID, clock: Clock, settle: timedelta = SETTLE
) -> None:
    """Settle one attempt by what the carrier knows. Raises `LookupFailed`, `Unaskable`, without any change."""
    async with database.session() as session:
        attempt = (await load_attempts(session, [attempt_id])).get(attempt_id)
    if attempt is None or attempt.deadline_at is None:
        return
    # The answer is true for the moment of the question, even if it is applied later.
    asked_at = clock.now()
    if attempt.provider_id is not None:
        remote = await carrier.fetch(attempt.channel, attempt.provider_id)
        await _apply_look_up(database, attempt, remote, now=clock.now())
    elif attempt.progress.status in UNPROVEN:
        found = await _find(database, carrier, attempt)
        await _settle(database, attempt_id, found, asked_at=asked_at, now=clock.now(), settle=settle)
    else:
        raise Unaskable(f"{attempt.progress.status} without an id of the carrier")


class Unaskable(Exception):
    """The carrier cannot be asked about this attempt. None of our steps makes such a row."""


class Ambiguous(Exception):
    """The carrier has calls that may be this attempt's, and cannot tell which."""


@dataclass(frozen=True, slots=True)
class FoundAtCarrier:
    """The call or message that the carrier made for an attempt."""

    remote: RemoteAttempt
    others: tuple[str, ...] = ()
    """Second calls for the same attempt."""


async def _find(
    database: Database, carrier: Carrier, attempt: LockedAttempt
) -> FoundAtCarrier | Ambiguous | None:
    """Return the carrier's call or message for this attempt; None if it has none; `Ambiguous` (a value) if unclear."""
    since = attempt.reserved_at - _LOOK_BACK
    remotes = await carrier.find(
        attempt.channel, to=attempt.number_to, from_=attempt.number_from, since=since
    )
    unbound = await _not_bound(database, attempt, [remote for remote in remotes if remote.outbound_api])
    if not unbound:
        return None
    if attempt.channel is Channel.SMS:
        ours = [remote for remote in unbound if remote.body == attempt.body]
        return None if not ours else FoundAtCarrier(ours[0]) if len(ours) == 1 else Ambiguous()
    owners = {
        remote.provider_id: await carrier.attempt_of(attempt.channel, remote.provider_id)
        for remote in unbound
    }
    ours = [remote for remote in unbound if owners[remote.provider_id] == attempt.attempt_id]
    if ours:
        return FoundAtCarrier(ours[0], tuple(remote.provider_id for remote in ours[1:]))
    untold = [remote for remote in unbound if owners[remote.provider_id] is None]
    return Ambiguous() if untold else None


async def _not_bound(
    database: Database, attempt: LockedAttempt, remotes: list[RemoteAttempt]
) -> list[RemoteAttempt]:
    async with database.session() as session:
        bound = await session.execute(
            select(col(Attempt.provider_id)).where(
                col(Attempt.carrier_account_id) == attempt.carrier_account_id,
                col(Attempt.provider_id).in_([remote.provider_id for remote in remotes]),
            )
        )
        taken = set(bound.scalars())
    return [remote for remote in remotes if remote.provider_id not in taken]


async def _settle(
    database: Database,
    attempt_id: UUID,
    found: FoundAtCarrier | Ambiguous | None,
    *,
    asked_at: datetime,
    now: datetime,
    settle: timedelta,
) -> None:

    async def work(session: AsyncSession) -> None:
        attempt = (await load_attempts(session, [attempt_id]))[attempt_id]
        if attempt.progress.status not in UNPROVEN or attempt.provider_id is not None:
            return
        match found:
            case FoundAtCarrier(remote=remote, others=others):
                await _adopt(session, attempt, remote, now=now)
                await note_second_calls(session, [(attempt_id, other) for other in others], now=now)
            case Ambiguous():
                await _to_review(session, attempt)
            case None:
                await _empty_look(session, attempt, asked_at=asked_at, now=now, settle=settle)
        fault("before_reconcile_commit")

    await database.write(work)


async def _adopt(
    session: AsyncSession, attempt: LockedAttempt, remote: RemoteAttempt, *, now: datetime
) -> None:
    await session.execute(
        update(Attempt)
        .where(col(Attempt.id) == attempt.attempt_id, col(Attempt.provider_id).is_(None))
        .values(provider_id=remote.provider_id, placed_at=remote.created_at)
    )
    placed = AttemptEvent(
        kind=EventKind.QUEUED, occurred_at=remote.created_at, provider_id=remote.provider_id
    )
    await apply_events(session, attempt, [placed, *remote.events], now=now)


async def _empty_look(
    session: AsyncSession, attempt: LockedAttempt, *, asked_at: datetime, now: datetime, settle: timedelta
) -> None:
    first_look = attempt.looked_at
    settled = asked_at - attempt.reserved_at >= settle
    if attempt.looks >= 1 and first_look is not None and settled and asked_at - first_look >= settle:
        await give_back(session, attempt, reason="The carrier has no such call: it was not placed.", now=now)
        return
    await session.execute(
        update(Attempt)
        .where(col(Attempt.id) == attempt.attempt_id)
        .values(
            status=AttemptStatus.UNKNOWN,
            looks=attempt.looks + 1,
            looked_at=first_look or asked_at,
            deadline_at=now + max(settle, timedelta(milliseconds=100))
            if first_look is None
            else now + settle / 4,
        )
    )
    announce(session, organization_id=attempt.organization_id, campaign_id=attempt.campaign_id)


async def _to_review(session: AsyncSession, attempt: LockedAttempt) -> None:
    log.error("attempt.review", extra={"attempt_id": str(attempt.attempt_id)})
    await session.execute(
        update(Attempt)
        .where(col(Attempt.id) == attempt.attempt_id)
        .values(
            status=AttemptStatus.REVIEW,
            deadline_at=None,
            error_message="The carrier has calls that may be this one, and cannot tell.",
        )
    )
    announce(session, organization_id=attempt.organization_id, campaign_id=attempt.campaign_id)


async def _apply_look_up(
    database: Database, asked: LockedAttempt, remote: RemoteAttempt | None, *, now: datetime
) -> None:
    """Apply what the carrier knows of an attempt without news. If it knows nothing, the call was not answered."""

    async def work(session: AsyncSession) -> None:
        attempt = (await load_attempts(session, [asked.attempt_id]))[asked.attempt_id]
        if attempt.deadline_at != asked.deadline_at:
            return  # News came in the meantime.
        if attempt.progress.status is AttemptStatus.SENT:
            await _stop_waiting_for_a_report(session, attempt, remote, now=now)
        else:
            await _look_closer(session, attempt, remote, now=now)
        fault("before_sweep_commit")

    await database.write(work)


async def _look_closer(
    session: AsyncSession, attempt: LockedAttempt, remote: RemoteAttempt | None, *, now: datetime
) -> None:
    gone = AttemptEvent(kind=EventKind.NO_ANSWER, occurred_at=now)
    await apply_events(session, attempt, list(remote.events) if remote is not None else [gone], now=now)
    if attempt.progress.ended_as is None:
        await _set_deadline(session, attempt.attempt_id, now + NEWS_WITHIN)


async def _stop_waiting_for_a_report(
    session: AsyncSession, attempt: LockedAttempt, remote: RemoteAttempt | None, *, now: datetime
) -> None:
    await apply_events(session, attempt, list(remote.events) if remote is not None else [], now=now)
    if attempt.progress.ended_as is None:
        await _set_deadline(session, attempt.attempt_id, None)


async def _set_deadline(session: AsyncSession, attempt_id: UUID, deadline_at: datetime | None) -> None:
    await session.execute(
        update(Attempt).where(col(Attempt.id) == attempt_id).values(deadline_at=deadline_at)
    )


async def _ask_later(database: Database, attempt_id: UUID, at: datetime) -> None:
    """Ask again at that time, unless the attempt is settled by then."""

    async def work(session: AsyncSession) -> None:
        await session.execute(
            update(Attempt)
            .where(col(Attempt.id) == attempt_id, col(Attempt.deadline_at).is_not(None))
            .values(deadline_at=at)
        )

    await database.write(work)


async def settle_review(
    session: AsyncSession, *, principal: Principal, attempt_id: UUID, placed: bool, now: datetime
) -> None:
    """Settle an attempt that the carrier could not clear up: a person says whether it was placed.

    If it was placed and there is no news, it ends as no answer and follows the retry settings. If it was not placed,
    the recipient goes back in line and no attempt is spent. Raises `NotFound`, `Conflict` if it is not in review.
    """
    authorize(principal, Right.RUN_CAMPAIGNS)
    attempt = (await load_attempts(session, [attempt_id])).get(attempt_id)
    if attempt is None or attempt.organization_id != principal.organization_id:
        raise NotFound("attempt", attempt_id)
    if attempt.progress.status is not AttemptStatus.REVIEW:
        raise Conflict("This attempt is not up for review any more.")
    if placed:
        unanswered = AttemptEvent(kind=EventKind.NO_ANSWER, occurred_at=now)
        await apply_events(session, attempt, [unanswered], now=now, by=f"{principal.actor}: it was placed")
    else:
        await give_back(session, attempt, reason=f"{principal.actor}: it was not placed.", now=now)
