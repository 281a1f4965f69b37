"""Webhooks: the carrier's event is stored as it came and applied in one transaction, before we acknowledge it."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import AttemptStatus
from app.domain.events import AttemptEvent, EventKind
from app.models import sql
from app.providers.base import ReceivedEvent
from app.runtime.database import AWAY, Database, quickly
from app.runtime.fault_points import fault
from app.services.dialing.settle.batched_writes import Line, lines_of, together
from app.services.dialing.settle.hang_up import note_second_calls
from app.services.dialing.settle.locked_attempts import LockedAttempt, load_attempts
from app.services.dialing.settle.outcomes import apply_events

log = logging.getLogger(__name__)

MOST_TOGETHER: Final = 100
"""Most deliveries in one transaction."""

GROUPS_AT_ONCE: Final = 2
"""While one group waits for its commit, the next one is applied."""


class UnknownAttempt(Exception):
    """The webhook names an attempt that is not in the ledger."""


class CallKey(NamedTuple):
    """The call that a delivery is about: the attempt's own call, or a second one."""

    attempt_id: UUID
    provider_id: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One verified webhook of one attempt."""

    attempt_id: UUID
    events: Sequence[ReceivedEvent]
    raw: Mapping[str, str]
    received_at: datetime

    @property
    def call(self) -> CallKey:
        """Return the call that it is about."""
        named = [each.event.provider_id for each in self.events if each.event.provider_id]
        return CallKey(self.attempt_id, named[0] if named else None)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of a delivery, after its commit."""

    known: bool
    """The attempt is in the ledger; if not, nothing was stored."""
    second_call: str | None = None
    """The carrier's id of a second call for this attempt. It is noted to be ended."""


async def receive(
    database: Database,
    *,
    attempt_id: UUID,
    events: Sequence[ReceivedEvent],
    raw: Mapping[str, str],
    now: datetime,
) -> str | None:
    """Store and apply verified events of one attempt. Repeating the same events changes nothing.

    Returns the id of a second call made for this attempt, noted to be ended; otherwise None.
    Raises `UnknownAttempt`. Raises if the database is away: the carrier then gets 503 and sends again.
    """
    (receipt,) = await receive_all(database, [Delivery(attempt_id, events, raw, now)], now=now)
    return second_call_of(receipt, attempt_id)


def second_call_of(receipt: Receipt, attempt_id: UUID) -> str | None:
    """Return the receipt's second call, if there is one. Raises `UnknownAttempt`."""
    if not receipt.known:
        raise UnknownAttempt(str(attempt_id))
    return receipt.second_call


async def receive_all(database: Database, deliveries: Sequence[Delivery], *, now: datetime) -> list[Receipt]:
    """Store and apply the deliveries in one transaction; return a receipt for each, in their order."""

    async def work(session: AsyncSession) -> list[Receipt]:
        attempts = await load_attempts(session, {each.attempt_id for each in deliveries})
        known = [each for each in deliveries if each.attempt_id in attempts]
        seconds = await _second_calls(session, attempts, known)
        await note_second_calls(session, [(key.attempt_id, call) for key, call in seconds.items()], now=now)
        fresh = await _store(session, attempts, known)
        async with together(session):
            for attempt_id, events in _to_apply(known, fresh, seconds).items():
                await apply_events(session, attempts[attempt_id], events, now=now)
        fault("before_webhook_commit")
        return [Receipt(each.attempt_id in attempts, seconds.get(each.call)) for each in deliveries]

    receipts = await database.write(work)
    fault("after_webhook_commit")
    return receipts


_BIND: Final = text(
    """
    UPDATE attempt SET provider_id = u.provider_id, placed_at = coalesce(placed_at, reserved_at)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:provider_ids AS varchar[])) AS u (id, provider_id)
    WHERE attempt.id = u.id AND attempt.provider_id IS NULL
    """
)


async def _second_calls(
    session: AsyncSession, attempts: Mapping[UUID, LockedAttempt], deliveries: Sequence[Delivery]
) -> dict[CallKey, str]:
    """Store the carrier's ids that our own response has not stored yet; return the ids of second calls."""
    bound: dict[UUID, str] = {}
    seconds: dict[CallKey, str] = {}
    for key in dict.fromkeys(each.call for each in deliveries):
        attempt = attempts[key.attempt_id]
        if key.provider_id is not None and attempt.provider_id is None:
            bound[key.attempt_id] = attempt.provider_id = key.provider_id
        if key.provider_id is not None and key.provider_id != attempt.provider_id:
            seconds[key] = key.provider_id
        elif (late := await _too_late(session, attempt)) is not None:
            seconds[key] = late
    for key in seconds:
        # The next save for the attempt's own call must not take the alarm back.
        attempt = attempts[key.attempt_id]
        attempt.progress = replace(attempt.progress, conflict=True)
    if bound:
        await session.execute(_BIND, {"ids": list(bound), "provider_ids": list(bound.values())})
    return seconds


