"""Turns workbooks and JSON files into CSV, in the pieces that imports read."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import IO, Final, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.contact_fields import MappingInvalid, require_phone_column
from app.domain.contact_import import ImportStatus
from app.models import ContactImport, ImportChunk
from app.runtime.database import Database
from app.runtime.live_feed import announce
from app.services.imports.files.file_store import CHUNK_BYTES, JSON_FORMAT, stored_chunks, write_chunk
from app.services.imports.files.profile import look_through
from app.services.imports.overtaken import Overtaken
from app.services.tabular.json_rows import file_columns_of, file_objects
from app.services.tabular.refusals import FileRefused
from app.services.tabular.row_reader import NO_OBJECT

WORKBOOK: Final = "xlsx"
RAW_FORMATS: Final = frozenset({WORKBOOK, JSON_FORMAT})
AT_ONCE_BYTES: Final = 1_000_000
"""A file of up to this size is read before the request is answered; a larger one by a worker."""


class _Sheets(NamedTuple):
    """The sheets of a workbook, and the chosen one."""

    names: list[str]
    chosen: str


async def read_table_within(session: AsyncSession, contact_import: ContactImport, *, guess: bool) -> None:
    """Turn a small file into a table in the caller's transaction. Raises `FileRefused`.

    `guess`: as in `look_through`.
    """
    async with _spooled(session, contact_import.id) as file:
        await _forget_table(session, contact_import.id)
        await _take_sheets(contact_import, file)
        pieces = _pieces(file, contact_import)
        position = 0
        while piece := await asyncio.to_thread(next, pieces, b""):
            await write_chunk(session, import_id=contact_import.id, position=position, data=piece)
            position += 1
    await _finish(session, contact_import, guess=guess)


async def read_table(database: Database, *, import_id: int, now: datetime) -> ImportStatus:
    """Turn a stored file into a table, piece by piece; return the new status of the import: uploaded, or running.

    After a crash it begins again. Raises `FileRefused` and `Overtaken`.
    """
    async with database.session() as reading:
        contact_import = await reading.get_one(ContactImport, import_id)
        async with _spooled(reading, import_id) as file:
            await database.write(lambda session: _forget_table(session, import_id))
            await _take_sheets(contact_import, file)
            pieces, position = _pieces(file, contact_import), 0
            while piece := await asyncio.to_thread(next, pieces, b""):
                await database.write(
                    partial(_write_piece, import_id=import_id, position=position, data=piece)
                )
                position += 1

    async def work(session: AsyncSession) -> ImportStatus:
        row = await _still_reading(session, import_id)
        row.sheet, row.sheets = contact_import.sheet, contact_import.sheets
        # An import that starts by itself uses only the headers: no person would see a guess first.
        await _finish(session, row, guess=not row.start_when_read)
        if row.start_when_read and _has_phone(row):
            row.status, row.started_at = ImportStatus.RUNNING, now
        announce(session, organization_id=row.organization_id, campaign_id=row.campaign_id)
        return row.status

    return await database.write(work)


async def _write_piece(session: AsyncSession, *, import_id: int, position: int, data: bytes) -> None:
    await _still_reading(session, import_id)
    await write_chunk(session, import_id=import_id, position=position, data=data)


async def _finish(session: AsyncSession, contact_import: ContactImport, *, guess: bool) -> None:
    contact_import.encoding, contact_import.delimiter = "utf-8", ","
    await session.flush()
    await look_through(session, contact_import, guess=guess)
    contact_import.status = ImportStatus.UPLOADED
    await session.flush()


def _has_phone(contact_import: ContactImport) -> bool:
    with suppress(MappingInvalid):
        require_phone_column(contact_import.mapping)
        return True
    return False


async def _still_reading(session: AsyncSession, import_id: int) -> ContactImport:
    found = select(ContactImport).where(col(ContactImport.id) == import_id).with_for_update()
    contact_import = (await session.execute(found)).scalar_one_or_none()
    if contact_import is None or contact_import.status is not ImportStatus.READING:
        raise Overtaken
    return contact_import


async def _forget_table(session: AsyncSession, import_id: int) -> None:
    await session.execute(
        delete(ImportChunk).where(col(ImportChunk.import_id) == import_id, col(ImportChunk.raw).is_(False))
    )


@asynccontextmanager
async def _spooled(session: AsyncSession, import_id: int) -> AsyncIterator[IO[bytes]]:
    """Write the file to disk as it came: a workbook is read from its end."""
    with tempfile.TemporaryFile() as file:
        async for chunk in stored_chunks(session, import_id, raw=True):
            await asyncio.to_thread(file.write, chunk)
        yield file


async def _take_sheets(contact_import: ContactImport, file: IO[bytes]) -> None:
    if contact_import.format != WORKBOOK:
        return
    sheets = await asyncio.to_thread(_sheets, file, contact_import.sheet)
    contact_import.sheets, contact_import.sheet = sheets.names, sheets.chosen


def _sheets(file: IO[bytes], wanted: str) -> _Sheets:
    # Imported only here, so that other processes do not load the library.
    from app.services.tabular.workbooks import opened_workbook, sheet_names

    with opened_workbook(file) as workbook:
        names = sheet_names(workbook)
    if wanted and wanted not in names:
        raise FileRefused(f"The workbook has no sheet “{wanted}”. It has: {', '.join(names[:20])}.")
    return _Sheets(names, wanted or names[0])


def _pieces(file: IO[bytes], contact_import: ContactImport) -> Iterator[bytes]:
    if contact_import.format == WORKBOOK:
        return _in_pieces(_workbook_rows(file, contact_import.sheet))
    return _in_pieces(_json_rows(file))


def _workbook_rows(file: IO[bytes], sheet: str) -> Iterator[Sequence[str]]:
    from app.services.tabular.workbooks import opened_workbook, sheet_rows

    with opened_workbook(file) as workbook:
        yield from sheet_rows(workbook, sheet)


def _json_rows(file: IO[bytes]) -> Iterator[Sequence[str]]:
    columns = file_columns_of(file)
    yield columns
    for item in file_objects(file):
        if isinstance(item, str):
            yield [NO_OBJECT + item]
        else:
            yield [item.get(column, "") for column in columns]


def _in_pieces(rows: Iterator[Sequence[str]]) -> Iterator[bytes]:
    """Yield the rows as CSV in pieces of the usual size. Every cell is quoted, so that none is read as two."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in rows:
        writer.writerow(row)
        if text.tell() >= CHUNK_BYTES:
            yield text.getvalue().encode("utf-8", "replace")
            text.seek(0)
            text.truncate()
    if text.tell():
        yield text.getvalue().encode("utf-8", "replace")
