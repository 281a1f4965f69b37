"""Step one of placing: count, ask the gate and write the attempts under lock, before anything is sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.call_options import CallOptions
from app.domain.campaign import DIALING, Channel
from app.domain.gate import SKIPS, Blocked, Rule
from app.domain.pacing import MOST_AT_ONCE, PacingLimit, allowance
from app.domain.pool import NumberUse
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.campaigns.transitions import fail_by_system, run_by_system
from app.services.dialing.reserve import gate, limits, safeguards
from app.services.dialing.reserve.candidates import (
    CandidateBatch,
    Prepared,
    SettingsUnreadable,
    prepare_batch,
)
from app.services.dialing.reserve.claim import Claimed, claim
from app.services.dialing.reserve.held import Held, lock
from app.services.places.contacts import resolve_recipients
from app.services.places.hours import legal_cap, opening_at
from app.services.places.openings import WaitingPlaces, closed_everywhere
from app.services.recipients.transitions import TAKEN, skip, use_up

BATCH: Final = MOST_AT_ONCE
"""Most attempts reserved in one pass."""

RECONCILE_AFTER: Final = timedelta(seconds=20)
"""A reservation without an answer for longer than this belongs to a dead worker: requests leave within 10 s."""

ASK_AGAIN: Final = timedelta(seconds=30)
"""How long a recipient waits if the reason has no end time, such as another live attempt to its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A committed attempt. Its worker places it within 10 s or gives it up."""

    attempt_id: UUID
    campaign_id: int
    channel: Channel
    to: str
    from_: str
    body: str
    call_options: CallOptions
    reserved_boottime: float
    """When it may leave, by the clock that goes on while the machine sleeps: now, or a moment ahead."""
    is_paced: bool = False
    """A rate applies: a second late, it would leave together with the starts of the next second."""
    closes_at: datetime | None = None
    """When this person's calling hours end; None: they do not end."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The result of one pass over a campaign."""

    reservations: tuple[Reservation, ...] = ()
    next_at: datetime | None = None
    """When more is allowed by time alone; None: a free slot or a change is needed first."""
    more: bool = False
    """More may be reserved at once."""
    awaits_answers: bool = False
    """Answers of the carrier may allow more before `next_at`."""


async def reserve(
    database: Database,
    *,
    campaign_id: int,
    worker: str,
    carrier_account_id: int,
    clock: Clock,
    most: int = BATCH,
    ahead: timedelta = timedelta(0),
    waiting: WaitingPlaces | None = None,
) -> Pass:
    """Reserve as many attempts of the campaign as every limit allows, at most `most` (its fair share), and commit.

    Reserves nothing if the campaign has moved to another carrier account than the worker's. Fails the campaign if it
    cannot be dialed before a person corrects it. `ahead`: also reserve what the rates allow within this time; each
    attempt is dated when it may leave, and is placed then. `waiting`: where people wait, if it was just read.
    """
    now = clock.now()
    try:
        batch = await _read(database, campaign_id, waiting, most=most, now=now)
        if batch is not None and (batch.waiting.unresolved or batch.moved):
            work = partial(resolve_recipients, campaign_id=campaign_id, moved=batch.moved)
            if await database.write(work):
                batch = await _read(database, campaign_id, None, most=most, now=now)
    except SettingsUnreadable as error:
        await database.write(partial(fail_by_system, campaign_id=campaign_id, reason=str(error), now=now))
        return Pass()
    if batch is None or not batch.waiting.known:
        return Pass()
    counted = None
    if batch.prepared:
        async with database.reading() as session:
            counted = await safeguards.count_ahead(session, batch.campaign, now=now)
    fault("before_reserve")

    async def reserve_under_lock(session: AsyncSession) -> Pass:
        held = await lock(session, campaign_id, now=now)
        if held is None or held.carrier_account_id != carrier_account_id:
            return Pass()
        # Starts are dated from now, not from before the wait for the locks: rates are counted by these dates.
        start = _Start(clock.now(), clock.boottime(), ahead)
        outcome = await _reserve_held(session, held, batch, counted, most=most, worker=worker, start=start)
        fault("before_reserve_commit")
        return outcome

    outcome = await database.write(reserve_under_lock)
    fault("after_reserve_commit")
    return outcome


async def _read(
    database: Database, campaign_id: int, waiting: WaitingPlaces | None, *, most: int, now: datetime
) -> CandidateBatch | None:
    async with database.reading() as session:
        return await prepare_batch(
            session, campaign_id=campaign_id, most=most, at_most=BATCH, now=now, waiting=waiting
        )


@dataclass(frozen=True, slots=True)
class _Start:
    """When a pass began, by both clocks, and how far ahead its attempts may be dated."""

    now: datetime
    boottime: float
    ahead: timedelta


