"""How many may start now: slots, exact sliding rates, gaps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, cycle, pairwise, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.pacing import (
    ANSWERED_WITHIN,
    BOUNDARY,
    MOST_AT_ONCE,
    Allowance,
    Contender,
    PacingCounts,
    PacingLimit,
    PacingLimits,
    allowance,
    effective_limit,
    fair_rooms,
    guarded,
    left_out,
    neediest_first,
)

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
L = PacingLimit


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def until(window: float, *, ago: float = 0) -> datetime:
    """When a start so many seconds ago leaves a rate's window, its guard included."""
    return NOW - timedelta(seconds=ago) + guarded(timedelta(seconds=window))


def limits(
    campaign: int = 0, organization: int = 0, agent: int = 0, *, per_minute: int = 0, delay_ms: int = 0
) -> PacingLimits:
    return PacingLimits(
        campaign_concurrency=campaign,
        organization_concurrency=organization,
        agent_concurrency=agent,
        calls_per_minute=per_minute,
        throttle_delay_ms=delay_ms,
    )


def counts(campaign: int = 0, organization: int = 0, agent: int = 0, *recent: datetime) -> PacingCounts:
    return PacingCounts(
        live_campaign=campaign, live_organization=organization, live_agent=agent, recent=sorted(recent)
    )


@pytest.mark.parametrize(
    ("campaign", "organization", "agent", "effective"),
    [(1, 10, 0, 1), (5, 10, 0, 5), (20, 10, 0, 10), (5, 10, 2, 2), (5, 10, 50, 5), (3, 3, 3, 3)],
)
def test_the_least_of_three_concurrencies_holds_and_no_agent_limit_is_infinite(
    campaign: int, organization: int, agent: int, effective: int
) -> None:
    assert effective_limit(limits(campaign, organization, agent)) == effective
    assert allowance(limits(campaign, organization, agent), counts(), now=NOW).count == effective


@pytest.mark.parametrize(
    ("live", "count", "limited_by"),
    [
        ((0, 0, 0), 5, L.CAMPAIGN_CONCURRENCY),
        ((2, 2, 2), 3, L.CAMPAIGN_CONCURRENCY),
        ((5, 5, 5), 0, L.CAMPAIGN_CONCURRENCY),
        ((0, 8, 0), 2, L.ORGANIZATION_CONCURRENCY),
        ((0, 10, 0), 0, L.ORGANIZATION_CONCURRENCY),
        ((0, 0, 6), 1, L.AGENT_CONCURRENCY),
        ((0, 0, 7), 0, L.AGENT_CONCURRENCY),
        ((9, 12, 8), 0, L.CAMPAIGN_CONCURRENCY),
    ],
)
def test_live_attempts_use_up_slots_and_only_a_freed_one_helps(
    live: tuple[int, int, int], count: int, limited_by: PacingLimit
) -> None:
    assert allowance(limits(5, 10, 7), counts(*live), now=NOW) == Allowance(count, None, limited_by)


@pytest.mark.parametrize(
    ("recent", "count", "next_at"),
    [
        ((), 3, until(60)),
        ((ago(10),), 2, until(60, ago=10)),
        ((ago(59), ago(20), ago(10)), 0, until(60, ago=59)),
        ((ago(60), ago(20), ago(10)), 0, until(60, ago=60)),
        ((ago(60.5), ago(20), ago(10)), 1, until(60, ago=20)),
        ((ago(62), ago(61), ago(61)), 3, until(60)),
        ((ago(0), ago(0), ago(0)), 0, until(60)),
        ((ago(30), ago(20), ago(10), ago(5)), 0, until(60, ago=20)),
    ],
)
def test_calls_per_minute_is_an_exact_sliding_window(
    recent: tuple[datetime, ...], count: int, next_at: datetime
) -> None:
    answer = allowance(limits(per_minute=3), counts(0, 0, 0, *recent), now=NOW)
    assert answer == Allowance(count, next_at, L.CALLS_PER_MINUTE)


