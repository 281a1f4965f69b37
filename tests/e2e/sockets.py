"""A socket of one's own at a tab's door: what somebody who is no browser can send, and what they are told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import socketio

from app.services.access.sessions import SESSION_COOKIE

HYDRATE: Final = "reflex___state____state.hydrate"
"""Reflex's event that asks for all that a tab shows."""

_NAMESPACE: Final = "/_event"
_WITHIN_SECONDS: Final = 5.0

Result = TypeVar("Result")


@dataclass
class TabSocket:
    """An open socket that says it is a tab."""

    client: socketio.AsyncClient
    updates: asyncio.Queue[Any]

    async def send(self, name: str, **payload: Any) -> None:
        """Send one event from the sign-in page."""
        event = {"name": name, "payload": payload, "router_data": {"pathname": "/sign-in/", "query": {}}}
        await self.client.emit("event", event, namespace=_NAMESPACE)

    async def hydrated(self) -> str:
        """Ask for all that the tab shows, and return it as text."""
        while not self.updates.empty():
            self.updates.get_nowait()
        await self.send(HYDRATE)
        async with asyncio.timeout(_WITHIN_SECONDS):
            while "rx_router" not in (told := json.dumps(await self.updates.get())):
                pass
        return told


@asynccontextmanager
async def tab_socket(url: str, *, token: str, cookie: str) -> AsyncIterator[TabSocket]:
    """Open a socket with a tab's token and a session's cookie; empty for none."""
    client, updates = socketio.AsyncClient(reconnection=False), asyncio.Queue[Any]()
    client.on("event", updates.put_nowait, namespace=_NAMESPACE)
    headers = {"Cookie": f"{SESSION_COOKIE}={cookie}"} if cookie else {}
    await client.connect(
        f"{url}?token={token}",
        headers=headers,
        transports=["websocket"],
        namespaces=[_NAMESPACE],
        socketio_path="_event",
        wait_timeout=_WITHIN_SECONDS,
    )
    try:
        yield TabSocket(client, updates)
    finally:
        await client.disconnect()


def run(talk: Callable[[], Awaitable[Result]]) -> Result:
    """Run a coroutine to its end, in a thread: Playwright's occupies this one's event loop."""

    async def wait() -> Result:
        return await talk()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(wait())).result()