async def _reserve_held(
    session: AsyncSession,
    held: Held,
    batch: CandidateBatch,
    counted: safeguards.SafeguardCount | None,
    *,
    most: int,
    worker: str,
    start: _Start,
) -> Pass:
    now = start.now
    closed = await _closed(session, held, batch, now=now)
    if closed is not None or not batch.prepared:
        return closed or Pass()
    safe = await safeguards.check(session, held, counted, now=now)
    if safe.paused or safe.recount:
        return Pass(more=safe.recount)
    if safe.blocked is not None:
        await gate.store_verdict(session, held, safe.blocked)
        return Pass(next_at=safe.blocked.until)
    counts = await limits.count(session, held, now=now)
    ahead = min((start.ahead, *(at - now for at in _closings(held, batch, now=now))))
    allowed = allowance(held.limits, counts, now=now, ahead=ahead)
    # Wake up half of `ahead` early: a dialer that is less late than that still dates each start at its time.
    next_at = None if allowed.next_at is None else allowed.next_at - start.ahead / 2
    count = min(allowed.count, most, safe.count if safe.count is not None else most)
    awaits_answers = allowed.limited_by is PacingLimit.CARRIER_ANSWERS
    if count == 0:
        return Pass(next_at=next_at, awaits_answers=awaits_answers)
    # Ask the gate about all of them, so that people who may not be called do not use up the count.
    caps = {each.place_id: cap for each in batch.waiting.known if (cap := legal_cap(held.hours, each.place))}
    claimed = await claim(session, held, batch.prepared, legal_caps=caps, now=now)
    through = await _pass_the_gate(session, held, claimed, now=now)
    chosen = _with_numbers(held, through[:count])
    starts = allowed.starts or (now,) * count
    reservations = await _write(session, held, chosen, starts[: len(chosen)], worker=worker, start=start)
    if chosen or held.gate_rule is not None:
        await run_by_system(
            session,
            campaign_id=held.campaign_id,
            organization_id=held.organization_id,
            was=held.status,
            reserved=len(chosen),
            pool_cursor=held.pool.cursor,
            now=now,
        )
    only_the_pass_ended = count == allowed.count and allowed.limited_by is None
    more = batch.is_full and (only_the_pass_ended or len(chosen) < count)
    return Pass(reservations, next_at, more and held.pool.free, awaits_answers)


async def _closed(session: AsyncSession, held: Held, batch: CandidateBatch, *, now: datetime) -> Pass | None:
    """Return the pass of a campaign that may not dial now; None if it may."""
    if held.status not in DIALING or held.updated_at != batch.campaign.updated_at:
        return Pass()
    if (turned_away := gate.turned_away(held, now=now)) is not None:
        return Pass(next_at=turned_away.until)
    # Not about one recipient: what blocks the campaign as a whole.
    verdict = gate.recipient_verdict(held, suppressed=None, attempts_made=0, attempts_allowed=1, now=now)
    if isinstance(verdict, Blocked) and verdict.rule is Rule.CALLER_ID and held.pool.is_lost:
        reason = gate.why_no_number(held)
        await fail_by_system(session, campaign_id=held.campaign_id, reason=reason, now=now)
        return Pass()
    blocked = (
        verdict
        if isinstance(verdict, Blocked)
        else closed_everywhere(held.hours, batch.waiting.known, now=now)
    )
    if blocked is not None:
        await gate.store_verdict(session, held, blocked)
        return Pass(next_at=blocked.until)
    return None


def _closings(held: Held, batch: CandidateBatch, *, now: datetime) -> list[datetime]:
    """Return when the calling hours end in the places where they are open now."""
    openings = (opening_at(held.hours, each.place, now=now) for each in batch.waiting.known)
    return [each.closes_at for each in openings if each.is_open(now) and each.closes_at is not None]


async def _pass_the_gate(
    session: AsyncSession, held: Held, claimed: Sequence[Claimed], *, now: datetime
) -> list[Claimed]:
    """Return the recipients that may be contacted now; skip or delay the others, with the rule and the reason."""
    suppressed = await gate.suppressed(session, held, [each.prepared.number for each in claimed])
    chosen: list[Claimed] = []
    for each in claimed:
        verdict = gate.verdict_of(held, each, suppressed.get(each.prepared.number), now=now)
        if isinstance(verdict, Blocked):
            await _hold_back(session, each, verdict, now=now)
        else:
            chosen.append(each)
    return chosen


def _with_numbers(held: Held, through: Sequence[Claimed]) -> list[tuple[Claimed, NumberUse]]:
    """Return the recipients to reserve with our number for each. Without a free number they wait for the next pass."""
    picked = [
        (
            each,
            held.pool.choose(each.prepared.number, seen_last=each.seen_last, other_than=each.shown_last),
        )
        for each in through
    ]
    return [(claimed, caller) for claimed, caller in picked if caller is not None]


