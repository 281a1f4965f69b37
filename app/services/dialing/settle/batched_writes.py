"""Writing what many attempts of one transaction change by one statement instead of one for each."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

from sqlalchemy.ext.asyncio import AsyncSession

from app.runtime.database import quickly

_KEY: Final = "together"

Line = Mapping[str, Any]
Lines = dict[LiteralString, list[Line]]


@asynccontextmanager
async def together(session: AsyncSession) -> AsyncIterator[None]:
    """Let everything that `write` is given inside be sent at the end, each statement once with all its lines."""
    session.info[_KEY] = {}
    try:
        yield
        await flush(session)
    finally:
        del session.info[_KEY]


async def write(session: AsyncSession, statement: LiteralString, line: Line) -> None:
    """Execute a change whose answer nobody needs: now or, within `together`, at its end.

    The statement reads its lines from `%(lines)s`, as `lines_of` makes it; what a line lacks is NULL. It takes them in
    any order: it is for the statement to lock what others may lock too in one order.
    """
    lines: Lines | None = session.info.get(_KEY)
    if lines is None:
        await quickly(session, statement, {"lines": lines_of([line])})
    else:
        lines.setdefault(statement, []).append(line)


async def flush(session: AsyncSession) -> None:
    """Send what has gathered: for whoever is about to read it."""
    lines: Lines = session.info.get(_KEY, {})
    for statement, gathered in lines.items():
        await quickly(session, statement, {"lines": lines_of(gathered)})
    lines.clear()


def lines_of(lines: list[Line]) -> str:
    """Return the lines as one document, for `json_to_recordset`: an array a column takes the driver far longer."""
    return json.dumps(lines, default=str)
