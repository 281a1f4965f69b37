"""How many more attempts pilot, ramp and budget allow, and pausing on bad signs: asked under the campaign's lock.

People are counted, not attempts: a pilot of 20 is 20 people who were tried, and a retry of one of them takes
nobody else's place. It ends, as a ramp's step does, when nothing of it is under way: retries that are due hours
later are not waited for, and go with the rest. For messages delivery reports are waited for as at a campaign's end.

All of it is decided and written in the reservation's transaction: a kill leaves either nothing or all of it, and
whoever comes next decides the same. Counted it is before, without locks: at a million attempts that takes longer than
the whole account may wait. The count holds if nothing was reserved since, which the campaign's row tells.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain import ramp
from app.domain.budget import Spending, more_within
from app.domain.call_options import CallOptions
from app.domain.campaign import Channel
from app.domain.gate import Blocked, Rule
from app.models import Campaign, sql
from app.runtime.live_feed import announce
from app.services.campaigns.costs import read_spending
from app.services.campaigns.safeguard_settings import Safeguards
from app.services.campaigns.transitions import pause_by_system
from app.services.dialing.reserve import gate
from app.services.dialing.reserve.circuit_breaker import look_for_signs, trip
from app.services.dialing.reserve.held import Held
from app.services.dialing.settle.outcomes import REPORTS_WITHIN

COUNTED_FOR: Final = timedelta(seconds=10)
"""How long a count holds while room is left: each reservation is taken off it, only late prices are not."""

FULL_FOR: Final = timedelta(seconds=1)
"""How soon it is counted anew whether a call in flight cost less than was set aside for it."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the signs leave a campaign."""

    count: int | None = None
    """How many more attempts may be reserved now; None: the signs set no limit."""
    blocked: Blocked | None = None
    """What holds the campaign while `count` is 0, to be shown; it goes on by itself."""
    paused: bool = False
    """The campaign was paused in this transaction: nothing may be reserved, and the transaction must commit."""
    recount: bool = False
    """Somebody reserved since it was counted: nothing may be reserved before it is counted anew."""


class Guarded(Protocol):
    """What is known of a guarded campaign, with or without its lock."""

    @property
    def campaign_id(self) -> int: ...  # noqa: D102 - as `Held`
    @property
    def channel(self) -> Channel: ...  # noqa: D102
    @property
    def safeguards(self) -> Safeguards: ...  # noqa: D102
    @property
    def gate_rule(self) -> str | None: ...  # noqa: D102
    @property
    def gate_why(self) -> str | None: ...  # noqa: D102
    @property
    def call_options(self) -> CallOptions: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """A campaign as its row was before the lock."""

    campaign_id: int
    channel: Channel
    safeguards: Safeguards
    gate_rule: str | None
    gate_why: str | None
    call_options: CallOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """What pilot, ramp and budget go by."""

    reached: int
    """People tried at least once: nobody of whom it is proven that nothing was placed."""
    total: int
    untried: bool
    """Somebody waits for the first attempt."""
    live: int
    awaited: bool
    """A message's delivery report may still come."""
    spending: Spending | None

    @property
    def under_way(self) -> bool:
        return self.live > 0 or self.awaited


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How many more attempts one guard allows (None: any number), or why none, for now or until a person resumes."""

    left: int | None = None
    blocked: Blocked | None = None
    pause: Blocked | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A count without locks, and what the campaign's row said before it: each reservation changes that."""

    count: _Count
    left: int | None
    at: datetime | None

    def holds(self, guards: Safeguards) -> bool:
        """Tell whether nothing was reserved since."""
        return (self.left, self.at) == (guards.room_left, guards.room_at)


async def count_ahead(session: AsyncSession, campaign: Campaign, *, now: datetime) -> Counted | None:
    """Count what the guards of a campaign go by, if what was counted last does not hold any more. Locks nothing.

    `campaign`: its row as it was read before this.
    """
    looked = _Looked(
        campaign_id=campaign.id,
        channel=campaign.channel,
        safeguards=Safeguards.of(vars(campaign)),
        gate_rule=campaign.gate_rule,
        gate_why=campaign.gate_why,
        call_options=CallOptions.of(vars(campaign)),
    )
    if not _is_limited(looked.safeguards) or await _kept(session, looked, now=now) is not None:
        return None
    count = await _count(session, looked, now=now)
    return Counted(count, looked.safeguards.room_left, looked.safeguards.room_at)


