"""How many more attempts pilot, ramp and budget allow, and the pause on a bad sign. Both need the campaign's lock.

Pilot and ramp count people of the run, not attempts: a pilot of 20 is 20 people who were tried, and a retry of one of
them does not count again. A pilot or a step of the ramp ends when none of its attempts is under way. It does not wait
for retries that are due hours later: they are dialed with the rest. For messages it waits for delivery reports, as a
campaign does before it completes.

The decision is written in the reservation's transaction. If the process is killed, either all of it is stored or
nothing, and the next pass decides the same. The count is taken before, without locks: with a million attempts it takes
longer than the whole account may be locked. It is used only if nothing was reserved since; the campaign's row tells.
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
from app.services.dialing.reserve.circuit_breaker import judge_last_outcomes, pause_by_breaker
from app.services.dialing.reserve.held import Held
from app.services.dialing.settle.outcomes import REPORTS_WITHIN

COUNTED_FOR: Final = timedelta(seconds=10)
"""How long a count is used while attempts are allowed. Each reservation is taken off it; late prices are not."""

FULL_FOR: Final = timedelta(seconds=1)
"""How soon a used-up budget is counted again: a call may have cost less than was set aside for it."""


@dataclass(frozen=True, slots=True)
class SafeguardAllowance:
    """How much the safeguards allow a campaign now."""

    count: int | None = None
    """How many more attempts may be reserved now; None: the safeguards set no limit."""
    blocked: Blocked | None = None
    """Why `count` is 0, for the campaign's page. The campaign goes on by itself."""
    paused: bool = False
    """The campaign was paused in this transaction: reserve nothing, and commit."""
    recount: bool = False
    """Another pass reserved after the count: reserve nothing, and count again first."""


class HasSafeguards(Protocol):
    """A campaign with safeguards, with or without its lock."""

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
class _Unlocked:
    """A campaign as its row was before the lock."""

    campaign_id: int
    channel: Channel
    safeguards: Safeguards
    gate_rule: str | None
    gate_why: str | None
    call_options: CallOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """The numbers that pilot, ramp and budget are decided by."""

    reached: int
    """People tried at least once. An attempt that was proven not to be placed does not count."""
    total: int
    untried: bool
    """At least one person waits for the first attempt."""
    live: int
    awaited: bool
    """A message's delivery report may still come."""
    spending: Spending | None

    @property
    def under_way(self) -> bool:
        return self.live > 0 or self.awaited


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one safeguard allows: `left` more attempts (None: no limit), or none and why.

    `blocked`: the campaign goes on by itself later; `pause`: a person must resume it.
    """

    left: int | None = None
    blocked: Blocked | None = None
    pause: Blocked | None = None


@dataclass(frozen=True, slots=True)
class SafeguardCount:
    """A count without locks, with `room_left` and `room_at` of the campaign's row before it.

    Each reservation changes these two, so they tell whether the count is still true.
    """

    count: _Count
    left: int | None
    at: datetime | None

    def holds(self, safeguards: Safeguards) -> bool:
        """Tell whether nothing was reserved since the count."""
        return (self.left, self.at) == (safeguards.room_left, safeguards.room_at)


async def count_ahead(session: AsyncSession, campaign: Campaign, *, now: datetime) -> SafeguardCount | None:
    """Count for a campaign's safeguards, without locks. None: it has none, or the last count can still be used.

    `campaign`: its row, read before this.
    """
    unlocked = _Unlocked(
        campaign_id=campaign.id,
        channel=campaign.channel,
        safeguards=Safeguards.of(vars(campaign)),
        gate_rule=campaign.gate_rule,
        gate_why=campaign.gate_why,
        call_options=CallOptions.of(vars(campaign)),
    )
    limits = unlocked.safeguards
    if not _is_limited(limits) or await _kept(session, unlocked, now=now) is not None:
        return None
    count = await _count(session, unlocked, now=now)
    return SafeguardCount(count, limits.room_left, limits.room_at)


async def check(
    session: AsyncSession, held: Held, counted: SafeguardCount | None, *, now: datetime
) -> SafeguardAllowance:
    """Return how many more attempts pilot, ramp and budget allow the campaign; pause it on a bad sign.

    The caller holds the campaign's lock, and the campaign is dialing. `counted`: the result of `count_ahead`.
    """
    limited = _is_limited(held.safeguards)
    kept = await _kept(session, held, now=now) if limited else None
    count = counted.count if counted is not None and counted.holds(held.safeguards) else None
    if limited and kept is None and count is None:
        return SafeguardAllowance(0, recount=True)
    # After the count, so that the breaker sees every attempt that had ended by then.
    trip = await judge_last_outcomes(session, held)
    if trip is not None:
        await pause_by_breaker(session, held, trip, now=now)
        return SafeguardAllowance(paused=True)
    if kept is not None or count is None or not limited:
        return kept or SafeguardAllowance()
    return await _decide(session, held, count, now=now)


def _is_limited(safeguards: Safeguards) -> bool:
    return bool(safeguards.pilot_to_pass) or _ramps(safeguards) or safeguards.budget is not None


def _ramps(safeguards: Safeguards) -> bool:
    return safeguards.ramp and safeguards.ramp_step < ramp.LAST


async def _kept(session: AsyncSession, held: HasSafeguards, *, now: datetime) -> SafeguardAllowance | None:
    """Return what the last count allows, if it can still be used; None: count again."""
    left, at = held.safeguards.room_left, held.safeguards.room_at
    if left is None or at is None:
        return None
    if left > 0:
        return SafeguardAllowance(left) if now < at + COUNTED_FOR else None
    waits = held.gate_rule in {Rule.PILOT, Rule.RAMP} or (
        held.gate_rule == Rule.BUDGET and now < at + FULL_FOR
    )
    if not waits or not await _under_way(session, held, now=now):
        return None
    return SafeguardAllowance(0, Blocked(Rule(held.gate_rule or Rule.BUDGET), None, held.gate_why or ""))


async def _decide(session: AsyncSession, held: Held, count: _Count, *, now: datetime) -> SafeguardAllowance:
    safeguards = held.safeguards
    step = _next_step(safeguards, count)
    verdicts = (_pilot(safeguards, count), _ramp(safeguards, count, step), _budget(held, count))
    pause = next((each.pause for each in verdicts if each.pause), None)
    if pause is not None:
        await gate.store_verdict(session, held, pause)
        await pause_by_system(session, campaign_id=held.campaign_id, reason=pause.why, now=now)
        announce(session, organization_id=held.organization_id, campaign_id=held.campaign_id)
        return SafeguardAllowance(paused=True)
    blocked = next((each.blocked for each in verdicts if each.blocked), None)
    left = min((each.left for each in verdicts if each.left is not None), default=None)
    left = 0 if blocked else left
    await session.execute(_KEEP, {"campaign_id": held.campaign_id, "left": left, "step": step, "now": now})
    if step != safeguards.ramp_step:
        announce(session, organization_id=held.organization_id, campaign_id=held.campaign_id)
    return SafeguardAllowance(left, blocked)


def _pilot(safeguards: Safeguards, count: _Count) -> _Verdict:
    size = safeguards.pilot_to_pass
    if not size or not count.untried:
        return _Verdict()
    if count.reached < size:
        return _Verdict(left=size - count.reached)
    if count.under_way:
        why = f"The pilot of {size:,} has been dialed. Its attempts are still under way."
        return _Verdict(blocked=Blocked(Rule.PILOT, None, why))
    why = f"The pilot of {size:,} is done: look at the results, then resume to dial the rest"
    return _Verdict(pause=Blocked(Rule.PILOT, None, why))


def _next_step(safeguards: Safeguards, count: _Count) -> int:
    """Return the ramp's step to go on with: the next one only when no attempt of this one is under way."""
    if not _ramps(safeguards) or count.under_way:
        return safeguards.ramp_step
    return ramp.step_for(
        count.reached, step=safeguards.ramp_step, total=count.total, least=safeguards.breaker.minimum
    )


