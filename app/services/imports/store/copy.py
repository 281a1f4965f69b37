"""Runs COPY for the tables of a batch, and for the temporary table of its known contacts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.services.imports.rows.copy_format import COLUMNS, with_head
from app.services.imports.rows.row_parser import CARD

_TABLE: Final = text(
    "CREATE TEMPORARY TABLE IF NOT EXISTS import_stage (number varchar, "
    + ", ".join(f"{name} text" for name in CARD)
    + ", tags varchar[], fields jsonb, consent text, consent_scope text, consent_source text, consent_wording text, "
    "consent_evidence text, consent_at timestamptz) ON COMMIT DELETE ROWS"
)
_EMPTY: Final = text("TRUNCATE import_stage")
_COPY: Final = f"COPY import_stage ({', '.join(COLUMNS)}) FROM STDIN"


async def stage(session: AsyncSession, cards: Sequence[str]) -> None:
    """Fill the temporary table with only these people (lines of `CopyBatch.cards`), until the transaction ends."""
    await session.execute(_TABLE)
    await session.execute(_EMPTY)
    await copy_rows(session, _COPY, with_head((), cards))


@asynccontextmanager
async def planned_anew(session: AsyncSession) -> AsyncIterator[None]:
    """Plan the statements inside for the present tables, instead of with a cached plan.

    `plan_cache_mode` would also plan each foreign key check, one for each row: that takes most of the time.
    """
    driver = await _driver(session)
    usual, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = usual


async def copy_rows(session: AsyncSession, statement: str, rows: str) -> None:
    """Run a COPY ... FROM STDIN of our own with these rows."""
    cursor = (await _driver(session)).cursor()
    async with cursor, cursor.copy(statement.encode()) as copy:
        await copy.write(rows)


async def _driver(session: AsyncSession) -> AsyncConnection[Any]:
    """Return psycopg's connection of this session's transaction: SQLAlchemy has no COPY."""
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    assert isinstance(connection, AsyncConnection)
    return connection
