"""How many may start now: slots, exact sliding rates, gaps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pacing import (
    MOST_AT_ONCE,
    Allowance,
    PacingCounts,
    PacingLimit,
    PacingLimits,
    allowance,
    effective_limit,
)

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
L = PacingLimit


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


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
        ((), 3, NOW + timedelta(seconds=60)),
        ((ago(10),), 2, NOW + timedelta(seconds=50)),
        ((ago(59), ago(20), ago(10)), 0, NOW + timedelta(seconds=1)),
        ((ago(60), ago(20), ago(10)), 1, NOW + timedelta(seconds=40)),
        ((ago(61), ago(60), ago(60)), 3, NOW + timedelta(seconds=60)),
        ((ago(0), ago(0), ago(0)), 0, NOW + timedelta(seconds=60)),
        ((ago(30), ago(20), ago(10), ago(5)), 0, NOW + timedelta(seconds=40)),
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
    assert answer == Allowance(0, ahead + timedelta(seconds=60), L.CALLS_PER_MINUTE)


@pytest.mark.parametrize(
    ("last", "count", "next_at"),
    [
        (None, 1, NOW + timedelta(seconds=2)),
        (ago(1.5), 0, NOW + timedelta(seconds=0.5)),
        (ago(2), 1, NOW + timedelta(seconds=2)),
        (ago(30), 1, NOW + timedelta(seconds=2)),
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
    assert long.lookback == timedelta(minutes=3)
    assert allowance(long, counts(0, 0, 0, ago(170)), now=NOW).next_at == NOW + timedelta(seconds=10)


def test_messages_per_second_and_the_accounts_rate_are_windows_of_a_second() -> None:
    both = PacingLimits(
        campaign_concurrency=0, organization_concurrency=0, messages_per_second=4, account_per_second=3
    )
    busy = PacingCounts(
        live_campaign=0, live_organization=0, recent=[ago(0.9)], recent_account=[ago(0.9), ago(0.25)]
    )
    assert allowance(both, busy, now=NOW) == Allowance(1, NOW + timedelta(seconds=0.1), L.ACCOUNT_PER_SECOND)


def test_with_no_slot_left_time_does_not_help() -> None:
    full = allowance(limits(1, 10, per_minute=1), counts(1, 1, 0, ago(5)), now=NOW)
    assert (full.count, full.next_at) == (0, None)


def test_with_a_slot_left_the_slowest_rate_says_when() -> None:
    answer = allowance(
        limits(5, 10, per_minute=2, delay_ms=1_000), counts(1, 1, 0, ago(20), ago(0.5)), now=NOW
    )
    assert answer.next_at == NOW + timedelta(seconds=40)


def test_without_any_limit_a_pass_is_still_small() -> None:
    assert allowance(limits(), counts(), now=NOW) == Allowance(MOST_AT_ONCE, NOW, None)


@pytest.mark.parametrize(
    ("per_minute", "delay_ms", "seconds"), [(0, 0, 1), (10, 0, 60), (0, 5_000, 5), (10, 90_000, 90)]
)
def test_the_lookback_covers_every_window(per_minute: int, delay_ms: int, seconds: int) -> None:
    assert limits(per_minute=per_minute, delay_ms=delay_ms).lookback == timedelta(seconds=seconds)


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
