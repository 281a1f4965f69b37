"""Step two of placing: one request to the carrier, outside any transaction, within 10 s of the reservation."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import Channel
from app.models import sql
from app.providers.base import (
    BeforeSending,
    CallOrder,
    MessageOrder,
    NotPlaced,
    NotSent,
    PlaceAnswer,
    Placer,
)
from app.runtime.clock import Clock
from app.runtime.fault_points import fault
from app.services.dialing.reserve.reservation import Reservation

TOO_OLD: Final = "The reservation was too old to place."
STOPPED: Final = "Dialing was stopped before it was placed."
OUR_OWN_REASONS: Final = frozenset({TOO_OLD, STOPPED})
"""Why we did not ask the carrier at all."""

PLACE_WITHIN_SECONDS: Final = 10.0
"""A worker that was suspended gives its older reservations up instead of placing them."""

PLACE_PACED_WITHIN_SECONDS: Final = 1.0
"""The same where a rate holds: what a stall kept back would leave beside the starts of the next second.

Asked before connecting, which alone may take longer: a slow network must not keep everybody from being called.
"""

LEAVE_PACED_WITHIN_SECONDS: Final = 4.0
"""The same asked at the last moment, once it has its connection (three seconds at most): what leaves later may be taken
later than `ANSWERED_WITHIN` after its date, and no rate would know."""

RECHECK_AFTER_SECONDS: Final = 0.3
"""A request that took longer to get ready is sent only if it is still wanted: a pause takes effect within a second."""

LONGEST_VALIDITY_SECONDS: Final = 36_000
"""How long a carrier may hold a text for a phone that cannot be reached (Twilio's most, and its default)."""


Recheck = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class CarrierAnswer:
    """What the carrier said of one reservation."""

    attempt_id: UUID
    answer: PlaceAnswer
    left_at: datetime | None = None
    """When the request left; None: it did not, or that is not known."""
    came_at: datetime | None = None
    """When the answer came, or we stopped waiting for it; None: nothing was asked."""


_STILL_WANTED: Final = text(
    f"""
    SELECT a.id, a.closes_at FROM attempt a
    JOIN campaign c ON c.id = a.campaign_id AND c.status IN {sql.DIALING}
    JOIN organization o ON o.id = a.organization_id AND o.dialing_stopped_at IS NULL
    WHERE a.id = ANY(CAST(:ids AS uuid[])) AND a.status = 'placing' AND a.reserved_by = CAST(:worker AS varchar)
      AND (a.closes_at IS NULL OR a.closes_at > :now)
      AND NOT EXISTS (SELECT 1 FROM suppression s
                      WHERE s.organization_id = a.organization_id AND s.number = a.number_to
                        AND s.lifted_at IS NULL
                        AND {sql.closes("s.scope", sql.scope_for("a.channel"))})
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def still_wanted(
    session: AsyncSession, reservations: Sequence[Reservation], *, worker: str, now: datetime
) -> dict[UUID, datetime | None]:
    """Return which reservations may still be placed, each with the time its person's hours end; None: they do not.

    Nothing was paused, stopped, suppressed or reconciled since, and the hours have not ended.
    """
    ids = [each.attempt_id for each in reservations]
    rows = await session.execute(_STILL_WANTED, {"ids": ids, "worker": worker, "now": now})
    return {row.id: row.closes_at for row in rows}


async def place(
    placer: Placer,
    reservation: Reservation,
    *,
    clock: Clock,
    closes_at: datetime | None = None,
    recheck: Recheck | None = None,
    looked_at: float | None = None,
) -> CarrierAnswer:
    """Ask the carrier once. A reservation that has grown old is given up, known not placed.

    `closes_at`: no text is delivered from then on. `recheck`: whether it is still wanted, asked if the request could
    not leave soon after that was looked at: at `looked_at` of the clock's `boottime`, None for now.
    """
    fault("before_post")
    if _age(reservation, clock) > (
        PLACE_PACED_WITHIN_SECONDS if reservation.is_paced else PLACE_WITHIN_SECONDS
    ):
        return given_up(reservation, TOO_OLD)
    looked_at = clock.boottime() if looked_at is None else looked_at
    left: list[datetime] = []
    before_sending = _last_look(reservation, looked_at, left, clock=clock, recheck=recheck)
    if reservation.channel is Channel.SMS:
        message = _message(reservation, closes_at, now=clock.now())
        answer = await placer.place_message(replace(message, before_sending=before_sending))
    else:
        answer = await placer.place_call(replace(_call(reservation), before_sending=before_sending))
    fault("after_post")
    return CarrierAnswer(reservation.attempt_id, answer, left[-1] if left else None, clock.now())


def _age(reservation: Reservation, clock: Clock) -> float:
    return clock.boottime() - reservation.reserved_boottime


def _last_look(
    reservation: Reservation,
    looked_at: float,
    left: list[datetime],
    *,
    clock: Clock,
    recheck: Recheck | None,
) -> BeforeSending:
    """Return what is asked before the first byte leaves: a worker may have slept since, or somebody paused.

    When it lets it leave, it notes the time in `left`.
    """

    async def look() -> None:
        if _age(reservation, clock) > (
            LEAVE_PACED_WITHIN_SECONDS if reservation.is_paced else PLACE_WITHIN_SECONDS
        ):
            raise NotSent(TOO_OLD)
        if recheck is not None and clock.boottime() - looked_at > RECHECK_AFTER_SECONDS:
            await _look_again(recheck)
        left.append(clock.now())

    return look


async def _look_again(recheck: Recheck) -> None:
    try:
        wanted = await recheck()
    except Exception as error:
        raise NotSent(STOPPED) from error  # Whoever cannot know does not call.
    if not wanted:
        raise NotSent(STOPPED)


def given_up(reservation: Reservation, reason: str) -> CarrierAnswer:
    """Return the answer for a reservation that was never sent."""
    return CarrierAnswer(reservation.attempt_id, NotPlaced(reason=reason, retry_after_seconds=None))


def _call(reservation: Reservation) -> CallOrder:
    return CallOrder(
        attempt_id=reservation.attempt_id,
        to=reservation.to,
        from_=reservation.from_,
        options=reservation.call_options,
    )


def _message(reservation: Reservation, closes_at: datetime | None, *, now: datetime) -> MessageOrder:
    return MessageOrder(
        attempt_id=reservation.attempt_id,
        to=reservation.to,
        from_=reservation.from_,
        body=reservation.body,
        validity_seconds=None if closes_at is None else _validity(closes_at, now=now),
    )


def _validity(closes_at: datetime, *, now: datetime) -> int:
    left = int((closes_at - now).total_seconds())
    return min(max(left, 1), LONGEST_VALIDITY_SECONDS)
