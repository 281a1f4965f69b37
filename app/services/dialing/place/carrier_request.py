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
"""A worker that was suspended does not place reservations that are older than this."""

PLACE_PACED_WITHIN_SECONDS: Final = 1.0
"""The same where a rate applies. After a stall, older requests would leave together with those of the next second.

Checked before connecting. Connecting may take longer than this, and a slow network must not stop all calls.
"""

LEAVE_PACED_WITHIN_SECONDS: Final = 4.0
"""The same at the last moment, when the request has its connection (after three seconds at most). A later request
may reach the carrier later than `ANSWERED_WITHIN` after its date, and no rate would count it."""

RECHECK_AFTER_SECONDS: Final = 0.3
"""If a request took longer to get ready, ask again whether it is wanted: a pause takes effect within a second."""

LONGEST_VALIDITY_SECONDS: Final = 36_000
"""How long a carrier may hold a text for a phone that cannot be reached (Twilio's most, and its default)."""


Recheck = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class CarrierAnswer:
    """The carrier's answer to one reservation."""

    attempt_id: UUID
    answer: PlaceAnswer
    left_at: datetime | None = None
    """When the request left; None: it did not leave, or we do not know."""
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
      AND NOT EXISTS (SELECT 1 FROM contact
                      WHERE contact.id = a.contact_id
                        AND (contact.held_until > :now OR contact.place_id IS DISTINCT FROM a.place_id))
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def still_wanted(
    session: AsyncSession, reservations: Sequence[Reservation], *, worker: str, now: datetime
) -> dict[UUID, datetime | None]:
    """Return the reservations that may still be placed, each with the end of its calling hours; None: they do not end.

    Left out: paused, stopped, suppressed, held, moved to another place or reconciled since, or the hours have ended.
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
    """Ask the carrier once. A reservation that is too old is not sent, and recorded as not placed.

    `closes_at`: nothing leaves and no text is delivered from then on. `recheck` asks whether the call is still wanted;
    it is used if the request leaves more than `RECHECK_AFTER_SECONDS` after `looked_at` (the clock's `boottime`; None:
    now).
    """
    fault("before_post")
    if _age(reservation, clock) > (
        PLACE_PACED_WITHIN_SECONDS if reservation.is_paced else PLACE_WITHIN_SECONDS
    ):
        return given_up(reservation, TOO_OLD)
    looked_at = clock.boottime() if looked_at is None else looked_at
    left: list[datetime] = []
    before_sending = _last_look(
        reservation, looked_at, left, clock=clock, closes_at=closes_at, recheck=recheck
    )
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
    closes_at: datetime | None,
    recheck: Recheck | None,
) -> BeforeSending:
    """Return the check before the first byte leaves.

    The worker may have slept, a person may have paused, or the calling hours may have ended since the last look. If
    the request may leave, the check adds the time to `left`.
    """

    async def look() -> None:
        if _age(reservation, clock) > (
            LEAVE_PACED_WITHIN_SECONDS if reservation.is_paced else PLACE_WITHIN_SECONDS
        ):
            raise NotSent(TOO_OLD)
        if recheck is not None and clock.boottime() - looked_at > RECHECK_AFTER_SECONDS:
            await _look_again(recheck)
        now = clock.now()
        if closes_at is not None and now >= closes_at:
            raise NotSent(STOPPED)
        left.append(now)

    return look


async def _look_again(recheck: Recheck) -> None:
    try:
        wanted = await recheck()
    except Exception as error:
        raise NotSent(STOPPED) from error  # If we cannot know, we do not call.
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
    left = None if closes_at is None else int((closes_at - now).total_seconds())
    validity = None if left is None else min(max(left, 1), LONGEST_VALIDITY_SECONDS)
    return MessageOrder(
        attempt_id=reservation.attempt_id,
        to=reservation.to,
        from_=reservation.from_,
        body=reservation.body,
        validity_seconds=validity,
    )
