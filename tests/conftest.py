"""Fixtures of the whole suite. No test ever touches a server or a carrier named in the environment."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.runtime.database import Database
from app.runtime.migrations import upgrade
from tests.support.servers import empty_all_tables, running_postgres, running_valkey, temporary_home

_OURS = ("CALLSHEET_", "SIMULATOR_", "TWILIO_")
for _name in list(os.environ):
    if _name in {"DATABASE_URL", "REDIS_URL"} or _name.startswith(_OURS):
        del os.environ[_name]


# A busy machine may take longer for one example than the library's 200 ms.
settings.register_profile("callsheet", deadline=None)
settings.load_profile("callsheet")

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of one file, and all that share a browser, run in one process: what they start is started once."""
    for item in items:
        in_browser = TESTS / "e2e" in item.path.parents
        item.add_marker(pytest.mark.xdist_group("browser" if in_browser else str(item.path)))


@pytest.fixture(scope="session")
def servers_home() -> Iterator[Path]:
    """The directory the test servers live in."""
    with temporary_home() as home:
        yield home


@pytest.fixture(scope="session")
def database_url(servers_home: Path) -> Iterator[str]:
    """A migrated database, shared by the tests; use `database` for a clean one."""
    with running_postgres(servers_home) as url:
        upgrade(url)
        yield url


@pytest.fixture(scope="session")
def redis_url(servers_home: Path) -> Iterator[str]:
    """A Valkey shared by the tests; use `redis` for an empty one."""
    with running_valkey(servers_home) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database with every table empty, through the application's own seam."""
    empty_all_tables(database_url)
    database = Database(database_url)
    yield database
    await database.dispose()


@pytest.fixture
def engine(database: Database) -> AsyncEngine:
    """The engine of `database`."""
    return database.engine


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session on `database` for looking at rows; what it writes without a commit is rolled back."""
    async with database.session() as session:
        yield session


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of an empty Valkey."""
    client: Redis = Redis.from_url(redis_url)
    await client.flushall()
    yield client
    await client.aclose()
