"""Alembic's entry: the tables of `app.models`, on the connection given by `app.runtime.migrations` or a `DATABASE_URL`."""

from typing import Literal

from alembic import context
from sqlalchemy import Connection, Enum, String, create_engine
from sqlmodel import AutoString, SQLModel

import app.models  # noqa: F401 - fills the metadata
from app.runtime.config import get_settings


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        render_item=_plain_strings,
    )
    with context.begin_transaction():
        context.run_migrations()


def _plain_strings(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write word columns and SQLModel's own string type as `sa.String`: their values live in CHECKs."""
    if kind == "type" and isinstance(item, String | Enum | AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


given = context.config.attributes.get("connection")
if given is not None:
    _migrate(given)
else:
    url = get_settings().database_url
    if url is None:
        raise SystemExit("Set DATABASE_URL, or use `callsheet migrate`.")
    with create_engine(url).connect() as connection:
        _migrate(connection)
        connection.commit()