def test_a_start_that_another_clock_dates_ahead_counts() -> None:
    ahead = NOW + timedelta(seconds=2)
    answer = allowance(limits(per_minute=1), counts(0, 0, 0, ahead), now=NOW)
    assert answer == Allowance(0, until(60, ago=-2), L.CALLS_PER_MINUTE)


@pytest.mark.parametrize(
    ("last", "count", "next_at"),
    [
        (None, 1, until(2)),
        (ago(1.5), 0, until(2, ago=1.5)),
        (ago(2), 0, until(2, ago=2)),
        (ago(2.06), 1, until(2)),
        (ago(30), 1, until(2)),
    ],
)
def test_a_throttle_delay_lets_one_start_and_then_waits(
    last: datetime | None, count: int, next_at: datetime
) -> None:
    recent = () if last is None else (last,)
    answer = allowance(limits(50, 50, delay_ms=2_000), counts(0, 0, 0, *recent), now=NOW)
    assert answer == Allowance(count, next_at, L.THROTTLE_DELAY)


def test_a_throttle_delay_of_minutes_is_kept() -> None:
    long = limits(delay_ms=180_000, per_minute=10)
    assert long.lookback == guarded(timedelta(minutes=3))
    assert allowance(long, counts(0, 0, 0, ago(170)), now=NOW).next_at == until(180, ago=170)


def test_messages_per_second_and_the_accounts_rate_are_windows_of_a_second() -> None:
    both = PacingLimits(
        campaign_concurrency=0, organization_concurrency=0, messages_per_second=4, account_per_second=3
    )
    busy = PacingCounts(
        live_campaign=0, live_organization=0, recent=[ago(0.9)], recent_account=[ago(0.9), ago(0.25)]
    )
    assert allowance(both, busy, now=NOW) == Allowance(1, until(1, ago=0.9), L.ACCOUNT_PER_SECOND)


def test_with_no_slot_left_time_does_not_help() -> None:
    full = allowance(limits(1, 10, per_minute=1), counts(1, 1, 0, ago(5)), now=NOW)
    assert (full.count, full.next_at) == (0, None)


def test_with_a_slot_left_the_slowest_rate_says_when() -> None:
    answer = allowance(
        limits(5, 10, per_minute=2, delay_ms=1_000), counts(1, 1, 0, ago(20), ago(0.5)), now=NOW
    )
    assert answer.next_at == until(60, ago=20)


def test_without_any_limit_a_pass_is_still_small() -> None:
    assert allowance(limits(), counts(), now=NOW) == Allowance(MOST_AT_ONCE, NOW, None)


@pytest.mark.parametrize(
    ("per_minute", "delay_ms", "seconds"), [(0, 0, 1), (10, 0, 60), (0, 5_000, 5), (10, 90_000, 90)]
)
def test_the_lookback_covers_every_window(per_minute: int, delay_ms: int, seconds: int) -> None:
    assert limits(per_minute=per_minute, delay_ms=delay_ms).lookback == guarded(timedelta(seconds=seconds))


def test_ahead_each_start_is_dated_when_its_rate_allows_it() -> None:
    busy = counts(0, 0, 0, ago(59.9), ago(59.8))
    answer = allowance(limits(per_minute=2), busy, now=NOW, ahead=timedelta(seconds=2))
    assert answer.starts == (until(60, ago=59.9), until(60, ago=59.8))
    assert (answer.count, answer.next_at) == (2, answer.starts[0] + guarded(timedelta(minutes=1)))


@pytest.mark.parametrize("rate", ["messages_per_second", "account_per_second"])
def test_ahead_the_starts_of_a_second_are_spread_over_all_of_it(rate: str) -> None:
    paced = PacingLimits(campaign_concurrency=0, organization_concurrency=0, **{rate: 10})
    idle = PacingCounts(live_campaign=0, live_organization=0)
    gap = guarded(timedelta(seconds=1)) / 10
    answer = allowance(paced, idle, now=NOW, ahead=timedelta(seconds=0.3))
    assert answer.starts == (NOW, NOW + gap, NOW + 2 * gap)
    assert answer.next_at == NOW + 3 * gap
    busy = PacingCounts(live_campaign=0, live_organization=0, recent=[ago(0.05)], recent_account=[ago(0.05)])
    assert allowance(paced, busy, now=NOW, ahead=timedelta(seconds=0.1)).starts == (ago(0.05) + gap,)


