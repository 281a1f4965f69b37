"""One CALLSHEET_SECRET a database: the first process's, until it is replaced on purpose."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from app.installation.home import Secrets
from app.installation.shared_secret import OtherSecretError, check, claim, replace
from app.runtime.database import Database

NOW = datetime(2026, 12, 1, tzinfo=UTC)
OURS, THEIRS = Secrets.of("ours"), Secrets.of("theirs")


async def test_the_first_secret_stays(database: Database, database_url: str) -> None:
    check(database_url, THEIRS)  # nobody has started yet
    claim(database_url, OURS, now=NOW)
    claim(database_url, OURS, now=NOW)
    with pytest.raises(OtherSecretError, match="give all of them the same"):
        claim(database_url, THEIRS, now=NOW)
    with pytest.raises(OtherSecretError):
        check(database_url, THEIRS)
    check(database_url, OURS)


async def test_a_secret_can_be_replaced_on_purpose(database: Database, database_url: str) -> None:
    claim(database_url, OURS, now=NOW)
    replace(database_url, THEIRS, now=NOW)
    claim(database_url, THEIRS, now=NOW)
    with pytest.raises(OtherSecretError):
        check(database_url, OURS)


async def test_of_processes_that_start_at_once_one_secret_wins(database: Database, database_url: str) -> None:
    def start(secrets: Secrets) -> bool:
        try:
            claim(database_url, secrets, now=NOW)
        except OtherSecretError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(start, [Secrets.of(str(number)) for number in range(8)]))
    assert started.count(True) == 1


def test_what_machines_share_follows_from_the_secret_and_does_not_tell_it() -> None:
    assert Secrets.of("ours") == OURS
    assert OURS.simulator_account_sid != THEIRS.simulator_account_sid
    assert OURS.simulator_account_sid.startswith("AC")
    assert len(OURS.simulator_account_sid) == 34
    assert len({OURS.digest, OURS.simulator_account_sid[2:], OURS.simulator_auth_token}) == 3
