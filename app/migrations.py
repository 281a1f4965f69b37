"""Schema migrations, run from code so that several processes may start at once."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
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
