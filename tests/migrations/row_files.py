"""The rows of a database as a JSON file: one line a row, tables in the order in which they can be filled."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from app.runtime.migrations import PROJECT

ROWS: Final = PROJECT / "tests" / "migrations" / "rows"

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Table -> its rows, as PostgreSQL gives them as JSON."""
DROPPED: Final[frozenset[str]] = frozenset()
"""Tables that a migration dropped on purpose, with their rows."""
Connection = psycopg.Connection[tuple[object, ...]]


def row_file(revision: str) -> Path:
    """Return where the rows of a revision are, or will be."""
    return ROWS / f"{revision}.json"


def load_rows(revision: str) -> Rows:
    """Return the rows of a revision. Raises FileNotFoundError."""
    rows: Rows = json.loads(row_file(revision).read_text())
    return rows


def dump_rows(rows: Rows) -> str:
    """Return the text of a file of rows."""
    tables = []
    for table, these in rows.items():
        lines = ",\n".join(f"  {json.dumps(row, sort_keys=True)}" for row in these)
        tables.append(f'"{table}": [\n{lines}\n]')
    return "{\n" + ",\n".join(tables) + "\n}\n"


def tables_of(connection: Connection) -> list[str]:
    """Return the names of all tables but Alembic's own."""
    found = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        " ORDER BY tablename"
    )
    return [str(row[0]) for row in found]


def count_rows(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    counted = {}
    for table in tables_of(connection):
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        assert row is not None
        counted[table] = int(str(row[0]))
    return counted


def lost_rows(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return the tables that have fewer rows than before, with both counts."""
    return {
        table: (count, after.get(table, 0))
        for table, count in before.items()
        if table not in DROPPED and after.get(table, 0) < count
    }


def read_rows(connection: Connection, tables: Sequence[str]) -> Rows:
    """Return every row of these tables, without the columns that PostgreSQL computes."""
    rows = {}
    for table in tables:
        found = connection.execute(_READ.format(sql.Identifier(table)), {"table": table})
        rows[table] = [dict(row) for (row,) in found if isinstance(row, dict)]
    return rows


def write_rows(connection: Connection, rows: Rows) -> None:
    """Insert the rows, and let each table number the next ones after them."""
    for table, these in rows.items():
        columns = sql.SQL(", ").join(map(sql.Identifier, these[0]))
        statement = sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM jsonb_populate_recordset(NULL::{0}, %s)")
        connection.execute(statement.format(sql.Identifier(table), columns), [json.dumps(these)])
    connection.execute(_NUMBER_ON)


_READ: Final = sql.SQL(
    """
    SELECT to_jsonb(t) - ARRAY(
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = CAST(%(table)s AS regclass) AND attgenerated <> ''
    ) FROM {} t ORDER BY 1
    """
)
_NUMBER_ON: Final = """
DO $$
DECLARE known record; last bigint;
BEGIN
    FOR known IN SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND is_identity = 'YES'
    LOOP
        EXECUTE format('SELECT max(%I) FROM %I', known.column_name, known.table_name) INTO last;
        PERFORM setval(pg_get_serial_sequence(known.table_name, known.column_name), last) WHERE last IS NOT NULL;
    END LOOP;
END $$
"""
