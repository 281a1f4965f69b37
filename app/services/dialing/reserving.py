"""Step one of placing: under the locks, count, ask the gate, and write the attempts down before anything is sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db import Database
from app.domain.attempt import Disposition
from app.domain.campaign import DIALING, Channel
from app.domain.gate import Blocked, Rule
from app.domain.pacing import allowance
from app.faults import fault
from app.live import announce
from app.services.dialing import gating
from app.services.dialing.gating import CallerId, Held
from app.services.dialing.preparing import Batch, Prepared, prepare_batch

BATCH: Final = 100
"""Most attempts reserved in one pass: what is reserved but unsent at a crash must be looked up."""

RECONCILE_AFTER: Final = timedelta(seconds=20)
"""A reservation without an answer for longer than this was left by a dead worker: the placing guard is 10 s."""

ASK_AGAIN: Final = timedelta(seconds=30)
"""How long a recipient waits for what has no time of its own, as another live attempt to its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A committed attempt that its worker must place within 10 s, or give up."""

    attempt_id: UUID
    campaign_id: int
    channel: Channel
    to: str
    from_: str
    body: str
    ring_timeout_seconds: int
    time_limit_seconds: int
    detect_machine: bool
    reserved_boottime: float


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass over a campaign gave."""

    reservations: tuple[Reservation, ...] = ()
    next_at: datetime | None = None
    """When time alone allows more; None: a freed slot or a change must ring."""
    more: bool = False
    """There may be more to reserve at once."""


async def reserve(
    database: Database,
    *,
    campaign_id: int,
    worker: str,
    carrier_account_id: int,
    clock: Clock,
    most: int = BATCH,
) -> Pass:
    """Reserve as many attempts of the campaign as every limit allows, at most `most`, and commit them.

    Nothing of a campaign that has meanwhile moved to another carrier account than the worker's.
    """
    boottime, now = clock.boottime(), clock.now()
    async with database.session() as session:
        batch = await prepare_batch(session, campaign_id=campaign_id, most=most, now=now)
    if batch is None or not batch.prepared:
        return Pass()
    fault("before_reserve")
    async with database.transaction() as session:
        held = await gating.lock(session, campaign_id)
        if held is None or held.carrier_account_id != carrier_account_id:
            return Pass()
        outcome = await _reserve_held(session, held, batch, worker=worker, boottime=boottime, now=now)
        fault("before_reserve_commit")
    fault("after_reserve_commit")
    return outcome


async def _reserve_held(
    session: AsyncSession, held: Held, batch: Batch, *, worker: str, boottime: float, now: datetime
) -> Pass:
    if held.status not in DIALING or held.updated_at != batch.campaign.updated_at:
        return Pass()
    if held.gate_rule == Rule.PACING and held.gate_until is not None and held.gate_until > now:
        return Pass(next_at=held.gate_until)  # The carrier is being left alone.
    verdict = gating.campaign_verdict(held, now=now)
    if isinstance(verdict, Blocked):
        await gating.store_verdict(session, held, verdict)
        return Pass(next_at=verdict.until)
    counts = await gating.count(session, held, now=now)
    allowed = allowance(held.limits, counts, now=now)
    if allowed.count == 0:
        return Pass(next_at=allowed.next_at)
    # All that were looked at are asked about, so that people who may not be called take nobody's turn.
    claimed = await _claim(session, held, batch.prepared, now=now)
    through = await _pass_the_gate(session, held, claimed, now=now)
    chosen = through[: allowed.count]
    reservations = await _write(session, held, chosen, worker=worker, boottime=boottime, now=now)
    if chosen or held.gate_rule is not None:
        await gating.started(session, held, reserved=len(chosen), now=now)
    limited = allowed.limited_by is not None and len(chosen) >= allowed.count
    return Pass(reservations, next_at=allowed.next_at, more=batch.is_full and not limited)


@dataclass(frozen=True, slots=True)
class _Claimed:
    prepared: Prepared
    attempts_made: int
    max_attempts: int
    number_in_use: bool
    last_disposition: Disposition | None


_CLAIM: Final = text(
    """
    SELECT r.id, r.updated_at, r.attempts_made, r.last_disposition,
           coalesce(r.attempts_allowed, :max_attempts) AS max_attempts,
           contact.number, contact.updated_at AS contact_version,
           EXISTS (SELECT 1 FROM attempt a
                   WHERE a.carrier_account_id = :carrier_account_id AND a.number_to = contact.number
                     AND a.status IN ('placing', 'unknown', 'review', 'queued', 'ringing', 'in_progress'))
               AS number_in_use
    FROM recipient r
    JOIN contact ON contact.id = r.contact_id
    WHERE r.id = ANY(CAST(:ids AS bigint[])) AND r.status = 'pending' AND r.not_before <= :now
    ORDER BY r.not_before, r.position
    FOR NO KEY UPDATE OF r SKIP LOCKED
    """
)


async def _claim(
    session: AsyncSession, held: Held, prepared: Sequence[Prepared], *, now: datetime
) -> list[_Claimed]:
    """Lock the recipients that are still due and still say what was rendered for them."""
    by_id = {each.recipient_id: each for each in prepared}
    rows = await session.execute(
        _CLAIM,
        {
            "ids": list(by_id),
            "max_attempts": held.max_attempts,
            "carrier_account_id": held.carrier_account_id,
            "now": now,
        },
    )
    return [
        _Claimed(
            by_id[row.id],
            row.attempts_made,
            row.max_attempts,
            row.number_in_use,
            Disposition(row.last_disposition) if row.last_disposition else None,
        )
        for row in rows
        if _is_current(by_id[row.id], row.updated_at, row.contact_version, row.number)
    ]


