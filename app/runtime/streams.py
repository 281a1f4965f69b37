"""Streams of pieces: files that are uploaded or downloaded."""

from collections.abc import AsyncIterator
from typing import TypeVar

Piece = TypeVar("Piece")


async def put_back(first: Piece, rest: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
    """Yield the first piece, which was taken out to look at it, and then the rest."""
    yield first
    async for piece in rest:
        yield piece
