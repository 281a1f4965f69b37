"""Writing what many attempts of one transaction change in few round trips instead of two or three for each."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

_KEY: Final = "together"

Lines = dict[TextClause, list[tuple[int, Mapping[str, Any]]]]


@asynccontextmanager
async def together(session: AsyncSession) -> AsyncIterator[None]:
    """Let everything that `write` is given inside be sent at the end, each statement's lines as one pipeline."""
    session.info[_KEY] = {}
    try:
        yield
        await flush(session)
    finally:
        del session.info[_KEY]


async def write(
    session: AsyncSession, statement: TextClause, values: Mapping[str, Any], *, order: int = 0
) -> None:
    """Execute a change whose answer nobody needs: now or, within `together`, at its end.

    `order`: lines of a statement are sent in this order, so that transactions which touch the same rows
    do so in the same order.
    """
    lines: Lines | None = session.info.get(_KEY)
    if lines is None:
        await session.execute(statement, values)
    else:
        lines.setdefault(statement, []).append((order, values))


async def flush(session: AsyncSession) -> None:
    """Send what has gathered: for whoever is about to read it."""
    lines: Lines = session.info.get(_KEY, {})
    for statement, ordered in lines.items():
        await session.execute(statement, [values for _, values in sorted(ordered, key=lambda line: line[0])])
    lines.clear()
