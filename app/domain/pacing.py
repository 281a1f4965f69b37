"""How many calls or messages may start now: free slots, exact sliding rates and the gap between two starts.

Nothing is held or leaked: slots are counted from live attempts and rates from the times of past reservations,
so any number of dialers that ask under one lock get answers that hold together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Any, Final, Self

from app.domain.campaign import Channel

MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)

GUARD: Final = 0.025
"""Every rate's window is longer by this part: requests reach the carrier unevenly late, and it must see no excess."""

LONGEST_GUARD: Final = timedelta(milliseconds=500)

_TINY: Final = 1e-9
"""Parts of a slot smaller than this are rounding."""

_MOST_SHARED: Final = 1_000
"""Slots handed out at one time: the next pass hands out the rest."""

MOST_AT_ONCE: Final = 200
"""Reserve no more in one pass, whatever the limits: what a crash leaves reserved has to be looked up."""


BOUNDARY: Final = 2
"""By the carrier's clock a window may hold this many starts more than the rate: requests travel unevenly long, so that
one that started before it may be taken within it."""

ANSWERED_WITHIN: Final = timedelta(seconds=8)
"""A request is answered, or given up, no later than this after its date: it leaves a second late at most, and has seven
seconds. One of a process that died is answered no more, and counts as taken by then."""

_NO_TIME: Final = timedelta(0)

_UNPACED: Final = 10_000
"""Starts that no dialer comes near: a larger rate is none, and what is sent late makes no excess."""


class PacingLimit(StrEnum):
    """What holds a campaign back."""

    CAMPAIGN_CONCURRENCY = "campaign_concurrency"
    ORGANIZATION_CONCURRENCY = "organization_concurrency"
    AGENT_CONCURRENCY = "agent_concurrency"
    THROTTLE_DELAY = "throttle_delay"
    CALLS_PER_MINUTE = "calls_per_minute"
    MESSAGES_PER_SECOND = "messages_per_second"
    ACCOUNT_PER_SECOND = "account_per_second"
    CARRIER_ANSWERS = "carrier_answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingLimits:
    """The limits of one campaign, its organization, agent and carrier account. 0 is no limit."""

    campaign_concurrency: int
    organization_concurrency: int
    agent_concurrency: int = 0
    calls_per_minute: int = 0
    throttle_delay_ms: int = 0
    """Least time between two starts of the campaign."""
    messages_per_second: int = 0
    account_per_second: int = 0

    @classmethod
    def of(cls, campaign: Mapping[Any, Any]) -> Self:
        """Return the limits that a campaign's row sets; those of others are left open.

        A message holds no line: it is paced per second, and counted against nothing else.
        """
        if campaign["channel"] == Channel.SMS:
            return cls(
                campaign_concurrency=0,
                organization_concurrency=0,
                messages_per_second=campaign["messages_per_second"],
            )
        return cls(
            campaign_concurrency=campaign["concurrent_limit"],
            organization_concurrency=0,
            calls_per_minute=campaign["rate_limit_per_minute"],
            throttle_delay_ms=campaign["throttle_delay_ms"],
        )

    @property
    def is_paced(self) -> bool:
        """Whether a start that leaves late might meet those of the next window."""
        account = 0 < self.account_per_second <= _UNPACED
        return bool(account or self.calls_per_minute or self.throttle_delay_ms or self.messages_per_second)

    @property
    def lookback(self) -> timedelta:
        """How far back `PacingCounts.recent` has to reach."""
        needed = [timedelta(milliseconds=self.throttle_delay_ms), SECOND]
        return guarded(max(*needed, MINUTE) if self.calls_per_minute else max(needed))


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingCounts:
    """What goes on now: live attempts, and the reservation times of recent ones."""

    live_campaign: int
    live_organization: int
    live_agent: int = 0
    recent: Sequence[datetime] = ()
    """The campaign's starts within `PacingLimits.lookback`, ascending."""
    recent_left_out: int = 0
    """As many newer ones, at most, are not among `recent`: what they say does not matter (see `left_out`)."""
    latest: datetime | None = None
    """The campaign's newest start; None: it is the last of `recent`."""
    recent_account: Sequence[datetime] = ()
    """Every start on the carrier account within the last second, ascending, whatever the campaign."""
    account_left_out: int = 0
    """As `recent_left_out`."""
    taken_by: Sequence[datetime] = ()
    """By when, at the latest, the carrier has taken each of the campaign's recent starts, ascending: when it answered,
    or, while it has not, `ANSWERED_WITHIN` after the start.
    As many newer ones as `left_out(seen_by_carrier(rate))` may be missing."""
    taken_by_account: Sequence[datetime] = ()
    """The same of the account's calls."""