def test_ahead_takes_no_more_than_the_slots() -> None:
    answer = allowance(limits(1, 10, delay_ms=100), counts(), now=NOW, ahead=timedelta(seconds=1))
    assert (answer.starts, answer.next_at) == ((NOW,), None)


@given(
    most=st.integers(1, 3 * MOST_AT_ONCE),
    gaps=st.lists(st.integers(0, 30), max_size=4 * MOST_AT_ONCE),
    ahead=st.sampled_from([0, 300, 2_000]),
)
def test_the_newest_starts_of_a_high_rate_need_not_be_known(most: int, gaps: list[int], ahead: int) -> None:
    paced = PacingLimits(campaign_concurrency=0, organization_concurrency=0, account_per_second=most)
    starts = list(accumulate((timedelta(milliseconds=gap) for gap in reversed(gaps)), initial=timedelta(0)))
    known = sorted(NOW - back for back in starts)[-most:]
    hidden = left_out(most)

    def asked(recent: list[datetime], unknown: int) -> tuple[Allowance, tuple[datetime, ...]]:
        counts = PacingCounts(
            live_campaign=0, live_organization=0, recent_account=recent, account_left_out=unknown
        )
        answer = allowance(paced, counts, now=NOW, ahead=timedelta(milliseconds=ahead))
        return answer, answer.starts

    assert asked(known[: max(0, len(known) - hidden)], hidden) == asked(known, 0)


@given(
    per_minute=st.integers(1, 8),
    per_second=st.integers(0, 4),
    delay_ms=st.sampled_from([0, 250, 3_000, 61_000]),
    gaps=st.lists(st.integers(0, 40_000), max_size=60),
    wants=st.integers(1, 9),
)
def test_a_greedy_dialer_never_exceeds_any_rate(
    per_minute: int, per_second: int, delay_ms: int, gaps: list[int], wants: int
) -> None:
    paced = PacingLimits(
        campaign_concurrency=0,
        organization_concurrency=0,
        calls_per_minute=per_minute,
        account_per_second=per_second,
        throttle_delay_ms=delay_ms,
    )
    now, starts = NOW, list[datetime]()
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        recent = [start for start in starts if start > now - paced.lookback]
        answer = allowance(
            paced,
            PacingCounts(live_campaign=0, live_organization=0, recent=recent, recent_account=recent),
            now=now,
        )
        starts += [now] * min(wants, answer.count)
    for start in starts:
        assert sum(start <= other < start + timedelta(minutes=1) for other in starts) <= per_minute
        if per_second:
            assert sum(start <= other < start + timedelta(seconds=1) for other in starts) <= per_second
    if delay_ms:
        assert all(later - earlier >= timedelta(milliseconds=delay_ms) for earlier, later in pairwise(starts))


@given(
    per_minute=st.integers(0, 5),
    delay_ms=st.sampled_from([0, 1_500, 20_000]),
    slots=st.integers(0, 6),
    recent=st.lists(st.integers(0, 70_000), max_size=8),
)
def test_next_at_is_the_first_instant_at_which_one_more_may_start(
    per_minute: int, delay_ms: int, slots: int, recent: list[int]
) -> None:
    paced = limits(7, 9, per_minute=per_minute, delay_ms=delay_ms)
    past = sorted(NOW - timedelta(milliseconds=each) for each in recent)
    answer = allowance(paced, counts(7 - slots, 7 - slots, 0, *past), now=NOW)
    after = counts(7 - slots + answer.count, 7 - slots + answer.count, 0, *past, *[NOW] * answer.count)
    if answer.next_at is None:
        assert allowance(paced, after, now=NOW + timedelta(days=1)).count == 0
    else:
        assert allowance(paced, after, now=answer.next_at).count >= 1
        assert allowance(paced, after, now=answer.next_at - timedelta(microseconds=1)).count == 0


