"""How many calls or messages may start now: free slots, exact sliding rates and the gap between two starts.

No state is kept: slots are counted from live attempts, rates from the times of past reservations. Several dialers
that ask under one lock therefore never exceed a limit together.
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
"""Every rate's window is extended by this share: delays of requests vary, and the carrier must see no excess."""

LONGEST_GUARD: Final = timedelta(milliseconds=500)

_TINY: Final = 1e-9
"""Smaller parts of a slot are rounding errors."""

_MOST_SHARED: Final = 1_000
"""The most slots shared out in one pass; the next pass shares out the rest."""

MOST_AT_ONCE: Final = 200
"""The most reservations in one pass. After a crash, each of them must be looked up at the carrier."""


BOUNDARY: Final = 2
"""By the carrier's clock, a window may hold this many starts above the rate: delays vary, so a request from before the
window may arrive within it."""

ANSWERED_WITHIN: Final = timedelta(seconds=8)
"""A request has its answer, or is given up, at most this long after its planned start: it leaves at most one second
late, and times out after seven. A request of a process that died counts as accepted by then."""

_NO_TIME: Final = timedelta(0)

_UNPACED: Final = 10_000
"""No dialer reaches this many starts: a larger rate is no limit."""


class PacingLimit(StrEnum):
    """Which limit allows no more starts."""

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
    """The limits of a campaign, its organization, its agent and its carrier account. 0 is no limit."""

    campaign_concurrency: int
    organization_concurrency: int
    agent_concurrency: int = 0
    calls_per_minute: int = 0
    throttle_delay_ms: int = 0
    """The least time between two starts of the campaign."""
    messages_per_second: int = 0
    account_per_second: int = 0

    @classmethod
    def of(cls, campaign: Mapping[Any, Any]) -> Self:
        """Return the limits in a campaign's row; those of organization, agent and account stay open.

        Messages have only the limit per second: they take no slot.
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
        """Whether there is a rate, so that a late start could exceed it in the next window."""
        account = 0 < self.account_per_second <= _UNPACED
        return bool(account or self.calls_per_minute or self.throttle_delay_ms or self.messages_per_second)

    @property
    def lookback(self) -> timedelta:
        """How far back `PacingCounts.recent` must reach."""
        needed = [timedelta(milliseconds=self.throttle_delay_ms), SECOND]
        return guarded(max(*needed, MINUTE) if self.calls_per_minute else max(needed))


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingCounts:
    """The current load: live attempts, and the reservation times of recent ones."""

    live_campaign: int
    live_organization: int
    live_agent: int = 0
    recent: Sequence[datetime] = ()
    """The campaign's starts within `PacingLimits.lookback`, ascending."""
    recent_left_out: int = 0
    """At most how many of the newest starts are missing in `recent`, because they do not matter (see `left_out`)."""
    latest: datetime | None = None
    """The campaign's newest start; None if it is the last of `recent`."""
    recent_account: Sequence[datetime] = ()
    """All starts on the carrier account within the last second, from all campaigns, ascending."""
    account_left_out: int = 0
    """The same as `recent_left_out`, for the account."""
    taken_by: Sequence[datetime] = ()
    """The latest time by which the carrier has accepted each of the campaign's recent starts, ascending: the time of
    its answer or, without one yet, `ANSWERED_WITHIN` after the start.
    Up to `left_out(seen_by_carrier(rate))` of the newest may be missing."""
    taken_by_account: Sequence[datetime] = ()
    """The same for the account."""


def most_per_minute(limits: PacingLimits, *, seconds_a_call: float) -> float:
    """Return how many starts per minute the limits of campaign and agent allow.

    `seconds_a_call`: how long a call holds its slot.
    """
    if limits.messages_per_second:
        return limits.messages_per_second * 60.0
    slots = [limits.campaign_concurrency, *filter(None, [limits.agent_concurrency])]
    rates = [each * 60 / seconds_a_call for each in slots] + [float(limits.calls_per_minute)]
    return min([*rates, *([60_000 / limits.throttle_delay_ms] if limits.throttle_delay_ms else [])])


def seen_by_carrier(most: int) -> int:
    """Return how many starts the carrier may see in the window of a rate of `most`; 0 if there is no limit."""
    return most + BOUNDARY if 0 < most <= _UNPACED else 0


