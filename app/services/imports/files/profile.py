"""Profiles a stored table: counts its rows and suggests a mapping of its columns."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import ContactImport, Organization
from app.services.imports.files.column_mapping import samples, suggested_mapping
from app.services.imports.files.file_store import read_batches, reader_for
from app.services.tabular.refusals import FileRefused
from app.services.tabular.row_reader import FileRow

MAX_ROWS: Final = 1_000_000
SAMPLED_ROWS: Final = 20
_ROWS: Final = 5_000
EMPTY: Final = "The file is empty. Choose a file with a header row and one person a row."


async def look_through(session: AsyncSession, contact_import: ContactImport, *, guess: bool) -> None:
    """Read the whole file, to find errors at once and to know its length.

    With `guess`, phone numbers are also found by the cells if no header names them. Use it only where a person sees
    the suggestion before it is used. Raises `FileRefused`.
    """
    reader, rows, broken = reader_for(contact_import), 0, 0
    first: list[FileRow] = []
    async for batch in read_batches(session, import_id=contact_import.id, reader=reader, size=_ROWS):
        rows += len(batch.rows)
        if len(first) < SAMPLED_ROWS:
            first += [row for row in batch.rows if not row.problem][: SAMPLED_ROWS - len(first)]
        broken += sum(row.problem is not None for row in batch.rows)
        if rows > MAX_ROWS:
            raise FileRefused(
                f"The file has more than {MAX_ROWS:,} rows. Split it and upload the parts one by one."
            )
    if not reader.headers:
        raise FileRefused(EMPTY)
    if rows == broken:
        raise FileRefused(
            "The file has column names but no row that can be read below them. Add one row for each person."
        )
    contact_import.rows_total, contact_import.delimiter = rows, reader.delimiter
    contact_import.head = {
        "headers": reader.headers,
        "headerless": reader.headerless,
        "samples": [samples(first, position) for position in range(len(reader.headers))],
    }
    region = await session.scalar(
        select(col(Organization.default_region)).where(col(Organization.id) == contact_import.organization_id)
    )
    contact_import.mapping = await suggested_mapping(
        session, contact_import, first, region=region or "", guess=guess
    )
    await session.flush()