def wants(campaign_id: int, wanting: int, *, live: int = 0, weight: int = 1, recent: int = 0) -> Contender:
    return Contender(campaign_id=campaign_id, weight=weight, live=live, wanting=wanting, recent=recent)


@pytest.mark.parametrize(
    ("limit", "contenders", "rooms"),
    [
        (10, [wants(1, 50)], {1: 10}),
        (10, [wants(1, 50), wants(2, 50)], {1: 5, 2: 5}),
        (10, [wants(1, 50), wants(2, 2)], {1: 8, 2: 2}),
        (12, [wants(1, 50, weight=3), wants(2, 50)], {1: 9, 2: 3}),
        (10, [wants(1, 50, live=10), wants(2, 50)], {1: 0, 2: 0}),
        (10, [wants(1, 50, live=8), wants(2, 50)], {1: 0, 2: 2}),
        (1, [wants(1, 5, recent=3), wants(2, 5, recent=2)], {1: 0, 2: 1}),
        (1, [wants(1, 5, weight=2, recent=3), wants(2, 5, recent=2)], {1: 1, 2: 0}),
        (0, [wants(1, 5)], {1: 0}),
        (5, [], {}),
    ],
)
def test_slots_are_shared_by_weight_and_what_one_does_not_want_is_the_others(
    limit: int, contenders: list[Contender], rooms: dict[int, int]
) -> None:
    assert fair_rooms(limit, contenders) == rooms


@given(
    limit=st.integers(0, 40),
    given=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 30), st.integers(1, 10), st.integers(0, 50)), max_size=8
    ),
)
def test_no_slot_is_idle_while_somebody_entitled_wants_it_and_none_is_given_twice(
    limit: int, given: list[tuple[int, int, int, int]]
) -> None:
    contenders = [
        wants(place, wanting, live=live, weight=weight, recent=recent)
        for place, (live, wanting, weight, recent) in enumerate(given)
    ]
    rooms = fair_rooms(limit, contenders)
    live = sum(each.live for each in contenders)
    assert all(0 <= rooms[each.campaign_id] <= each.wanting for each in contenders)
    assert live + sum(rooms.values()) <= max(limit, live)
    assert live + sum(rooms.values()) >= min(limit, live + sum(each.wanting for each in contenders))


def test_over_time_a_single_slot_goes_round_by_weight() -> None:
    starts = {1: 0, 2: 0, 3: 0}
    for _ in range(60):
        now = [wants(each, 9, weight=3 if each == 1 else 1, recent=starts[each]) for each in starts]
        (taken,) = [each for each, room in fair_rooms(1, now).items() if room]
        starts[taken] += 1
    assert starts == {1: 36, 2: 12, 3: 12}


def test_whoever_started_least_for_its_weight_is_served_first() -> None:
    served = neediest_first([wants(1, 1, recent=4), wants(2, 1, recent=9, weight=3), wants(3, 1, recent=5)])
    assert [each.campaign_id for each in served] == [2, 1, 3]


@pytest.mark.parametrize(("window", "longer"), [(1, 0.025), (60, 0.5), (0.1, 0.0025)])
def test_a_window_has_a_small_guard_so_that_the_carrier_sees_no_excess(window: float, longer: float) -> None:
    assert (guarded(timedelta(seconds=window)) - timedelta(seconds=window)).total_seconds() == pytest.approx(
        longer
    )


@dataclass(frozen=True)
class Sent:
    """A request on its way: dated, taken by the carrier, answered (None: its sender died)."""

    start: datetime
    taken: datetime
    answered: datetime | None

    def taken_by(self, now: datetime) -> datetime:
        """By when it was taken, as far as is known at that time."""
        known = self.answered is not None and self.answered <= now
        return self.answered if known and self.answered else self.start + ANSWERED_WITHIN


