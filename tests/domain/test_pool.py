"""Which of our numbers a call shows."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pool import (
    NumberCaps,
    NumberStarts,
    NumberStrategy,
    NumberUse,
    Pool,
    area_code,
    number_use,
)

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
S = NumberStrategy
THREE = ("+12125550101", "+14155550101", "+13125550101")


def pool(strategy: NumberStrategy, *numbers: str, cursor: int = 0, **left: int) -> Pool:
    """A pool of free numbers, or those of which `n<place>` says how many calls are left."""
    uses = tuple(
        NumberUse(phone_number_id=place, number=number, most=left.get(f"n{place}"))
        for place, number in enumerate(numbers)
    )
    return Pool(strategy, uses, cursor)


def chosen(numbers: Pool, *to: str, **given: int | None) -> list[int | None]:
    picks = [numbers.choose(each, **given) for each in to]
    return [pick.phone_number_id if pick is not None else None for pick in picks]


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=each) for each in minutes]


def test_round_robin_takes_every_number_in_turn_and_goes_on_where_it_was() -> None:
    numbers = pool(S.ROUND_ROBIN, *THREE, cursor=1)
    assert chosen(numbers, *["+16175550100"] * 5) == [1, 2, 0, 1, 2]
    assert numbers.cursor == 0


def test_round_robin_passes_a_number_by_that_may_call_no_more() -> None:
    numbers = pool(S.ROUND_ROBIN, *THREE, n1=1)
    assert chosen(numbers, *["+16175550100"] * 6) == [0, 1, 2, 0, 2, 0]


def test_least_used_evens_out_what_was_called_before() -> None:
    numbers = Pool(
        S.LEAST_USED,
        (
            NumberUse(phone_number_id=0, number=THREE[0], used=4),
            NumberUse(phone_number_id=1, number=THREE[1], used=2),
        ),
    )
    assert Counter(chosen(numbers, *["+16175550100"] * 6)) == {0: 2, 1: 4}


def test_a_sticky_pool_shows_what_the_contact_saw_last_and_takes_turns_otherwise() -> None:
    numbers = pool(S.STICKY, *THREE)
    assert chosen(numbers, "+16175550100", seen_last=2) == [2]
    assert chosen(numbers, "+16175550100", "+16175550101") == [0, 1]
    assert chosen(numbers, "+16175550100", seen_last=99) == [2], "a number that is gone from the pool"


def test_local_presence_shows_the_contacts_area_code_when_there_is_one() -> None:
    numbers = pool(S.LOCAL_PRESENCE, *THREE)
    assert chosen(numbers, "+14155559999", "+14155559998", "+13125559999") == [1, 1, 2]
    assert chosen(numbers, "+442079460000", "+16175550100") == [0, 1], "nobody's area: in turn"


def test_local_presence_leaves_a_full_number_for_one_that_is_free() -> None:
    numbers = pool(S.LOCAL_PRESENCE, *THREE, n1=1)
    assert chosen(numbers, "+14155559999", "+14155559998") == [1, 2]


def test_a_retry_from_another_number_takes_the_same_only_if_there_is_no_other() -> None:
    assert chosen(pool(S.ROUND_ROBIN, *THREE), "+16175550100", other_than=0) == [1]
    assert chosen(pool(S.STICKY, *THREE), "+16175550100", seen_last=0, other_than=0) == [1]
    assert chosen(pool(S.ROUND_ROBIN, THREE[0]), "+16175550100", other_than=0) == [0]


def test_nothing_is_shown_when_no_number_is_free() -> None:
    assert chosen(pool(S.ROUND_ROBIN, *THREE[:2], n0=0, n1=1), "+16175550100", "+16175550101") == [1, None]


@pytest.mark.parametrize(
    ("number", "code"),
    [("+12125550101", "1-212"), ("+442079460000", "44-20"), ("+447400123456", None), ("nobody", None)],
)
def test_the_area_code_is_the_numbering_plans(number: str, code: str | None) -> None:
    assert area_code(number) == code


def test_a_daily_cap_is_full_until_its_oldest_start_is_a_day_ago() -> None:
    caps = NumberCaps(daily=2)
    full = NumberStarts(in_a_day=2, day_full_since=NOW - timedelta(hours=20))
    assert number_use(1, "+12125550101", caps=caps, starts=full, now=NOW).most == 0
    assert number_use(1, "+12125550101", caps=caps, starts=full, now=NOW).free_at == NOW + timedelta(hours=4)
    assert number_use(1, "+12125550101", caps=caps, starts=NumberStarts(in_a_day=1), now=NOW).most == 1


def test_a_burst_is_followed_by_a_cool_down_from_its_last_call() -> None:
    caps = NumberCaps(burst=3)
    starts = NumberStarts(in_a_day=3, newest=minutes_ago(9, 5, 1))
    use = number_use(1, "+12125550101", caps=caps, starts=starts, now=NOW)
    assert (use.most, use.free_at) == (0, NOW + timedelta(minutes=29))


def test_calls_spread_wider_than_the_burst_are_no_burst() -> None:
    starts = NumberStarts(in_a_day=3, newest=minutes_ago(12, 5, 1))
    assert number_use(1, "+12125550101", caps=NumberCaps(burst=3), starts=starts, now=NOW).most == 1


def test_after_the_cool_down_the_whole_burst_is_free_again() -> None:
    starts = NumberStarts(in_a_day=3, newest=minutes_ago(39, 35, 31))
    assert number_use(1, "+12125550101", caps=NumberCaps(burst=3), starts=starts, now=NOW).most == 3


@pytest.mark.parametrize(("until", "free"), [(None, False), (1, False), (-1, True)])
def test_a_resting_number_calls_nobody_until_its_rest_is_over(*, until: int | None, free: bool) -> None:
    end = NOW + timedelta(minutes=until) if until is not None else None
    use = number_use(
        1, "+12125550101", caps=NumberCaps(), starts=NumberStarts(), now=NOW, resting=True, resting_until=end
    )
    assert Pool(S.ROUND_ROBIN, (use,)).free is free
    assert use.free_at == (None if free else end)


@given(
    left=st.lists(st.integers(0, 4) | st.none(), min_size=1, max_size=5),
    calls=st.integers(0, 12),
    strategy=st.sampled_from(S),
)
def test_no_strategy_goes_over_a_cap_or_leaves_a_free_number_unused(
    left: list[int | None], calls: int, strategy: NumberStrategy
) -> None:
    uses = tuple(
        NumberUse(phone_number_id=place, number=f"+1212555{place:04}", most=most)
        for place, most in enumerate(left)
    )
    picks = Counter(chosen(Pool(strategy, uses), *["+14155550100"] * calls))
    room = None if None in left else sum(most for most in left if most is not None)
    assert all(most is None or picks[place] <= most for place, most in enumerate(left))
    assert picks[None] == max(0, calls - room) if room is not None else picks[None] == 0