async def _hold_back(session: AsyncSession, claimed: Claimed, verdict: Blocked, *, now: datetime) -> None:
    """Skip or end the recipient if the rule says so; else let it wait until the rule may change its answer."""
    recipient_id = claimed.prepared.recipient_id
    match verdict.rule:
        case rule if rule in SKIPS:
            await skip(session, recipient_id, verdict.rule, verdict.why, now=now)
        case Rule.ATTEMPTS:
            last = claimed.last_disposition
            await use_up(session, recipient_id, verdict.rule, verdict.why, last_disposition=last, now=now)
        case Rule.CALLING_HOURS:
            pass  # The hours there have ended since the people were read. Their place is not read until it opens.
        case _:
            until = verdict.until or now + ASK_AGAIN
            await gate.snooze(session, recipient_id, until=until, rule=verdict.rule, why=verdict.why, now=now)


_WRITE: Final = text(
    f"""
    WITH texts AS MATERIALIZED (
        -- As one document: quoting an array of documents costs the driver a tenth of a whole dial.
        SELECT CAST(:rendered AS jsonb) AS all_of_them
    ), chosen AS (
        SELECT u.*, texts.all_of_them -> CAST(u.nth - 1 AS integer) AS rendered FROM unnest(
            CAST(:ids AS uuid[]), CAST(:recipients AS bigint[]), CAST(:phone_numbers AS bigint[]),
            CAST(:from AS varchar[]), CAST(:to AS varchar[]), CAST(:starts AS timestamptz[]),
            CAST(:places AS bigint[]), CAST(:closings AS timestamptz[])
        ) WITH ORDINALITY
            AS u (id, recipient_id, phone_number_id, number_from, number_to, start, place_id, closes_at, nth), texts
    ), written AS (
        INSERT INTO attempt (id, organization_id, campaign_id, run_id, step_id, recipient_id, contact_id, agent_id,
                             carrier_account_id, phone_number_id, channel, number_from, number_to, ordinal, rendered,
                             status, reserved_at, reserved_by, deadline_at, closes_at, place_id, legal_hours, looks,
                             opted_out, conflict)
        SELECT u.id, r.organization_id, r.campaign_id, r.run_id, r.step_id, r.id, r.contact_id, :agent_id,
               :carrier_account_id, u.phone_number_id, CAST(:channel AS varchar), u.number_from, u.number_to,
               coalesce((SELECT max(a.ordinal) FROM attempt a WHERE a.recipient_id = r.id), 0) + 1, u.rendered,
               'placing', u.start, CAST(:worker AS varchar), :deadline_at, u.closes_at, u.place_id,
               CAST(:legal_hours AS varchar), 0, false, false
        FROM chosen u JOIN recipient r ON r.id = u.recipient_id
    ), {TAKEN}
    """  # noqa: S608 - constants are put in, nothing a caller gives
)


async def _write(
    session: AsyncSession,
    held: Held,
    chosen: Sequence[tuple[Claimed, NumberUse]],
    starts: Sequence[datetime],
    *,
    worker: str,
    start: _Start,
) -> tuple[Reservation, ...]:
    """Insert one `placing` attempt for each, with its text and caller ID; the recipients become in progress."""
    if not chosen:
        return ()
    now = start.now
    closings = [opening_at(held.hours, claimed.place, now=now).closes_at for claimed, _ in chosen]
    attempts = [
        _reservation(
            held, claimed.prepared, caller, start.boottime + (at - now).total_seconds(), closes_at=closes
        )
        for (claimed, caller), at, closes in zip(chosen, starts, closings, strict=True)
    ]
    speech = {"language": held.language, "voice": held.voice}
    await session.execute(
        _WRITE,
        {
            "ids": [attempt.attempt_id for attempt in attempts],
            "recipients": [claimed.prepared.recipient_id for claimed, _ in chosen],
            "phone_numbers": [caller.phone_number_id for _, caller in chosen],
            "from": [caller.number for _, caller in chosen],
            "to": [claimed.prepared.number for claimed, _ in chosen],
            "rendered": json.dumps([(claimed.prepared.rendered or {}) | speech for claimed, _ in chosen]),
            "places": [claimed.prepared.place_id for claimed, _ in chosen],
            "closings": closings,
            "legal_hours": held.hours.stamp,
            "starts": list(starts),
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


def _reservation(
    held: Held, prepared: Prepared, caller: NumberUse, boottime: float, *, closes_at: datetime | None
) -> Reservation:
    texts: Mapping[str, Any] = prepared.rendered or {}
    return Reservation(
        attempt_id=uuid4(),
        campaign_id=held.campaign_id,
        channel=held.channel,
        to=prepared.number,
        from_=caller.number,
        body=texts.get("body", ""),
        call_options=held.call_options,
        reserved_boottime=boottime,
        is_paced=held.limits.is_paced,
        closes_at=closes_at,
    )
