"""What is asked of the database, for tests that say how much that may be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from app.runtime.database import Database


@contextmanager
def sent_statements(database: Database) -> Iterator[list[str]]:
    """Every statement that this database sends meanwhile, in its order."""
    statements: list[str] = []

    def hear(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield statements
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", hear)
