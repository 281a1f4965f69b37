"""Databases of the revisions that the baseline replaced."""

from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import create_engine

from app.runtime.migrations import (
    _BASELINE,
    _BEFORE_BASELINE,
    _SAME_AS_BASELINE,
    SchemaError,
    alembic_config,
    check_schema,
    current_revision,
    newest_revision,
    upgrade,
)
from tests.migrations.row_files import count_rows, load_rows, lost_rows, write_rows
from tests.support.servers import connect, create_database


@pytest.fixture
def last_before_the_baseline(database_url: str) -> str:
    """A database with rows at the last revision that was replaced."""
    url = create_database(database_url, f"old_{uuid4().hex}")
    engine = create_engine(url)
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), _BASELINE)
        connection.commit()
    engine.dispose()
    with connect(url) as connection:
        write_rows(connection, load_rows(_BASELINE))
        connection.execute("UPDATE alembic_version SET version_num = %s", [_SAME_AS_BASELINE])
    return url


def test_a_database_of_the_last_revision_before_the_baseline_is_taken_over_with_its_rows(
    last_before_the_baseline: str,
) -> None:
    with connect(last_before_the_baseline) as connection:
        before = count_rows(connection)
    upgrade(last_before_the_baseline)
    assert current_revision(last_before_the_baseline) == newest_revision()
    with connect(last_before_the_baseline) as connection:
        assert not lost_rows(before, count_rows(connection))


def test_a_process_does_not_start_on_such_a_database_before_it_is_migrated(
    last_before_the_baseline: str,
) -> None:
    with pytest.raises(SchemaError, match=f"at {_SAME_AS_BASELINE}, .* run `uv run callsheet migrate`"):
        check_schema(last_before_the_baseline)


@pytest.mark.parametrize("revision", sorted(_BEFORE_BASELINE))
def test_a_database_of_an_older_revision_is_told_which_version_to_migrate_with_first(
    database_url: str, revision: str
) -> None:
    url = create_database(database_url, f"older_{uuid4().hex}")
    with connect(url) as connection:
        connection.execute(f"CREATE TABLE alembic_version AS SELECT '{revision}' AS version_num")
    with pytest.raises(SchemaError, match=f"at {revision}.*too old.* commit 7c907c8.* callsheet migrate"):
        upgrade(url)
    with pytest.raises(SchemaError, match="commit 7c907c8"):
        check_schema(url)
