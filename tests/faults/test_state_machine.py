"""Whatever happens to a campaign, in whatever order, every law holds. `python -m tests.faults --full` tries more."""

import pytest

from tests.faults.model.machine import explore
from tests.faults.model.mutants import MUTANTS, is_found

SHORT = ("placed again",)
"""The mutants of the short pass; all of them in the full one."""


@pytest.mark.timeout(240)
def test_no_history_of_a_campaign_loses_anybody_or_calls_anybody_twice(database_url: str) -> None:
    explore(database_url, examples=12, steps=20)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("mutant", SHORT)
def test_an_engine_with_a_seeded_bug_is_found_out(database_url: str, mutant: str) -> None:
    assert is_found(database_url, MUTANTS[mutant], examples=40)