JOURNEYS = st.tuples(st.floats(0, 1), st.floats(0, 3.4), st.floats(0, 3.4), st.booleans())
"""Seconds that a request leaves late, travels, and its answer travels; whether its sender lives to hear it."""


def send(starts: Iterable[datetime], journeys: Iterator[tuple[float, float, float, bool]]) -> list[Sent]:
    sent = []
    for start in starts:
        late, there, back, lives = next(journeys)
        taken = start + timedelta(seconds=late + there)
        sent.append(Sent(start, taken, taken + timedelta(seconds=back) if lives else None))
    return sent


def densest(moments: Iterable[datetime], window: timedelta) -> int:
    ordered = sorted(moments)
    return max((sum(first <= other < first + window for other in ordered) for first in ordered), default=0)


@pytest.mark.parametrize(
    ("paced", "rate", "window"),
    [
        (PacingLimits(campaign_concurrency=0, organization_concurrency=0, messages_per_second=10), 10, 1),
        (PacingLimits(campaign_concurrency=0, organization_concurrency=0, messages_per_second=1), 1, 1),
        (PacingLimits(campaign_concurrency=0, organization_concurrency=0, account_per_second=3), 3, 1),
        (PacingLimits(campaign_concurrency=0, organization_concurrency=0, calls_per_minute=5), 5, 60),
    ],
    ids=["10 texts a second", "1 text a second", "3 calls a second", "5 calls a minute"],
)
@settings(deadline=None, max_examples=60)
@given(
    journeys=st.lists(JOURNEYS, min_size=1, max_size=40),
    pauses=st.lists(st.sampled_from([0, 50, 100, 300, 900, 2_000]), min_size=1, max_size=10),
)
def test_however_unevenly_requests_travel_the_carrier_sees_the_rate_and_a_boundary_at_most(
    paced: PacingLimits,
    rate: int,
    window: int,
    journeys: list[tuple[float, float, float, bool]],
    pauses: list[int],
) -> None:
    now, sent, travelling, waiting = NOW, list[Sent](), cycle(journeys), cycle(pauses)
    for _ in range(60):
        recent = sorted(each.start for each in sent if each.start > now - paced.lookback)
        taken_by = sorted(each.taken_by(now) for each in sent)
        answer = allowance(
            paced,
            PacingCounts(
                live_campaign=0,
                live_organization=0,
                recent=recent,
                recent_account=recent,
                taken_by=taken_by,
                taken_by_account=taken_by,
            ),
            now=now,
            ahead=timedelta(seconds=0.3),
        )
        sent += send(answer.starts, travelling)
        pause = timedelta(milliseconds=next(waiting))
        now = max(now + pause, answer.next_at or now) if window == 60 and not answer.count else now + pause
    assert densest((each.taken for each in sent), timedelta(seconds=window)) <= rate + BOUNDARY


@pytest.mark.parametrize(("trip", "starts"), [(0.01, 97), (0.2, 97), (1.0, 60)])
def test_a_carrier_that_answers_soon_holds_nobody_back_and_a_slow_one_slows_us_down(
    trip: float, starts: int
) -> None:
    """Ten texts a second for ten seconds: with the boundary's two, answers of a fifth of a second cost nothing."""
    paced = PacingLimits(campaign_concurrency=0, organization_concurrency=0, messages_per_second=10)
    sent: list[Sent] = []
    for tick in range(500):
        now = NOW + timedelta(milliseconds=20 * tick)
        counted = PacingCounts(
            live_campaign=0,
            live_organization=0,
            recent=[each.start for each in sent],
            taken_by=sorted(each.taken_by(now) for each in sent),
        )
        answer = allowance(paced, counted, now=now, ahead=timedelta(seconds=0.3))
        sent += send(answer.starts, repeat((0.0, trip / 2, trip / 2, True)))
    assert len(sent) >= starts