async def room(session: AsyncSession, held: Held, counted: Counted | None, *, now: datetime) -> Room:
    """Return how many more attempts of the campaign its pilot, ramp and budget allow; pause it on a bad sign.

    The caller holds the campaign's lock and has found it dialing. `counted`: what `count_ahead` gave.
    """
    limited = _is_limited(held.safeguards)
    kept = await _kept(session, held, now=now) if limited else None
    count = counted.count if counted is not None and counted.holds(held.safeguards) else None
    if limited and kept is None and count is None:
        return Room(0, recount=True)
    # Looked for after the count: what had ended by then, the breaker sees.
    tripped = await look_for_signs(session, held)
    if tripped is not None:
        await trip(session, held, tripped, now=now)
        return Room(paused=True)
    if kept is not None or count is None or not limited:
        return kept or Room()
    return await _decide(session, held, count, now=now)


def _is_limited(guards: Safeguards) -> bool:
    return bool(guards.pilot_to_pass) or _ramps(guards) or guards.budget is not None


def _ramps(guards: Safeguards) -> bool:
    return guards.ramp and guards.ramp_step < ramp.LAST


async def _kept(session: AsyncSession, held: Guarded, *, now: datetime) -> Room | None:
    """Return what was counted last, if that still holds; None: count anew."""
    left, at = held.safeguards.room_left, held.safeguards.room_at
    if left is None or at is None:
        return None
    if left > 0:
        return Room(left) if now < at + COUNTED_FOR else None
    waits = held.gate_rule in {Rule.PILOT, Rule.RAMP} or (
        held.gate_rule == Rule.BUDGET and now < at + FULL_FOR
    )
    if not waits or not await _under_way(session, held, now=now):
        return None
    return Room(0, Blocked(Rule(held.gate_rule or Rule.BUDGET), None, held.gate_why or ""))


async def _decide(session: AsyncSession, held: Held, count: _Count, *, now: datetime) -> Room:
    guards = held.safeguards
    step = _next_step(guards, count)
    verdicts = (_pilot(guards, count), _ramp(guards, count, step), _budget(held, count))
    pause = next((each.pause for each in verdicts if each.pause), None)
    if pause is not None:
        await gate.store_verdict(session, held, pause)
        await pause_by_system(session, campaign_id=held.campaign_id, reason=pause.why, now=now)
        announce(session, organization_id=held.organization_id, campaign_id=held.campaign_id)
        return Room(paused=True)
    blocked = next((each.blocked for each in verdicts if each.blocked), None)
    left = min((each.left for each in verdicts if each.left is not None), default=None)
    left = 0 if blocked else left
    await session.execute(_KEEP, {"campaign_id": held.campaign_id, "left": left, "step": step, "now": now})
    if step != guards.ramp_step:
        announce(session, organization_id=held.organization_id, campaign_id=held.campaign_id)
    return Room(left, blocked)


def _pilot(guards: Safeguards, count: _Count) -> _Verdict:
    size = guards.pilot_to_pass
    if not size or not count.untried:
        return _Verdict()
    if count.reached < size:
        return _Verdict(left=size - count.reached)
    if count.under_way:
        why = f"The pilot of {size:,} has been dialed. Its attempts are still under way."
        return _Verdict(blocked=Blocked(Rule.PILOT, None, why))
    why = f"The pilot of {size:,} is done: look at the results, then resume to dial the rest"
    return _Verdict(pause=Blocked(Rule.PILOT, None, why))


def _next_step(guards: Safeguards, count: _Count) -> int:
    """Return the ramp's step to go on with: another one only when nothing of this one is under way."""
    if not _ramps(guards) or count.under_way:
        return guards.ramp_step
    return ramp.step_for(
        count.reached, step=guards.ramp_step, total=count.total, least=guards.breaker.minimum
    )