_SUCCEEDED: Final = text(
    f"""
    SELECT EXISTS (SELECT 1 FROM attempt
                   WHERE carrier_account_id = :carrier_account_id AND number_to = CAST(:number_to AS varchar)
                     AND id <> :attempt_id
                     AND status IN {sql.LIVE})
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


async def _too_late(session: AsyncSession, attempt: LockedAttempt) -> str | None:
    """Return the id of a call that we had taken as not placed, if a newer call to its number is under way."""
    if attempt.progress.status is not AttemptStatus.NOT_PLACED or attempt.provider_id is None:
        return None
    given = {
        "carrier_account_id": attempt.carrier_account_id,
        "number_to": attempt.number_to,
        "attempt_id": attempt.attempt_id,
    }
    succeeded: bool = (await session.execute(_SUCCEEDED, given)).scalar_one()
    return attempt.provider_id if succeeded else None


_STORE: Final = """
    INSERT INTO provider_event (carrier_account_id, attempt_id, kind, dedupe_key, payload, received_at)
    SELECT * FROM json_to_recordset(CAST(%(lines)s AS json)) AS line (
        carrier_account_id bigint, attempt_id uuid, kind varchar, dedupe_key varchar, payload jsonb,
        received_at timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING carrier_account_id, dedupe_key
"""


async def _store(
    session: AsyncSession, attempts: Mapping[UUID, LockedAttempt], deliveries: Sequence[Delivery]
) -> set[tuple[UUID, str]]:
    """Insert the events that are new, and return them as attempt and key."""
    lines: list[Line] = [
        {
            "carrier_account_id": attempts[delivery.attempt_id].carrier_account_id,
            "attempt_id": delivery.attempt_id,
            "kind": each.event.kind,
            "dedupe_key": each.dedupe_key,
            "payload": dict(delivery.raw),
            "received_at": delivery.received_at,
        }
        for delivery in deliveries
        for each in delivery.events
    ]
    if not lines:
        return set()
    rows = await quickly(session, _STORE, {"lines": lines_of(lines)})
    stored = {(row["carrier_account_id"], row["dedupe_key"]) for row in rows}
    return {
        (line["attempt_id"], line["dedupe_key"])
        for line in lines
        if (line["carrier_account_id"], line["dedupe_key"]) in stored
    }


def _to_apply(
    deliveries: Sequence[Delivery], fresh: set[tuple[UUID, str]], seconds: Mapping[CallKey, str]
) -> dict[UUID, list[AttemptEvent]]:
    """Return the new events of the attempts' own calls, by attempt."""
    news: dict[UUID, list[AttemptEvent]] = defaultdict(list)
    for delivery in deliveries:
        if seconds and delivery.call in seconds:
            continue
        for each in delivery.events:
            if (delivery.attempt_id, each.dedupe_key) in fresh and each.event.kind is not EventKind.UNKNOWN:
                news[delivery.attempt_id].append(each.event)
    return news


Waiting = tuple[Delivery, "asyncio.Future[Receipt]"]


@dataclass
class WebhookBatcher:
    """Groups the deliveries of one process: those that come while others commit share the next commit.

    A delivery never waits only to be grouped: if no group is under way, it begins at once.
    """

    database: Database
    _waiting: list[Waiting] = field(default_factory=list)
    _groups: dict["asyncio.Task[None]", int] = field(default_factory=dict)
    """Deliveries of each group under way; 0: the group has not taken its deliveries yet."""

    async def receive(self, delivery: Delivery) -> Receipt:
        """Return when the delivery is committed. Raises the error if it cannot be: the carrier sends it again."""
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, done))
        self._begin()
        return await done

    def _begin(self) -> None:
        sizes = self._groups.values()
        # While a group is under way, only a larger one begins: two small ones cost nearly twice as much as one.
        is_time = len(self._waiting) > max(sizes, default=0)
        if is_time and len(sizes) < GROUPS_AT_ONCE and 0 not in sizes:
            # It begins in the next turn of the loop, with all deliveries that arrive in this one.
            self._groups[asyncio.create_task(self._work())] = 0

    async def _work(self) -> None:
        group, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._groups[task] = len(group)
        try:
            await self._settle(group)
        finally:
            # At once, without an await between: a delivery that comes now must not count on a group that has ended.
            del self._groups[task]
            self._begin()

    async def _settle(self, group: Sequence[Waiting]) -> None:
        now = max(delivery.received_at for delivery, _ in group)
        try:
            receipts = await receive_all(self.database, [delivery for delivery, _ in group], now=now)
        except Exception as error:  # noqa: BLE001 - the request of each delivery gets the error
            if len(group) == 1 or isinstance(error, AWAY):
                _fail(group, error)
                return
            # One of them cannot be stored: the others must not be refused for it.
            for alone in group:
                await self._settle([alone])
            return
        for (_, done), receipt in zip(group, receipts, strict=True):
            if not done.done():
                done.set_result(receipt)


def _fail(group: Sequence[Waiting], error: Exception) -> None:
    for _, done in group:
        if not done.done():
            done.set_exception(error)
