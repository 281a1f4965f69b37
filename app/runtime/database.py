"""Database seam: one lazily opened engine a process, sessions to read in, and `write` for all that changes rows."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, LiteralString, TypeVar, cast

import psycopg
from psycopg.errors import DeadlockDetected
from psycopg.rows import dict_row
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.runtime.clock import CalibratedClock
from app.runtime.live_feed import LiveNote

log = logging.getLogger(__name__)

_POOL_SECONDS = 5

_TRIES: Final = 10
"""Deadlocks in a row before a transaction is given up: each time another one has gone through."""

_DRIVER: Final = "driver"

AWAY: Final = (OperationalError, InterfaceError, PoolTimeout, OSError)
"""What is raised while the database cannot be reached: what was tried may be tried again later."""

T = TypeVar("T")

Announcer = Callable[[Sequence[LiveNote]], Awaitable[None]]


class Database:
    """A pooled PostgreSQL, opened on first use so that a forked child never shares sockets with its parent."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        on_commit: Announcer | None = None,
        ping: bool = True,
        by_index: bool = False,
    ) -> None:
        """`on_commit` is given what `app.runtime.live_feed.announce` noted in a transaction, once that has committed.

        `ping` asks each pooled connection whether it is still good before it is used: a round trip more, and no
        error after the database was away. The dialer goes without, since it tries everything again.

        `by_index`: for statements that look up few rows of great tables, again and again. A plan that is kept from
        when a table was still empty must not read it through when it is full.
        """
        self.url = url
        self._ping = ping
        self._by_index = by_index
        self._pool_size = pool_size
        self._on_commit = on_commit
        self._engine: AsyncEngine | None = None
        self._sessions: async_sessionmaker[AsyncSession] | None = None
        self._beside: list[Database] = []

    def beside(self, *, pool_size: int) -> "Database":
        """Return further connections to the same server, that plan by index; they are closed with these."""
        other = Database(
            self.url, pool_size=pool_size, on_commit=self._on_commit, ping=self._ping, by_index=True
        )
        self._beside.append(other)
        return other

    @property
    def engine(self) -> AsyncEngine:
        """The engine, made on first use in the running process."""
        if self._engine is None:
            self._engine = create_async_engine(
                self.url,
                pool_size=self._pool_size,
                max_overflow=self._pool_size,
                pool_pre_ping=self._ping,
                # The connections used last know the statements already: a new one plans each of them again.
                pool_use_lifo=True,
                # A carrier gives up on a webhook after 15 s: better a 503 it sends again than none.
                pool_timeout=_POOL_SECONDS,
                connect_args={"connect_timeout": 5},
            )
            if self._by_index:
                event.listen(self._engine.sync_engine, "connect", _plan_by_index)
        return self._engine

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Give a session for reading; whatever it wrote is rolled back at the end."""
        async with self._maker()() as session:
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Give a session for looks: each statement is on its own and sees what was committed before it.

        Two round trips fewer than `session`, whose rollback also makes the driver forget what it had prepared: a
        pool that sees no rollback plans its statements once. Nothing may be written.
        """
        async with self._maker()(bind=self.engine.execution_options(isolation_level="AUTOCOMMIT")) as session:
            yield session

    async def write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do `work` in one transaction, commit it, and return what it returned.

        When two transactions wait for each other PostgreSQL ends one: its work is done again from the start. So `work`
        changes rows and nothing else, and nobody is ever told of a deadlock. Raises what `work` raises, after a
        rollback.
        """
        for tries_left in range(_TRIES, 0, -1):
            try:
                async with self.transaction() as session:
                    return await work(session)
            except (DBAPIError, DeadlockDetected) as error:
                # SQLAlchemy wraps the driver's error; what goes to the driver directly, as a COPY, raises it as it is.
                if tries_left == 1 or not isinstance(getattr(error, "orig", error), DeadlockDetected):
                    raise
                log.warning("database.deadlock", extra={"tries_left": tries_left - 1})
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose work is committed at the end, or rolled back if the block raises.

        It can lose a deadlock, and raises that: for tests, and for `write`, which does it again.
        """
        async with self._maker().begin() as session:
            yield session
        notes: list[LiveNote] = session.info.pop("notes", [])
        if notes and self._on_commit is not None:
            await self._on_commit(notes)

    async def dispose(self) -> None:
        """Close all pooled connections."""
        for other in self._beside:
            await other.dispose()
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = self._sessions = None

    def _maker(self) -> async_sessionmaker[AsyncSession]:
        if self._sessions is None:
            self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        return self._sessions


def _plan_by_index(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("SET enable_seqscan = off")
    cursor.close()
    connection.commit()  # what is set in a transaction ends with its rollback


async def quickly(
    session: AsyncSession, sql: LiteralString, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Execute a statement in the session's transaction by the driver alone, and return its rows.

    For what is sent very often: the way through SQLAlchemy takes three times as long. Values stand as `%(name)s`.
    Raises what SQLAlchemy does.
    """
    driver = await _driver_of(session)
    try:
        cursor = await driver.cursor(row_factory=dict_row).execute(sql, values)
        return [] if cursor.rownumber is None else await cursor.fetchall()
    except psycopg.Error as error:
        raise DBAPIError.instance(sql, dict(values), error, psycopg.Error) from error


async def _driver_of(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """Return the driver's connection that the session's transaction has."""
    known, driver = session.info.get(_DRIVER, (None, None))
    if driver is None or known is not session.sync_session.get_transaction():
        pooled = await (await session.connection()).get_raw_connection()
        driver = pooled.driver_connection
        session.info[_DRIVER] = (session.sync_session.get_transaction(), driver)
    return cast("psycopg.AsyncConnection[Any]", driver)


async def calibrate(database: Database, clock: CalibratedClock) -> None:
    """Compare the clock with the database's. Its answer is taken as of the middle of the question."""
    async with database.session() as session:
        asked = datetime.now(UTC)
        answer = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        heard = datetime.now(UTC)
    clock.offset = answer - (asked + (heard - asked) / 2)
