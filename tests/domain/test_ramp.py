"""How many people each step of a ramp lets be tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ramp import LAST, people, step_for


def test_a_long_list_goes_by_percent() -> None:
    assert [people(step, total=1_200, least=20) for step in range(LAST + 1)] == [24, 120, 600, 1_200]


def test_a_share_is_rounded_up() -> None:
    assert people(0, total=5_001, least=20) == 101


def test_a_short_list_goes_by_a_few_people_a_step() -> None:
    assert [people(step, total=100, least=20) for step in range(LAST + 1)] == [20, 40, 60, 100]


def test_a_list_shorter_than_a_step_is_tried_at_once() -> None:
    assert [people(step, total=7, least=20) for step in range(LAST + 1)] == [7, 7, 7, 7]


def test_the_next_step_lets_more_be_tried() -> None:
    assert step_for(24, step=0, total=1_200, least=20) == 1


def test_a_step_that_is_not_full_goes_on() -> None:
    assert step_for(23, step=0, total=1_200, least=20) == 0


def test_steps_that_a_pilot_has_covered_are_passed_over() -> None:
    assert step_for(200, step=0, total=1_200, least=20) == 2


@pytest.mark.parametrize("reached", [600, 1_200, 5_000])
def test_the_last_step_is_the_end(reached: int) -> None:
    assert step_for(reached, step=2, total=1_200, least=20) == LAST
    assert step_for(reached, step=LAST, total=1_200, least=20) == LAST


@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000), st.integers(5, 500), st.integers(0, LAST))
def test_steps_only_grow(total: int, reached: int, least: int, step: int) -> None:
    limits = [people(each, total=total, least=least) for each in range(LAST + 1)]
    assert limits == sorted(limits)
    assert limits[LAST] == total
    following = step_for(reached, step=step, total=total, least=least)
    assert following >= step
    assert following == LAST or limits[following] > reached
