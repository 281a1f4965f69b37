"""The database: a lazily opened engine, sessions for reading, and `write` for all that changes rows."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
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
"""How often a transaction is tried if it ends in a deadlock. Each deadlock lets another transaction through."""

_DRIVER: Final = "driver"

AWAY: Final = (OperationalError, InterfaceError, PoolTimeout, OSError)
"""Errors while the database cannot be reached: the operation can be retried later."""

T = TypeVar("T")

Announcer = Callable[[Sequence[LiveNote]], Awaitable[None]]


class Database:
    """A connection pool to PostgreSQL. It opens on first use: a forked child must not share its parent's sockets."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        on_commit: Announcer | None = None,
        ping: bool = True,
        by_index: bool = False,
    ) -> None:
        """Configure the pool; it opens later.

        `on_commit` receives the notes that `app.runtime.live_feed.announce` made in a transaction, after its commit.

        `ping` tests each pooled connection before use: one more round trip, but no error after the database was away.
        The dialer does without, because it retries everything.

        `by_index`: for repeated statements that look up few rows of large tables. A cached plan from when a table was
        empty must not scan the whole table later.
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
        """Return a second pool to the same server, with `by_index`. `dispose` closes it too."""
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
                # Recently used connections have prepared statements; a new one must plan each again.
                pool_use_lifo=True,
                # The carrier gives up on a webhook after 15 s: a 503, which it retries, is better than no answer.
                pool_timeout=_POOL_SECONDS,
                connect_args={"connect_timeout": 5},
            )
            if self._by_index:
                event.listen(self._engine.sync_engine, "connect", _plan_by_index)
        return self._engine

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Yield a session for reading. It is rolled back at the end."""
        async with self._maker()() as session:
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Yield an autocommit session for reading: each statement sees what was committed before it. Do not write.

        It needs two round trips fewer than `session`. There is no rollback, which would make the driver forget its
        prepared statements: each statement is planned once.
        """
        async with self._maker()(bind=self.engine.execution_options(isolation_level="AUTOCOMMIT")) as session:
            yield session

    async def write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `work` in one transaction, commit it, and return its result.

        If PostgreSQL ends the transaction because of a deadlock, `work` runs again from the start. So `work` must
        change rows only, and have no other effects. If it raises, the transaction is rolled back and the error raised.
        """
        for tries_left in range(_TRIES, 0, -1):
            try:
                async with self.transaction() as session:
                    return await work(session)
            except (DBAPIError, DeadlockDetected) as error:
                # SQLAlchemy wraps the driver's error; calls to the driver itself, such as COPY, raise it unwrapped.
                if tries_left == 1 or not isinstance(getattr(error, "orig", error), DeadlockDetected):
                    raise
                log.warning("database.deadlock", extra={"tries_left": tries_left - 1})
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Yield a session that is committed at the end, or rolled back if the block raises.

        A deadlock is raised. For tests, and for `write`, which retries it.
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
    connection.commit()  # a setting made in a transaction is lost at its rollback


async def quickly(
    session: AsyncSession, sql: LiteralString, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Execute a statement in the session's transaction with the driver directly, and return its rows.

    For very frequent statements: SQLAlchemy takes three times as long. Placeholders are `%(name)s`. Raises the same
    errors as SQLAlchemy.
    """
    driver = await _driver_of(session)
    try:
        cursor = await driver.cursor(row_factory=dict_row).execute(sql, values)
        return [] if cursor.rownumber is None else await cursor.fetchall()
    except psycopg.Error as error:
        raise DBAPIError.instance(sql, dict(values), error, psycopg.Error) from error


async def _driver_of(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """Return the driver's connection of the session's transaction."""
    known, driver = session.info.get(_DRIVER, (None, None))
    if driver is None or known is not session.sync_session.get_transaction():
        pooled = await (await session.connection()).get_raw_connection()
        driver = pooled.driver_connection
        session.info[_DRIVER] = (session.sync_session.get_transaction(), driver)
    return cast("psycopg.AsyncConnection[Any]", driver)


AskTheTime = Callable[[], Awaitable[datetime | None]]
"""Asks another clock than ours for the time; None: it cannot be asked."""


async def calibrate(database: Database, clock: CalibratedClock, *, carriers_time: AskTheTime) -> None:
    """Compare the clock with the database's. If one of them was set, the carrier's time decides.

    The answer counts for the middle of the round trip.
    """
    async with database.session() as session:
        asked = clock.boottime()
        told = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        heard = asked + (clock.boottime() - asked) / 2
    if clock.agrees(told, heard):
        clock.follow(told, heard)
        return
    carriers = await carriers_time()
    clock.judge(told + timedelta(seconds=clock.boottime() - heard), clock.boottime(), carriers)