def _is_current(
    prepared: Prepared, recipient_version: datetime, contact_version: datetime, number: str
) -> bool:
    rendered_from = (prepared.recipient_version, prepared.contact_version, prepared.number)
    return rendered_from == (recipient_version, contact_version, number)


async def _pass_the_gate(
    session: AsyncSession, held: Held, claimed: Sequence[_Claimed], *, now: datetime
) -> list[Prepared]:
    """Return who may be contacted now; skip or snooze the others, each with the rule and the reason."""
    suppressed = await gating.suppressed(session, held, [each.prepared.number for each in claimed])
    chosen: list[Prepared] = []
    for each in claimed:
        verdict = gating.recipient_verdict(
            held,
            suppressed=suppressed.get(each.prepared.number),
            attempts_made=each.attempts_made,
            max_attempts=each.max_attempts,
            number_in_use=each.number_in_use,
            now=now,
        )
        if isinstance(verdict, Blocked):
            await _hold_back(session, each, verdict, now=now)
        elif each.prepared.problem is not None:
            await gating.skip(session, each.prepared.recipient_id, "template", each.prepared.problem, now=now)
        else:
            chosen.append(each.prepared)
    return chosen


async def _hold_back(session: AsyncSession, claimed: _Claimed, verdict: Blocked, *, now: datetime) -> None:
    """End whom a rule ends; let the others wait until the rule may answer otherwise."""
    recipient_id = claimed.prepared.recipient_id
    match verdict.rule:
        case Rule.SUPPRESSION:
            await gating.skip(session, recipient_id, verdict.rule, verdict.why, now=now)
        case Rule.ATTEMPTS:
            last = claimed.last_disposition
            await gating.use_up(
                session, recipient_id, verdict.rule, verdict.why, last_disposition=last, now=now
            )
        case _:
            until = verdict.until or now + ASK_AGAIN
            await gating.snooze(
                session, recipient_id, until=until, rule=verdict.rule, why=verdict.why, now=now
            )


_WRITE: Final = text(
    """
    WITH chosen AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:recipients AS bigint[]), CAST(:phone_numbers AS bigint[]),
            CAST(:from AS varchar[]), CAST(:to AS varchar[]), CAST(:rendered AS jsonb[])
        ) AS u (id, recipient_id, phone_number_id, number_from, number_to, rendered)
    ), written AS (
        INSERT INTO attempt (id, organization_id, campaign_id, run_id, step_id, recipient_id, contact_id, agent_id,
                             carrier_account_id, phone_number_id, channel, number_from, number_to, ordinal, rendered,
                             status, reserved_at, reserved_by, deadline_at, looks, opted_out, conflict)
        SELECT u.id, r.organization_id, r.campaign_id, r.run_id, r.step_id, r.id, r.contact_id, :agent_id,
               :carrier_account_id, u.phone_number_id, CAST(:channel AS varchar), u.number_from, u.number_to,
               coalesce((SELECT max(a.ordinal) FROM attempt a WHERE a.recipient_id = r.id), 0) + 1, u.rendered,
               'placing', :now, CAST(:worker AS varchar), :deadline_at, 0, false, false
        FROM chosen u JOIN recipient r ON r.id = u.recipient_id
    ), taken AS (
        UPDATE recipient r
        SET status = 'in_progress', attempts_made = r.attempts_made + 1, last_attempt_id = u.id,
            last_attempt_at = :now, blocked_by = NULL, blocked_why = NULL, updated_at = :now
        FROM chosen u WHERE r.id = u.recipient_id AND r.status = 'pending'
        RETURNING r.id, u.id AS attempt_id
    )
    INSERT INTO recipient_transition (recipient_id, old, new, reason, attempt_id, at)
    SELECT id, 'pending', 'in_progress', 'reserved', attempt_id, :now FROM taken
    """
)


async def _write(
    session: AsyncSession,
    held: Held,
    chosen: Sequence[Prepared],
    *,
    worker: str,
    boottime: float,
    now: datetime,
) -> tuple[Reservation, ...]:
    """Insert one attempt for each, `placing`, with its text and caller ID; the recipients go in progress."""
    if not chosen:
        return ()
    first = held.pool_cursor % len(held.caller_ids)
    callers = list(islice(cycle(held.caller_ids), first, first + len(chosen)))
    attempts = [
        _reservation(held, prepared, caller, boottime)
        for prepared, caller in zip(chosen, callers, strict=True)
    ]
    speech = {"language": held.language, "voice": held.voice}
    await session.execute(
        _WRITE,
        {
            "ids": [attempt.attempt_id for attempt in attempts],
            "recipients": [prepared.recipient_id for prepared in chosen],
            "phone_numbers": [caller.phone_number_id for caller in callers],
            "from": [caller.number for caller in callers],
            "to": [prepared.number for prepared in chosen],
            "rendered": [json.dumps((prepared.rendered or {}) | speech) for prepared in chosen],
            "agent_id": held.agent_id,
            "carrier_account_id": held.carrier_account_id,
            "channel": held.channel.value,
            "now": now,
            "worker": worker,
            "deadline_at": now + RECONCILE_AFTER,
        },
    )
    announce(session, organization_id=held.organization_id, campaign_id=held.campaign_id)
    return tuple(attempts)


def _reservation(held: Held, prepared: Prepared, caller: CallerId, boottime: float) -> Reservation:
    texts: Mapping[str, Any] = prepared.rendered or {}
    return Reservation(
        attempt_id=uuid4(),
        campaign_id=held.campaign_id,
        channel=held.channel,
        to=prepared.number,
        from_=caller.number,
        body=texts.get("body", ""),
        ring_timeout_seconds=held.ring_timeout_seconds,
        time_limit_seconds=held.time_limit_seconds,
        detect_machine=held.detect_machine,
        reserved_boottime=boottime,
    )
