"""The connection of a tab, which the server can end."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from starlette.status import WS_1000_NORMAL_CLOSURE
from starlette.types import Message, Receive, Send

_LEFT: Final[Message] = {"type": "websocket.disconnect", "code": WS_1000_NORMAL_CLOSURE}
_DO_NOT_COME_BACK: Final = "41/_event,"
"""Socket.IO's packet for: the server has closed the connection. The browser reconnects only when its page is used."""


class TabConnection:
    """One connection of a tab, which the server can end."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_new = True
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        """Return the next message of the browser; a disconnect once the connection is ended."""
        if self._is_new:
            self._is_new = False
            return await self._receive()
        coming = asyncio.ensure_future(self._receive())
        either: set[asyncio.Future[Any]] = {coming, self._ending}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return _LEFT if self._ending.done() else coming.result()
        finally:
            coming.cancel()

    async def send(self, message: Message) -> None:
        """Send a message of Reflex, unless the connection is ended."""
        if not self._ending.done():
            await self._send(message)

    async def end(self) -> None:
        """Tell the browser not to reconnect by itself, close the connection, and report a disconnect to Reflex."""
        if self._ending.done():
            return
        self._ending.set_result(None)
        with suppress(Exception):  # the other side, or the server between, may be gone already
            await self._send({"type": "websocket.send", "text": _DO_NOT_COME_BACK})
            await self._send({"type": "websocket.close", "code": WS_1000_NORMAL_CLOSURE})
