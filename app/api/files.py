"""CSV files as responses, streamed while they are read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.runtime.database import Database
from app.runtime.streams import put_back

Text = AsyncIterator[str]
Read = Callable[[AsyncSession], Awaitable[Text]]

PRIVATE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def csv_file(database: Database, name: str, read: Read) -> StreamingResponse:
    """Return a file of that name with the content from `read`. Errors are raised before the first byte."""
    pieces = _pieces(database, read)
    first = await anext(pieces)
    return StreamingResponse(
        put_back(first, pieces),
        media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _pieces(database: Database, read: Read) -> Text:
    async with database.session() as session:
        async for piece in await read(session):
            # Release the connection while the client reads.
            await session.commit()
            yield piece