def _ramp(safeguards: Safeguards, count: _Count, step: int) -> _Verdict:
    if not safeguards.ramp or step >= ramp.LAST:
        return _Verdict()
    most = ramp.people(step, total=count.total, least=safeguards.breaker.minimum)
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

# People are counted in the newest run. Those tried are found through the attempts: while few were tried, few rows are
# read.
_PEOPLE: Final = text(
    f"""
    WITH newest AS (SELECT id FROM run WHERE campaign_id = :campaign_id ORDER BY number DESC LIMIT 1)
    SELECT
      (SELECT count(*) FROM recipient r
       WHERE r.attempts_made > 0
         AND r.id IN (SELECT a.recipient_id FROM attempt a
                      WHERE a.campaign_id = :campaign_id AND a.run_id = (SELECT id FROM newest))) AS reached,
      (SELECT count(*) FROM recipient
       WHERE campaign_id = :campaign_id AND run_id = (SELECT id FROM newest)) AS total,
      EXISTS (SELECT 1 FROM recipient
              WHERE campaign_id = :campaign_id AND status = 'pending' AND attempts_made = 0) AS untried,
      (SELECT count(*) FROM attempt WHERE campaign_id = :campaign_id AND status IN {sql.LIVE}) AS live,
      CASE WHEN CAST(:is_text AS boolean)
           THEN EXISTS (SELECT 1 FROM attempt
                        WHERE campaign_id = :campaign_id AND status = 'sent' AND last_event_at > :reports_since)
           ELSE false END AS awaited
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

# `room_at` always changes: with `room_left` it tells whether anything was reserved after a count.
_KEEP: Final = text(
    """
    UPDATE campaign SET room_left = :left, ramp_step = :step,
           room_at = greatest(CAST(:now AS timestamptz), room_at + interval '1 microsecond')
    WHERE id = :campaign_id
    """
)


async def _count(session: AsyncSession, held: HasSafeguards, *, now: datetime) -> _Count:
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


async def _under_way(session: AsyncSession, held: HasSafeguards, *, now: datetime) -> bool:
    """Tell whether attempts that a safeguard waits for are still under way. Counts nothing."""
    given = {
        "campaign_id": held.campaign_id,
        # A budget does not wait for reports: the cost of a message is known when it is sent.
        "awaits_reports": held.channel is Channel.SMS and held.gate_rule != Rule.BUDGET,
        "reports_since": now - REPORTS_WITHIN,
    }
    found: bool = (await session.execute(_UNDER_WAY, given)).scalar_one()
    return found