def left_out(most: int) -> int:
    """Return how many of the newest starts need not be known for a rate of `most`.

    A pass starts at most `MOST_AT_ONCE`. Only the oldest starts, which leave the window during the pass, decide.
    """
    return max(0, most - MOST_AT_ONCE - 1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many may start now."""

    count: int
    next_at: datetime | None = None
    """When one more may start after these `count`; None if that needs a free slot."""
    limited_by: PacingLimit | None = None
    """The limit that keeps `count` from being larger."""
    starts: tuple[datetime, ...] = field(default=(), compare=False)
    """When each of the `count` may start, ascending: now, or up to `ahead` later."""


@dataclass(frozen=True, slots=True)
class _Rate:
    """At most `most` starts in any half-open window of the given length."""

    name: PacingLimit
    most: int
    window: timedelta
    starts: Sequence[datetime]
    left_out: int = 0
    counts_after: timedelta = _NO_TIME
    """How long after its start an attempt that starts now may begin to count."""

    def next_at(self, made: Sequence[datetime]) -> datetime | None:
        """Return when one more may start, after those in `made`; None if at any time.

        Starts of other machines count too, even if their times are later than ours.
        """
        position = self.most - len(made) - self.left_out
        if position < 1:
            counted = made[-self.most] if self.most <= len(made) else made[0]
            return counted + self.counts_after + self.window
        return self.starts[-position] + self.window if position <= len(self.starts) else None


def guarded(window: timedelta) -> timedelta:
    """Return a rate's window with its guard margin."""
    return window + min(window * GUARD, LONGEST_GUARD)


def effective_limit(limits: PacingLimits) -> int | None:
    """Return how many may be live at once: the lowest of the three limits (seed `003`); None if there is none."""
    concurrencies = (limits.campaign_concurrency, limits.organization_concurrency, limits.agent_concurrency)
    return min((limit for limit in concurrencies if limit), default=None)


def allowance(
    limits: PacingLimits, counts: PacingCounts, *, now: datetime, ahead: timedelta = _NO_TIME
) -> Allowance:
    """Return how many may start now, which limit allows no more, and when time alone allows one more.

    `ahead`: include starts up to this far in the future, each with its time. A dialer that wakes a little late then
    loses nothing of a rate. These starts are spread evenly over a second: ten sent together but late would reach the
    carrier in the next second, together with the next ten.

    In one window the carrier sees at most the rate plus `BOUNDARY`, even if delays vary. It accepts a request at some
    time between the start and its answer, so a request starts only when the answer to the one that many before it is
    older than the window.
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
    """Return when one more may start after those in `made`, and the rate that delays it most."""
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
    """Yield the rates as the carrier sees them: counted from the times of its answers."""
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
    """Yield the least gaps between two starts that spread a second's starts over the whole second."""
    latest = counts.recent if counts.latest is None else (counts.latest,)
    for name, most, starts in (
        (PacingLimit.MESSAGES_PER_SECOND, limits.messages_per_second, latest),
        (PacingLimit.ACCOUNT_PER_SECOND, limits.account_per_second, counts.recent_account),
    ):
        if 0 < most <= MOST_AT_ONCE:
            yield _Rate(name, 1, guarded(SECOND) / most, starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A campaign that competes for slots of its organization."""

    campaign_id: int
    weight: int
    """Its share relative to the others, at least 1."""
    live: int
    wanting: int
    """How many more it could start now if the organization had no limit."""
    recent: int
    """Its starts in the last minute. Of two equal campaigns, the one with fewer starts per weight goes first."""


def fair_rooms(limit: int, contenders: Sequence[Contender]) -> dict[int, int]:
    """Return how many each campaign may start now. Weights are kept, no slot stays idle, no campaign starves.

    Weighted max-min fairness over `limit` slots: what one campaign does not need goes to the others. A slot that cannot
    be split goes to the campaign with the fewest starts per weight. Live attempts above a share are not interrupted.
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
    """Return the campaigns in the order in which they get slots: the fewest starts per weight first."""
    return sorted(contenders, key=_need)


def _need(contender: Contender) -> tuple[float, int]:
    return (contender.recent / contender.weight, contender.campaign_id)


def _shares(limit: int, contenders: Sequence[Contender]) -> Mapping[int, float]:
    """Return each campaign's share of the slots, as a fraction. All fill up by weight, each until its need is met."""
    shares: dict[int, float] = {}
    left, weights = float(limit), sum(each.weight for each in contenders)
    for each in sorted(contenders, key=lambda each: (each.live + each.wanting) / each.weight):
        # The campaign with the least need per weight is satisfied first; the rest share what is left by weight.
        shares[each.campaign_id] = min(float(each.live + each.wanting), left / weights * each.weight)
        left -= shares[each.campaign_id]
        weights -= each.weight
    return shares
