"""The compact set of numbers behaves as a set does."""

from hypothesis import given
from hypothesis import strategies as st

from app.services.imports.rows.number_set import SeenNumbers


@given(st.lists(st.integers(1, 10**15 - 1) | st.integers(12_025_550_000, 12_025_550_200), max_size=300))
def test_a_number_is_new_once(numbers: list[int]) -> None:
    seen, known = SeenNumbers(), set[int]()
    for number in numbers:
        assert seen.add(number) is (number not in known)
        known.add(number)
    assert len(seen) == len(known)


def test_it_grows_and_forgets_nothing() -> None:
    seen = SeenNumbers()
    seen.update(range(12_010_000_000, 12_010_020_000))
    assert len(seen) == 20_000
    assert not any(seen.add(number) for number in range(12_010_000_000, 12_010_020_000))
