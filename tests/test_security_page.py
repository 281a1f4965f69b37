"""What SECURITY.md says is there."""

import re
from pathlib import Path

import pytest

from app.api.rate_limits import WRONG_KEYS
from app.installation.log_files import KEPT, LARGEST_BYTES
from app.runtime.config import Settings
from app.services.access.sign_in import MOST_FAILURES_OF_AN_ADDRESS, MOST_FAILURES_OF_AN_EMAIL

PROJECT = Path(__file__).parent.parent
NAMED = sorted(set(re.findall(r"`((?:tests|app)/[\w/]+\.py)`", (PROJECT / "SECURITY.md").read_text())))


def test_it_names_files() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize("path", NAMED)
def test_a_file_that_it_names_is_there(path: str) -> None:
    assert (PROJECT / path).is_file()


def test_the_limits_that_it_names_are_those_of_the_code() -> None:
    page = (PROJECT / "SECURITY.md").read_text()
    assert (
        f"{Settings().api_requests_per_minute:,} a minute for a key, {WRONG_KEYS.amount} wrong keys" in page
    )
    assert (LARGEST_BYTES, KEPT) == (10_000_000, 3)
    assert "put aside at 10 MB, three are kept" in page
    assert (
        f"{MOST_FAILURES_OF_AN_EMAIL} tries for an e-mail and {MOST_FAILURES_OF_AN_ADDRESS} from an" in page
    )
