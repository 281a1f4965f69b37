"""A running simulated carrier for the contract tests."""

from collections.abc import Iterator

import pytest

from tests.simulator.support import RunningCarrier, running_carrier


@pytest.fixture
def carrier() -> Iterator[RunningCarrier]:
    """A carrier of its own for each test, many times faster than life."""
    with running_carrier() as running:
        yield running
