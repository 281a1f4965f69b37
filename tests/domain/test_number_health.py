"""When a number rests: only on evidence that a fair pool would hardly ever give."""

import random
from datetime import UTC, datetime, timedelta
from math import comb

import pytest

from app.domain.number_health import Answered, poorly_answered, rest_after_flag, tail

NOW = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)


def pool(*rates: tuple[int, int]) -> list[Answered]:
    """Numbers 1, 2, ... with their calls and how many were answered."""
    return [Answered(place, calls, answered) for place, (calls, answered) in enumerate(rates, start=1)]


@pytest.mark.parametrize(
    ("rates", "rested"),
    [
        pytest.param([(100, 10), (100, 40), (100, 42)], [1], id="far below the others"),
        pytest.param([(100, 38), (100, 40), (100, 42)], [], id="a little below is luck"),
        pytest.param([(29, 0), (100, 40)], [], id="too few calls of its own"),
        pytest.param([(100, 0), (29, 29)], [], id="too few calls of the others"),
        pytest.param([(100, 0)], [], id="nothing to compare with"),
        pytest.param([(100, 0), (100, 0)], [], id="nobody answers anyone"),
        pytest.param([(100_000, 38_000), (100_000, 40_000)], [], id="sure, but hardly noticeable"),
        pytest.param([(40, 0), (40, 0), (400, 200)], [1, 2], id="two at once"),
    ],
)
def test_a_number_rests_when_it_is_answered_significantly_less_than_its_pool(
    rates: list[tuple[int, int]], rested: list[int]
) -> None:
    assert [each.number.phone_number_id for each in poorly_answered(pool(*rates))] == rested


def test_the_others_are_counted_together() -> None:
    (poor,) = poorly_answered(pool((100, 5), (50, 20), (150, 60)))
    assert (poor.others.calls, poor.others.answered) == (200, 80)
    assert (poor.number.percent, poor.others.percent) == (5.0, 40.0)


def test_the_tail_is_the_hypergeometric_one() -> None:
    exact = sum(comb(12, few) * comb(18, 10 - few) for few in range(3)) / comb(30, 10)
    assert tail(calls=12, answered=2, other_calls=18, other_answered=8) == pytest.approx(exact)


def test_a_pool_of_equally_good_numbers_hardly_ever_loses_one() -> None:
    chance = random.Random(7)
    alarms = 0
    for _ in range(1_000):
        fair = pool(*((60, sum(chance.random() < 0.4 for _ in range(60))) for _ in range(5)))
        alarms += len(poorly_answered(fair))
    assert alarms <= 5


def test_a_flagged_number_rests_a_day_and_the_second_time_in_a_week_until_a_person_decides() -> None:
    assert rest_after_flag(flagged_before=None, now=NOW) == NOW + timedelta(hours=24)
    assert rest_after_flag(flagged_before=NOW - timedelta(days=8), now=NOW) == NOW + timedelta(hours=24)
    assert rest_after_flag(flagged_before=NOW - timedelta(days=2), now=NOW) is None
