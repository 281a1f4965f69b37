"""Databases that hold rows, brought from every landed revision to the newest one."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import create_engine

from app.runtime.migrations import alembic_config, upgrade
from tests.migrations.landed import REVISIONS
from tests.migrations.row_files import count_rows, load_rows, lost_rows, row_file, tables_of, write_rows
from tests.support.servers import connect, create_database

every_revision = pytest.mark.parametrize("revision", REVISIONS)


@pytest.fixture
def empty_database(database_url: str) -> str:
    return create_database(database_url, f"old_{uuid4().hex}")


@every_revision
def test_every_revision_has_its_file_of_rows(revision: str) -> None:
    assert row_file(revision).exists(), "make it: uv run python -m tests.migrations.save_rows"


@every_revision
def test_every_table_of_a_revision_has_a_row_in_its_file(empty_database: str, revision: str) -> None:
    _run(empty_database, command.upgrade, revision)
    with connect(empty_database) as connection:
        tables = set(tables_of(connection))
    assert tables == {table for table, rows in load_rows(revision).items() if rows}


@every_revision
def test_a_database_with_rows_is_upgraded_and_keeps_them(empty_database: str, revision: str) -> None:
    _run(empty_database, command.upgrade, revision)
    with connect(empty_database) as connection:
        write_rows(connection, load_rows(revision))
        before = count_rows(connection)
    upgrade(empty_database)
    with connect(empty_database) as connection:
        assert not lost_rows(before, count_rows(connection))
    _run(empty_database, command.check)


def test_every_migration_can_be_taken_back(empty_database: str) -> None:
    upgrade(empty_database)
    _run(empty_database, command.downgrade, "base")
    with connect(empty_database) as connection:
        assert tables_of(connection) == []
    upgrade(empty_database)


def _run(url: str, work: Callable[..., Any], *arguments: str) -> None:
    """Run one of Alembic's commands on the database."""
    engine = create_engine(url)
    with engine.connect() as connection:
        work(alembic_config(connection), *arguments)
        connection.commit()
    engine.dispose()
