"""The one CALLSHEET_SECRET of a database. With two, processes would refuse each other's callbacks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg

from app.installation.home import Secrets
from app.runtime.errors import OperatorError


class OtherSecretError(OperatorError):
    """Another CALLSHEET_SECRET is registered in the database."""

    def __init__(self) -> None:
        super().__init__(
            "CALLSHEET_SECRET is not the one that this database's other processes have: give all of them the same. "
            "If theirs is lost, stop them and run `uv run callsheet migrate --replace-secret`"
        )


def claim(database_url: str, secrets: Secrets, *, now: datetime) -> None:
    """Register this secret in the database, if it has none yet. If several call at once, the first wins.

    The schema must be the newest. Raises OtherSecretError if another one is registered.
    """
    with _connection(database_url) as connection:
        connection.execute(
            "INSERT INTO installation (id, secret_digest, secret_since) VALUES (1, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [secrets.digest, now],
        )
        _refuse_other(connection, secrets)


def check(database_url: str, secrets: Secrets) -> None:
    """Raise OtherSecretError if another secret is registered. The schema must be the newest."""
    with _connection(database_url) as connection:
        _refuse_other(connection, secrets)


def replace(database_url: str, secrets: Secrets, *, now: datetime) -> None:
    """Register this secret in place of any other. The schema must be the newest."""
    with _connection(database_url) as connection:
        connection.execute(
            "INSERT INTO installation (id, secret_digest, secret_since) VALUES (1, %s, %s)"
            " ON CONFLICT (id) DO UPDATE SET secret_digest = EXCLUDED.secret_digest,"
            " secret_since = EXCLUDED.secret_since",
            [secrets.digest, now],
        )


def _refuse_other(connection: psycopg.Connection[Any], secrets: Secrets) -> None:
    row = connection.execute("SELECT secret_digest FROM installation").fetchone()
    if row and row[0] != secrets.digest:
        raise OtherSecretError


def _connection(database_url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(database_url.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True)
