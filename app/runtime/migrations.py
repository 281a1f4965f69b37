"""Schema migrations, run from code so that several processes can start at once.

Alembic and SQLAlchemy take a second to import: they are imported only if there is something to migrate.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from app.runtime.errors import OperatorError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

PROJECT: Final = Path(__file__).resolve().parents[2]
_LOCK: Final = 0x63616C6C  # "call": the advisory lock of a migration
_BASELINE: Final = "b5a3e0c41d97"
_SAME_AS_BASELINE: Final = "7c1e4a9d52f0"
"""The last revision before the baseline. It has the same schema: such a database counts as at the baseline."""
_BEFORE_BASELINE: Final = frozenset(
    {"486f41cbd7fd", "a22225011de1", "5b1d2c7e9a04", "5d1c0f7a93be", "7e4b90d2c6a1"}
)
_LAST_BEFORE_BASELINE: Final = "7c907c8"
"""The last commit that can migrate from those revisions."""
_REVISION = re.compile(r"""^(down_)?revision\b[^=]*=\s*["'](\w+)["']""", re.MULTILINE)


class SchemaError(OperatorError):
    """The database's schema is not the one of this version, or cannot be migrated to it."""


def current_revision(database_url: str) -> str | None:
    """Return the revision of the database's schema; None for an empty database."""
    plain = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return str(row[0]) if row else None


def newest_revision() -> str:
    """Return the newest revision in `alembic/versions`: no other revision follows it."""
    revisions, built_on = _revisions()
    (newest,) = revisions - built_on
    return newest


def check_schema(database_url: str) -> None:
    """Raise SchemaError, which says what to do, unless the schema is at the newest revision."""
    revision, newest = check_upgradable(database_url), newest_revision()
    if revision != newest:
        raise SchemaError(
            f"the database's schema is at {revision or 'nothing'}, the newest is {newest}: "
            "run `uv run callsheet migrate`"
        )


def check_upgradable(database_url: str) -> str | None:
    """Return the revision of the schema. Raises SchemaError for one that this version cannot upgrade."""
    revision = current_revision(database_url)
    if revision in _BEFORE_BASELINE:
        raise SchemaError(
            f"the database's schema is at {revision}, which is too old for this version: check out commit "
            f"{_LAST_BEFORE_BASELINE}, run `uv run callsheet migrate` there, then come back to this version"
        )
    if revision and revision != _SAME_AS_BASELINE and revision not in _revisions()[0]:
        raise SchemaError(
            f"the database's schema is at {revision}, which this version does not know: "
            "a newer version has migrated it; update this one"
        )
    return revision


def upgrade(database_url: str) -> None:
    """Migrate the schema to the newest revision. If several call this at once, one migrates and the others wait.

    Raises SchemaError.
    """
    if check_upgradable(database_url) == newest_revision():
        return
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError

    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            _upgrade_alone(connection)
    except DBAPIError as error:
        raise SchemaError(f"the database cannot be migrated: {_first_line(error.orig or error)}") from error
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration of this project ([tool.alembic]) for `connection`."""
    from alembic.config import Config

    config = Config(toml_file=PROJECT / "pyproject.toml")
    config.attributes["connection"] = connection
    return config


def _upgrade_alone(connection: Connection) -> None:
    from alembic import command
    from sqlalchemy import text

    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    try:
        _take_over(connection)
        command.upgrade(alembic_config(connection), "head")
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()


def _take_over(connection: Connection) -> None:
    """Mark a database at the last revision before the baseline as at the baseline."""
    from sqlalchemy import inspect, text

    if inspect(connection).has_table("alembic_version"):
        connection.execute(
            text("UPDATE alembic_version SET version_num = :baseline WHERE version_num = :same"),
            {"baseline": _BASELINE, "same": _SAME_AS_BASELINE},
        )


def _revisions() -> tuple[set[str], set[str]]:
    """Return all revisions in `alembic/versions`, and those that another one follows."""
    named: dict[bool, set[str]] = {True: set(), False: set()}
    for script in (PROJECT / "alembic" / "versions").glob("*.py"):
        for down, revision in _REVISION.findall(script.read_text()):
            named[bool(down)].add(revision)
    return named[False], named[True]


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
