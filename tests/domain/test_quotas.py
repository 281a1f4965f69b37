"""Quotas: all at once, then steadily, and never refused to who keeps to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.quotas import Quota, QuotaStanding, Used, use
from app.runtime.quotas import Full, Quotas
from tests.support.clock import VirtualClock

THREE = Quota("three", 3)


def standings(quota: Quota, *at: float) -> list[QuotaStanding]:
    used, seen = Used(), []
    for now in at:
        used, standing = use(quota, used, now=now)
        seen.append(standing)
    return seen


def test_all_of_it_is_there_at_once_and_no_more() -> None:
    seen = standings(THREE, 100, 100, 100, 100)
    assert [(one.remaining, one.refused) for one in seen] == [(2, False), (1, False), (0, False), (0, True)]
    assert [one.next_in for one in seen] == [20, 20, 20, 20]


def test_it_comes_back_one_after_the_other() -> None:
    seen = standings(THREE, 100, 100, 100, 119.5, 120, 120, 180)
    assert [one.refused for one in seen] == [False, False, False, True, False, True, False]
    assert seen[3].next_in == 1
    assert seen[-1].remaining == 2


def test_a_refusal_uses_nothing() -> None:
    seen = standings(THREE, 100, 100, 100, *[101] * 50, 120)
    assert not seen[-1].refused


@pytest.mark.parametrize("amount", [1, 3, 7, 20, 600, 1_200, 100_000])
def test_the_last_of_it_is_not_lost_to_rounding(amount: int) -> None:
    quota, begun = Quota("many", amount), 1234567.891
    used, refusals = Used(), 0
    for number in range(2 * amount):  # as slowly as it comes back
        used, standing = use(quota, used, now=begun + number * 60 / amount)
        refusals += standing.refused
    assert refusals == 0


@given(
    amount=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 30, allow_nan=False), max_size=200),
)
def test_never_more_than_twice_of_it_in_its_time_and_the_wait_is_as_told(
    amount: int, gaps: list[float]
) -> None:
    quota, now, used, served = Quota("some", amount), 1000.0, Used(), []
    for gap in gaps:
        now += gap
        used, standing = use(quota, used, now=now)
        if standing.refused:
            assert standing.remaining == 0
            assert not use(quota, used, now=now + standing.next_in)[1].refused
        else:
            served.append(now)
    for end in served:
        assert sum(end - quota.seconds < at <= end for at in served) <= 2 * amount


def test_each_has_their_own_and_each_quota_too() -> None:
    quotas = Quotas(VirtualClock())
    for _ in range(3):
        assert not quotas.use(THREE, "ann").refused
    assert quotas.use(THREE, "ann").refused
    assert not quotas.use(THREE, "bob").refused
    assert not quotas.use(Quota("another", 3), "ann").refused


def test_time_is_the_steady_clocks() -> None:
    clock = VirtualClock()
    quotas = Quotas(clock)
    for _ in range(3):
        quotas.use(THREE, "ann")
    clock.at = clock.at.replace(year=2027)  # somebody sets the wall clock
    assert quotas.use(THREE, "ann").refused
    clock.advance(seconds=20)
    assert not quotas.use(THREE, "ann").refused


def test_memory_has_a_bound_and_the_longest_unseen_is_forgotten() -> None:
    quotas = Quotas(VirtualClock(), most_remembered=2)
    for who in ("ann", "ann", "ann", "bob", "ann", "eve"):
        quotas.use(THREE, who)
    assert quotas.use(THREE, "ann").refused
    assert len(quotas._used[THREE.name]) == 2


def test_who_holds_all_they_may_must_let_one_go() -> None:
    quotas = Quotas(VirtualClock())
    with quotas.holding("sockets", 1, most=1):
        with pytest.raises(Full), quotas.holding("sockets", 1, most=1):
            pytest.fail("there is no room")
        with quotas.holding("sockets", 2, most=1):
            pass
    with quotas.holding("sockets", 1, most=1):
        pass
    assert not quotas._held
