"""Schema migrations, run from code so that several processes may start at once."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

PROJECT: Final = Path(__file__).resolve().parent.parent
_LOCK: Final = 0x63616C6C  # "call": the advisory lock of whoever migrates


def upgrade(database_url: str) -> None:
    """Bring the schema to the newest revision; of several callers at once one works and the others wait."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            _upgrade_alone(connection)
    finally:
        engine.dispose()


def revisions(database_url: str) -> tuple[str | None, str | None]:
    """The revision the schema is at, and the newest there is."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            return current, ScriptDirectory.from_config(alembic_config(connection)).get_current_head()
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration of this project ([tool.alembic]), working on `connection`."""
    config = Config(toml_file=PROJECT / "pyproject.toml")
    config.attributes["connection"] = connection
    return config


def _upgrade_alone(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    try:
        command.upgrade(alembic_config(connection), "head")
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()
