"""The stored file: pieces of 256 KiB in the database, written and read one at a time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import ContactImport, ImportChunk
from app.services.imports.files.row_thread import in_thread
from app.services.tabular.detection import EncodingDetector
from app.services.tabular.refusals import too_large
from app.services.tabular.row_reader import FileRow, RowReader

CHUNK_BYTES = 1 << 18
_WRITE = insert(ImportChunk)
JSON_FORMAT = "json"
"""The format of an import of JSON objects. They are stored as CSV, but their rows are numbered as items."""


class ResumePoint(NamedTuple):
    """Where reading resumes: a chunk, its rows that are done, and the reader's state before the chunk."""

    chunk: int
    rows: int
    reader: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return self._asdict()


class FileBatch(NamedTuple):
    """Rows in order, and where reading resumes after them."""

    rows: list[FileRow]
    resume_at: ResumePoint


async def store_file(
    session: AsyncSession, *, import_id: int, pieces: AsyncIterator[bytes], max_bytes: int
) -> tuple[int, str]:
    """Store a text file, given in pieces from `pieces_of`; return its size and encoding. Raises `FileRefused`."""
    detector = EncodingDetector()
    size = 0
    async for chunk in _counted(pieces, max_bytes):
        await asyncio.to_thread(detector.feed, chunk)
        await write_chunk(session, import_id=import_id, position=size // CHUNK_BYTES, data=chunk)
        size += len(chunk)
    return size, detector.result()


async def store_raw(
    session: AsyncSession, *, import_id: int, pieces: AsyncIterator[bytes], max_bytes: int
) -> int:
    """Store a file that must be converted into a table later, in pieces from `pieces_of`; return its size.

    Raises `FileRefused`.
    """
    size = 0
    async for chunk in _counted(pieces, max_bytes):
        await write_chunk(session, import_id=import_id, position=size // CHUNK_BYTES, data=chunk, raw=True)
        size += len(chunk)
    return size


async def write_chunk(
    session: AsyncSession, *, import_id: int, position: int, data: bytes, raw: bool = False
) -> None:
    """Write one piece."""
    row = {"import_id": import_id, "raw": raw, "position": position, "data": data}
    # The row is passed beside the statement. As a part of it, the memory would be freed by the garbage collector only,
    # hundreds of pieces later.
    await session.execute(_WRITE, [row])


async def stored_chunks(
    session: AsyncSession, import_id: int, *, raw: bool = False, start: int = 0
) -> AsyncIterator[bytes]:
    """Yield the pieces from `start` on, in order."""
    statement = select(col(ImportChunk.data)).where(
        col(ImportChunk.import_id) == import_id, col(ImportChunk.raw).is_(raw)
    )
    position = start
    while chunk := (
        await session.execute(statement.where(col(ImportChunk.position) == position))
    ).scalar_one_or_none():
        yield chunk
        position += 1


def reader_for(contact_import: ContactImport) -> RowReader:
    """Return a reader for the import's file, at its beginning."""
    return RowReader(
        contact_import.encoding,
        delimiter=contact_import.delimiter or None,
        items=contact_import.format == JSON_FORMAT,
    )


async def read_batches(
    session: AsyncSession,
    *,
    import_id: int,
    reader: RowReader,
    size: int,
    resume_at: ResumePoint | None = None,
) -> AsyncGenerator[FileBatch]:
    """Yield the rows in order, `size` at a time, with one piece of the file in memory. Raises `FileRefused`.

    With `resume_at`, yields the rows after it; at most one piece is read a second time.
    """
    start, skip = (resume_at.chunk, resume_at.rows) if resume_at else (0, 0)
    if resume_at:
        reader.restore(resume_at.reader)
    waiting: list[FileRow] = []
    position = start
    chunks = stored_chunks(session, import_id, start=start)
    is_last = False
    while not is_last:
        before, held = reader.state(), len(waiting)
        chunk = await anext(chunks, None)
        is_last = chunk is None
        rows = await in_thread(reader.feed, chunk) if chunk else await in_thread(reader.close)
        waiting += rows[skip:]
        given, skip = skip - held, 0
        while len(waiting) >= size or (is_last and waiting):
            batch = waiting[:size]
            del waiting[:size]
            given += len(batch)
            yield FileBatch(batch, ResumePoint(position, given, before))
        position += 1


async def forget_file(session: AsyncSession, import_id: int) -> None:
    """Delete the stored file of an import that has ended. Pages show only its `head` from then on."""
    await session.execute(delete(ImportChunk).where(col(ImportChunk.import_id) == import_id))


async def pieces_of(data: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the data in pieces of `CHUNK_BYTES`, the size in which they are stored."""
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


async def _counted(pieces: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            raise too_large(max_bytes)
        yield piece
