"""Writes the changes of many attempts in a transaction with one statement instead of one for each."""

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
    """Gather the calls of `write` inside, and send each statement once at the end, with all its lines."""
    session.info[_KEY] = {}
    try:
        yield
        await flush(session)
    finally:
        del session.info[_KEY]


async def write(session: AsyncSession, statement: LiteralString, line: Line) -> None:
    """Execute a change without a result: now or, inside `together`, at its end.

    The statement reads its lines from `%(lines)s`, as `lines_of` makes them; a missing key is NULL. The order of the
    lines is not defined: a statement that locks shared rows must order them itself.
    """
    lines: Lines | None = session.info.get(_KEY)
    if lines is None:
        await quickly(session, statement, {"lines": lines_of([line])})
    else:
        lines.setdefault(statement, []).append(line)


async def flush(session: AsyncSession) -> None:
    """Send the gathered changes. Call it before you read what they change."""
    lines: Lines = session.info.get(_KEY, {})
    for statement, gathered in lines.items():
        await quickly(session, statement, {"lines": lines_of(gathered)})
    lines.clear()


def lines_of(lines: list[Line]) -> str:
    """Return the lines as one document for `json_to_recordset`: much faster than an array for each column."""
    return json.dumps(lines, default=str)
