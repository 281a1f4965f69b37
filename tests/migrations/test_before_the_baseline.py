"""Databases of the revisions that the baseline replaced."""

import re
from pathlib import Path
from typing import Final
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

SCHEMA: Final = Path(__file__).with_name("before_the_baseline.sql")
"""What `pg_dump --schema-only` printed of the last revision that was replaced, made by its own migrations."""

_CATALOG: Final = """
    SELECT 'column', table_name::text, column_name::text, concat_ws(' ', data_type, udt_name, character_maximum_length,
           numeric_precision, numeric_scale, is_nullable, column_default, identity_generation, generation_expression)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'storage', '', relname::text, array_to_string(reloptions, ', ') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
"""

_CASTS: Final = re.compile(r"::[a-z ]+(\[\])?|[()]")
"""A definition that was printed and read again has other casts and brackets, and means the same."""


@pytest.fixture
def baseline(database_url: str) -> str:
    """An empty database at the baseline."""
    url = create_database(database_url, f"baseline_{uuid4().hex}")
    engine = create_engine(url)
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), _BASELINE)
        connection.commit()
    engine.dispose()
    return url


@pytest.fixture
def last_before_the_baseline(database_url: str) -> str:
    """A database with rows at the last revision that was replaced."""
    url = create_database(database_url, f"old_{uuid4().hex}")
    with connect(url) as connection:
        connection.execute(SCHEMA.read_bytes())
    with connect(url) as connection:
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [_SAME_AS_BASELINE])
        write_rows(connection, load_rows(_BASELINE))
    return url


def test_the_last_revision_before_the_baseline_has_the_schema_of_the_baseline(
    last_before_the_baseline: str, baseline: str
) -> None:
    schemas = []
    for url in (last_before_the_baseline, baseline):
        with connect(url) as connection:
            rows = connection.execute(_CATALOG).fetchall()
        schemas.append({(*name, _CASTS.sub("", str(definition))) for *name, definition in rows})
    assert len(schemas[0]) > 500
    assert schemas[0] ^ schemas[1] == set()


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
