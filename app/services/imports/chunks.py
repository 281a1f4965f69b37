"""The stored file: pieces of 1 MiB in the database, written and read one at a time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import ContactImport, ImportChunk
from app.services.imports.decoding import EncodingDetector, too_large
from app.services.imports.reading import FileRow, RowReader

CHUNK_BYTES = 1 << 20
JSON_FORMAT = "json"
"""An import that came as JSON objects is kept as CSV; only its rows are numbered otherwise."""


async def store_file(
    session: AsyncSession, *, import_id: int, data: bytes | AsyncIterator[bytes], max_bytes: int
) -> tuple[int, str]:
    """Write the file piece by piece; return its size and encoding. Raises `FileRefused`."""
    detector, size, position = EncodingDetector(), 0, 0
    async for chunk in _chunks_of(data):
        size += len(chunk)
        if size > max_bytes:
            raise too_large(max_bytes)
        await asyncio.to_thread(detector.feed, chunk)
        await session.execute(insert(ImportChunk).values(import_id=import_id, position=position, data=chunk))
        position += 1
    return size, detector.result()


def reader_for(contact_import: ContactImport) -> RowReader:
    """Return a reader that stands at the beginning of the import's file."""
    return RowReader(
        contact_import.encoding,
        delimiter=contact_import.delimiter or None,
        items=contact_import.format == JSON_FORMAT,
    )


async def read_batches(
    session: AsyncSession, *, import_id: int, reader: RowReader, size: int
) -> AsyncGenerator[list[FileRow]]:
    """Yield the rows in order, `size` at a time, holding one piece of the file. Raises `FileRefused`."""
    waiting: list[FileRow] = []
    async for chunk in _stored_chunks(session, import_id):
        waiting += await asyncio.to_thread(reader.feed, chunk)
        while len(waiting) >= size:
            yield waiting[:size]
            del waiting[:size]
    waiting += await asyncio.to_thread(reader.close)
    for start in range(0, len(waiting), size):
        yield waiting[start : start + size]


async def first_rows(
    session: AsyncSession, contact_import: ContactImport, count: int
) -> tuple[list[str], list[FileRow]]:
    """Return the headers and the first rows that could be split into cells."""
    reader = reader_for(contact_import)
    rows: list[FileRow] = []
    async for batch in read_batches(session, import_id=contact_import.id, reader=reader, size=count):
        rows = [row for row in batch if not row.problem]
        break
    return reader.headers, rows


async def _stored_chunks(session: AsyncSession, import_id: int) -> AsyncIterator[bytes]:
    position = 0
    statement = select(col(ImportChunk.data)).where(col(ImportChunk.import_id) == import_id)
    while chunk := (
        await session.execute(statement.where(col(ImportChunk.position) == position))
    ).scalar_one_or_none():
        yield chunk
        position += 1


async def _chunks_of(data: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(data, bytes):
        for start in range(0, len(data), CHUNK_BYTES):
            yield data[start : start + CHUNK_BYTES]
        return
    waiting = bytearray()
    async for piece in data:
        waiting += piece
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)
