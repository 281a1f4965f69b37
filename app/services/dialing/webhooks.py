"""Webhook intake: a carrier's event is stored raw and applied in one transaction, before it is acknowledged."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import Database
from app.domain.attempt import AttemptStatus
from app.domain.events import AttemptEvent, EventKind
from app.faults import fault
from app.models import ProviderEvent
from app.providers.base import ReceivedEvent
from app.services.dialing.cases import Case, load_cases
from app.services.dialing.hanging_up import note_second_calls
from app.services.dialing.settling import apply_events

log = logging.getLogger(__name__)


class UnknownAttempt(Exception):
    """The webhook names an attempt that is not in the ledger."""


async def receive(
    database: Database,
    *,
    attempt_id: UUID,
    events: Sequence[ReceivedEvent],
    raw: Mapping[str, str],
    now: datetime,
) -> str | None:
    """Store and apply verified events of one attempt. The same events again change nothing.

    Returns the id of a second call made for this attempt, noted to be ended; otherwise None.
    Raises `UnknownAttempt`. A database that is away raises, so that the carrier is answered 503 and sends again.
    """
    async with database.transaction() as session:
        case = (await load_cases(session, [attempt_id])).get(attempt_id)
        if case is None:
            raise UnknownAttempt(str(attempt_id))
        second = await _second_call(session, case, events) or await _too_late(session, case)
        if second is not None:
            await note_second_calls(session, {attempt_id: second}, now=now)
        fresh = await _store(session, case, events, raw=raw, now=now)
        if second is None and fresh:
            await apply_events(session, case, fresh, now=now)
        fault("before_webhook_commit")
    fault("after_webhook_commit")
    return second


_BIND: Final = text(
    """
    UPDATE attempt SET provider_id = CAST(:provider_id AS varchar), placed_at = coalesce(placed_at, reserved_at)
    WHERE id = :attempt_id AND provider_id IS NULL
    """
)


async def _second_call(session: AsyncSession, case: Case, events: Sequence[ReceivedEvent]) -> str | None:
    """Bind the carrier's id if our own response has not yet; return an id that is another than the bound one."""
    provider_id = next((each.event.provider_id for each in events if each.event.provider_id), None)
    if provider_id is None or provider_id == case.provider_id:
        return None
    if case.provider_id is None:
        await session.execute(_BIND, {"provider_id": provider_id, "attempt_id": case.attempt_id})
        case.provider_id = provider_id
        return None
    return provider_id


_SUCCEEDED: Final = text(
    """
    SELECT EXISTS (SELECT 1 FROM attempt
                   WHERE carrier_account_id = :carrier_account_id AND number_to = CAST(:number_to AS varchar)
                     AND id <> :attempt_id
                     AND status IN ('placing', 'unknown', 'review', 'queued', 'ringing', 'in_progress'))
    """
)


async def _too_late(session: AsyncSession, case: Case) -> str | None:
    """Return the id of a call we had given up, that turns up while a newer one to its number goes on."""
    if case.progress.status is not AttemptStatus.NOT_PLACED or case.provider_id is None:
        return None
    given = {
        "carrier_account_id": case.carrier_account_id,
        "number_to": case.number_to,
        "attempt_id": case.attempt_id,
    }
    succeeded: bool = (await session.execute(_SUCCEEDED, given)).scalar_one()
    return case.provider_id if succeeded else None


async def _store(
    session: AsyncSession,
    case: Case,
    events: Sequence[ReceivedEvent],
    *,
    raw: Mapping[str, str],
    now: datetime,
) -> list[AttemptEvent]:
    """Insert the events not seen before, and return those."""
    if not events:
        return []
    rows = [
        {
            "carrier_account_id": case.carrier_account_id,
            "attempt_id": case.attempt_id,
            "kind": each.event.kind.value,
            "dedupe_key": each.dedupe_key,
            "payload": dict(raw),
            "received_at": now,
        }
        for each in events
    ]
    statement = (
        insert(ProviderEvent).values(rows).on_conflict_do_nothing().returning(col(ProviderEvent.dedupe_key))
    )
    stored = set((await session.execute(statement)).scalars())
    return [
        each.event
        for each in events
        if each.dedupe_key in stored and each.event.kind is not EventKind.UNKNOWN
    ]
