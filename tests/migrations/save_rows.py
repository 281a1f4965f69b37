"""`uv run python -m tests.migrations.save_rows`: write the rows of the newest revision beside its migration's test.

Run it once for each migration that is landed, when its models are there: it fills an empty database at the newest
revision with a small world (`tests.migrations.world`), and says which tables have no row yet.
"""

import asyncio
import sys

from sqlmodel import SQLModel

from app.runtime.database import Database
from app.runtime.migrations import newest_revision, upgrade
from tests.migrations.row_files import Rows, dump_rows, read_rows, row_file
from tests.migrations.world import make_world
from tests.support.servers import connect, running_postgres, temporary_home


def main() -> None:
    """Write the file, or say in one line why not."""
    file = row_file(newest_revision())
    if file.exists():
        sys.exit(
            f"{file} is there already. If its migration has not landed yet, delete it and run this again."
        )
    with temporary_home() as home, running_postgres(home) as url:
        upgrade(url)
        asyncio.run(_fill(url))
        rows = _rows(url)
    empty = sorted(table for table, these in rows.items() if not these)
    if empty:
        sys.exit(f"No row in {', '.join(empty)}: add one to tests/migrations/world.py.")
    file.write_text(dump_rows(rows))
    sys.stdout.write(f"{file}: {sum(map(len, rows.values()))} rows in {len(rows)} tables\n")


async def _fill(url: str) -> None:
    database = Database(url)
    try:
        await make_world(database)
    finally:
        await database.dispose()


def _rows(url: str) -> Rows:
    with connect(url) as connection:
        return read_rows(connection, [table.name for table in SQLModel.metadata.sorted_tables])


if __name__ == "__main__":
    main()