def most_per_minute(limits: PacingLimits, *, seconds_a_call: float) -> float:
    """Return how many starts a minute the campaign's and the agent's limits let through.

    `seconds_a_call`: how long a call takes up its slot.
    """
    if limits.messages_per_second:
        return limits.messages_per_second * 60.0
    slots = [limits.campaign_concurrency, *filter(None, [limits.agent_concurrency])]
    rates = [each * 60 / seconds_a_call for each in slots] + [float(limits.calls_per_minute)]
    return min([*rates, *([60_000 / limits.throttle_delay_ms] if limits.throttle_delay_ms else [])])


def seen_by_carrier(most: int) -> int:
    """Return how many starts a carrier may see in the window of a rate of `most`; 0: the rate is none."""
    return most + BOUNDARY if 0 < most <= _UNPACED else 0


def left_out(most: int) -> int:
    """Return how many of the newest starts need not be known for a rate of `most`.

    A pass starts `MOST_AT_ONCE` at most: what leaves the window while it does decides, and nothing newer.
    """
    return max(0, most - MOST_AT_ONCE - 1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many may start now."""

    count: int
    next_at: datetime | None = None
    """Supposing `count` start now: when time alone would allow one more. None: only a freed slot helps."""
    limited_by: PacingLimit | None = None
    """What keeps `count` from being larger."""
    starts: tuple[datetime, ...] = field(default=(), compare=False)
    """When each of the `count` may start, ascending: now, or as far ahead as was asked for."""


@dataclass(frozen=True, slots=True)
class _Rate:
    """At most `most` starts in any half-open window of the given length."""

    name: PacingLimit
    most: int
    window: timedelta
    starts: Sequence[datetime]
    left_out: int = 0
    counts_after: timedelta = _NO_TIME
    """How long after its date one that starts now may still come to count."""

    def next_at(self, made: Sequence[datetime]) -> datetime | None:
        """Return when one more may start after `made` have; None: at any time.

        A start on another machine may carry a later time than ours: it counts as well.
        """
        place = self.most - len(made) - self.left_out
        if place < 1:
            counted = made[-self.most] if self.most <= len(made) else made[0]
            return counted + self.counts_after + self.window
        return self.starts[-place] + self.window if place <= len(self.starts) else None


def guarded(window: timedelta) -> timedelta:
    """Return a rate's window with its guard margin."""
    return window + min(window * GUARD, LONGEST_GUARD)


def effective_limit(limits: PacingLimits) -> int | None:
    """Return how many may be live at once: the least of the three limits (seed `003`); None: any number."""
    concurrencies = (limits.campaign_concurrency, limits.organization_concurrency, limits.agent_concurrency)
    return min((limit for limit in concurrencies if limit), default=None)


def allowance(
    limits: PacingLimits, counts: PacingCounts, *, now: datetime, ahead: timedelta = _NO_TIME
) -> Allowance:
    """Return how many may start now, what holds more back, and when time alone would allow one more.

    `ahead`: also those that may start that soon, each at its time: whoever wakes a little late loses nothing of a rate.
    Who can wait so starts evenly within a second: of ten at once, all would reach the carrier in the next second if
    they were a little late, beside the next ten.

    However unevenly long requests travel, the carrier sees no more in a window than the rate and `BOUNDARY`: it takes a
    request between its departure and its answer, so one leaves only when the answer to the one so many before it is as
    old as the window.
    """
    rates = (
        *_rates(limits, counts),
        *_answers(limits, counts),
        *(_gaps(limits, counts) if ahead else ()),
    )
    slots = tuple(_free_slots(limits, counts))
    most, limited_by = min(slots, key=lambda each: each[0], default=(MOST_AT_ONCE, None))
    if most > MOST_AT_ONCE:
        most, limited_by = MOST_AT_ONCE, None
    starts: list[datetime] = []
    next_at, slowest = _next(rates, starts, now)
    while len(starts) < most and next_at <= now + ahead:
        starts.append(next_at)
        next_at, slowest = _next(rates, starts, now)
    if len(starts) < most:
        limited_by = slowest
    freed_only = any(slot <= len(starts) for slot, _ in slots)
    return Allowance(len(starts), None if freed_only else next_at, limited_by, tuple(starts))


def _next(
    rates: Sequence[_Rate], made: Sequence[datetime], now: datetime
) -> tuple[datetime, PacingLimit | None]:
    """Return when one more may start after `made` have, and the rate that says so."""
    at, slowest = (made[-1] if made else now), None
    for rate in rates:
        allowed = rate.next_at(made)
        if allowed is not None and allowed > at:
            at, slowest = allowed, rate.name
    return at, slowest


def _free_slots(limits: PacingLimits, counts: PacingCounts) -> Iterator[tuple[int, PacingLimit]]:
    for limit, live, name in (
        (limits.campaign_concurrency, counts.live_campaign, PacingLimit.CAMPAIGN_CONCURRENCY),
        (limits.organization_concurrency, counts.live_organization, PacingLimit.ORGANIZATION_CONCURRENCY),
        (limits.agent_concurrency, counts.live_agent, PacingLimit.AGENT_CONCURRENCY),
    ):
        if limit:
            yield max(0, limit - live), name


def _rates(limits: PacingLimits, counts: PacingCounts) -> Iterator[_Rate]:
    delay = timedelta(milliseconds=limits.throttle_delay_ms)
    latest = counts.recent if counts.latest is None else (counts.latest,)
    campaign, account = (
        (counts.recent, counts.recent_left_out),
        (counts.recent_account, counts.account_left_out),
    )
    for name, most, window, (starts, left_out) in (
        (PacingLimit.THROTTLE_DELAY, 1 if delay else 0, delay, (latest, 0)),
        (PacingLimit.CALLS_PER_MINUTE, limits.calls_per_minute, MINUTE, campaign),
        (PacingLimit.MESSAGES_PER_SECOND, limits.messages_per_second, SECOND, campaign),
        (PacingLimit.ACCOUNT_PER_SECOND, limits.account_per_second, SECOND, account),
    ):
        if most:
            yield _Rate(name, most, guarded(window), starts, left_out)


def _answers(limits: PacingLimits, counts: PacingCounts) -> Iterator[_Rate]:
    """Yield the rates again, by when the carrier took what it was asked for, as far as its answers tell."""
    for most, window, taken_by in (
        (limits.calls_per_minute, MINUTE, counts.taken_by),
        (limits.messages_per_second, SECOND, counts.taken_by),
        (limits.account_per_second, SECOND, counts.taken_by_account),
    ):
        if seen := seen_by_carrier(most):
            yield _Rate(
                PacingLimit.CARRIER_ANSWERS, seen, guarded(window), taken_by, left_out(seen), ANSWERED_WITHIN
            )


def _gaps(limits: PacingLimits, counts: PacingCounts) -> Iterator[_Rate]:
    """Yield the least time between two starts that spreads what a second allows over all of it."""
    latest = counts.recent if counts.latest is None else (counts.latest,)
    for name, most, starts in (
        (PacingLimit.MESSAGES_PER_SECOND, limits.messages_per_second, latest),
        (PacingLimit.ACCOUNT_PER_SECOND, limits.account_per_second, counts.recent_account),
    ):
        if 0 < most <= MOST_AT_ONCE:
            yield _Rate(name, 1, guarded(SECOND) / most, starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A campaign that wants slots of its organization."""

    campaign_id: int
    weight: int
    """Its share beside the others', at least 1."""
    live: int
    wanting: int
    """How many more it could start now, were the organization's slots without end."""
    recent: int
    """Its starts of the last minute: of two that wait alike, the one that had fewer for its weight is next."""


def fair_rooms(limit: int, contenders: Sequence[Contender]) -> dict[int, int]:
    """Return how many each campaign may start now so that weights are kept, no slot is idle and none starves.

    Weighted max-min fairness over `limit` slots: what one does not want goes to the others. A slot that cannot be
    split goes to whom had fewest starts for its weight. What some hold beyond their share is waited for.
    """
    if sum(each.live + each.wanting for each in contenders) <= limit:
        return {each.campaign_id: each.wanting for each in contenders}
    shares = _shares(limit, contenders)
    held = {each.campaign_id: each.live for each in contenders}
    free = min(limit - sum(held.values()), _MOST_SHARED)

    def turn(each: Contender) -> tuple[float, tuple[float, int], Contender]:
        return (held[each.campaign_id] / each.weight, _need(each), each)

    whole = [turn(each) for each in contenders if each.live + 1 <= shares[each.campaign_id] + _TINY]
    heapify(whole)
    while free > 0 and whole:
        each = heappop(whole)[-1]
        held[each.campaign_id] += 1
        free -= 1
        if held[each.campaign_id] + 1 <= shares[each.campaign_id] + _TINY:
            heappush(whole, turn(each))
    part = [each for each in contenders if held[each.campaign_id] + _TINY < shares[each.campaign_id]]
    for each in sorted(part, key=_need)[: max(0, free)]:
        held[each.campaign_id] += 1
    return {each.campaign_id: held[each.campaign_id] - each.live for each in contenders}


def neediest_first(contenders: Sequence[Contender]) -> list[Contender]:
    """Return the campaigns in the order in which they are served: fewest starts for its weight first."""
    return sorted(contenders, key=_need)


def _need(contender: Contender) -> tuple[float, int]:
    return (contender.recent / contender.weight, contender.campaign_id)


def _shares(limit: int, contenders: Sequence[Contender]) -> Mapping[int, float]:
    """Return each one's part of the slots, whole or not: fill all alike by weight until it has what it wants."""
    shares: dict[int, float] = {}
    left, weights = float(limit), sum(each.weight for each in contenders)
    for each in sorted(contenders, key=lambda each: (each.live + each.wanting) / each.weight):
        # Whoever wants least for its weight is content first; of those who are not, all get the same for theirs.
        shares[each.campaign_id] = min(float(each.live + each.wanting), left / weights * each.weight)
        left -= shares[each.campaign_id]
        weights -= each.weight
    return shares