def _ramp(guards: Safeguards, count: _Count, step: int) -> _Verdict:
    if not guards.ramp or step >= ramp.LAST:
        return _Verdict()
    most = ramp.people(step, total=count.total, least=guards.breaker.minimum)
    if count.reached < most:
        return _Verdict(left=most - count.reached)
    why = f"The first {most:,} people have been dialed. More follow when these attempts have ended well."
    return _Verdict(blocked=Blocked(Rule.RAMP, None, why))


def _budget(held: Held, count: _Count) -> _Verdict:
    cap, spending = held.safeguards.budget, count.spending
    if cap is None or spending is None:
        return _Verdict()
    left = more_within(cap, spending)
    if left > 0:
        return _Verdict(left=left)
    one, unit = ("message" if held.channel is Channel.SMS else "call"), spending.unit
    if count.live:
        why = f"What the {one}s under way may cost uses the budget of {cap:,.2f} {unit} up."
        return _Verdict(blocked=Blocked(Rule.BUDGET, None, why))
    why = (
        f"The budget of {cap:,.2f} {unit} is used up: {spending.ended:,.2f} {unit} are spent,"
        f" and one more {one} may cost {spending.each:,.2f} {unit}"
    )
    return _Verdict(pause=Blocked(Rule.BUDGET, None, why))


_UNDER_WAY: Final = text(
    f"""
    SELECT EXISTS (SELECT 1 FROM attempt WHERE campaign_id = :campaign_id AND status IN {sql.LIVE})
        OR CASE WHEN CAST(:awaits_reports AS boolean)
                THEN EXISTS (SELECT 1 FROM attempt WHERE campaign_id = :campaign_id AND status = 'sent'
                             AND last_event_at > :reports_since)
                ELSE false END
    """  # noqa: S608 - as below
)

# Whom a campaign has tried is read from its attempts: while few were tried, few rows are read.
_PEOPLE: Final = text(
    f"""
    SELECT
      (SELECT count(*) FROM recipient r
       WHERE r.attempts_made > 0
         AND r.id IN (SELECT a.recipient_id FROM attempt a WHERE a.campaign_id = :campaign_id)) AS reached,
      (SELECT count(*) FROM recipient WHERE campaign_id = :campaign_id) AS total,
      EXISTS (SELECT 1 FROM recipient
              WHERE campaign_id = :campaign_id AND status = 'pending' AND attempts_made = 0) AS untried,
      (SELECT count(*) FROM attempt WHERE campaign_id = :campaign_id AND status IN {sql.LIVE}) AS live,
      CASE WHEN CAST(:is_text AS boolean)
           THEN EXISTS (SELECT 1 FROM attempt
                        WHERE campaign_id = :campaign_id AND status = 'sent' AND last_event_at > :reports_since)
           ELSE false END AS awaited
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

# Never the same time twice: with what is left it tells whether anything was reserved since a count.
_KEEP: Final = text(
    """
    UPDATE campaign SET room_left = :left, ramp_step = :step,
           room_at = greatest(CAST(:now AS timestamptz), room_at + interval '1 microsecond')
    WHERE id = :campaign_id
    """
)


async def _count(session: AsyncSession, held: Guarded, *, now: datetime) -> _Count:
    given = {
        "campaign_id": held.campaign_id,
        "is_text": held.channel is Channel.SMS,
        "reports_since": now - REPORTS_WITHIN,
    }
    people = (await session.execute(_PEOPLE, given)).one()
    spending = None
    if held.safeguards.budget is not None:
        spending = await read_spending(
            session, held.campaign_id, held.channel, longest_seconds=held.call_options.longest_seconds
        )
    return _Count(
        reached=people.reached,
        total=people.total,
        untried=people.untried,
        live=people.live,
        awaited=people.awaited,
        spending=spending,
    )


async def _under_way(session: AsyncSession, held: Guarded, *, now: datetime) -> bool:
    """Tell whether what the guard waits for still goes on, without counting anybody."""
    given = {
        "campaign_id": held.campaign_id,
        # A budget does not wait for reports: what a message costs is known when it is sent.
        "awaits_reports": held.channel is Channel.SMS and held.gate_rule != Rule.BUDGET,
        "reports_since": now - REPORTS_WITHIN,
    }
    found: bool = (await session.execute(_UNDER_WAY, given)).scalar_one()
    return found
