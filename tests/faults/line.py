"""The wire between us and the carrier: cut at any byte, or down."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

_CHUNK: Final = 65_536
_STRIDE: Final = 389
"""From one cut to the next: coprime to the range, so that every byte has its turn."""
_RANGE: Final = 4_000
"""A create request and its answer are about as long as this together."""
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER at once: closing sends a reset, not an orderly end."""


@dataclass(slots=True)
class Line:
    """A TCP relay from `port` to the carrier's. Idle, it passes everything on."""

    port: int
    carrier_port: int
    cut_every: int = 0
    """Cut every so many connections at a byte of their own; 0: none."""
    cuts: int = 0
    refused: int = 0
    """How often it was called while it was down is unknown: nobody listens then."""
    _server: asyncio.Server | None = None
    _serial: "count[int]" = field(default_factory=lambda: count(1))
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)

    async def stop(self) -> None:
        """Go down: refuse connections, and reset those there are."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._open):
            _reset(writer)
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serial = next(self._serial)
        left = [serial * _STRIDE % _RANGE if self.cut_every and serial % self.cut_every == 0 else -1]
        self._open.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.carrier_port)
        except OSError:
            _reset(writer)
            self._open.discard(writer)
            return
        tasks = {
            asyncio.create_task(_pass(reader, back, left)),
            asyncio.create_task(_pass(there, writer, left)),
        }
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        self.cuts += left[0] == 0
        for each in (writer, back):
            _reset(each) if left[0] == 0 else each.close()
        self._open.discard(writer)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int]) -> None:
    """Pass bytes on until an end, or until the connection's allowance (shared by both ways) is spent."""
    with suppress(OSError):
        while left[0] != 0 and (chunk := await reader.read(_CHUNK)):
            if left[0] > 0:
                chunk = chunk[: left[0]]
                left[0] -= len(chunk)
            writer.write(chunk)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.close()
