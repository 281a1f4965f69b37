"""The servers every test runs on: real PostgreSQL and Valkey, throw-away, fast because not durable."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from app.installation.embedded import EmbeddedPostgres, EmbeddedValkey


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home that is gone afterwards, passable for PostgreSQL's account so that root's data stays in it.

    The data of a private home in it, `home`, is removed as well from where root keeps it.
    """
    home = Path(tempfile.mkdtemp(prefix="callsheet-test-"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        EmbeddedPostgres(home / "home").purge()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def running_postgres(home: Path) -> Iterator[str]:
    """A PostgreSQL of its own; gives its SQLAlchemy URL."""
    server = EmbeddedPostgres(home, durable=False)
    try:
        yield server.start()
    finally:
        server.purge()


@contextmanager
def running_valkey(home: Path) -> Iterator[str]:
    """A Valkey of its own; gives its redis-py URL."""
    server = EmbeddedValkey(home, persist=False)
    try:
        yield server.start()
    finally:
        server.stop()


def empty_all_tables(url: str) -> None:
    """Delete every row of every table but Alembic's own. Ids go on counting: no test may rely on one."""
    with connect(url) as connection:
        connection.execute(_EMPTY)


def create_database(url: str, name: str) -> str:
    """Create an empty database beside the one at `url`; gives its URL."""
    with connect(url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A plain psycopg connection, committing each statement, to the database of a SQLAlchemy URL."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


# Sixty times faster than TRUNCATE on the few rows of a test. In the replica role no foreign key is looked at.
_EMPTY = """
DO $$
DECLARE known record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR known IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('DELETE FROM %I', known.tablename);
    END LOOP;
END $$
"""
