"""Limits for the socket that every page opens. Anyone may open one; without a session the limits are lower."""

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

from starlette.status import WS_1008_POLICY_VIOLATION, WS_1009_MESSAGE_TOO_BIG, WS_1013_TRY_AGAIN_LATER
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.addresses import counted_as
from app.domain.quotas import Quota
from app.runtime.quotas import Quotas
from app.services.access.sessions import SignedInUser
from app.web.frames import Fault, fault_of
from app.web.tab_connection import TabConnection
from app.web.tabs import BROWSER, CONNECTION, PERSON, is_tab_socket

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one kind of visitor."""

    sockets: Quota
    """Sockets opened, by user or by address."""
    most_sockets: int
    """Sockets open at the same time in this process, by user or by address. One more closes the oldest."""
    events: Quota
    """Events of one socket."""
    longest_frame: int
    """Characters."""


SIGNED_IN: Final = Bounds(
    sockets=Quota("sockets", 300),
    most_sockets=200,
    events=Quota("events", 400, seconds=40),
    longest_frame=1_000_000,
)
"""A frame can hold a pasted list. Typing sends an event for every few letters."""

STRANGER: Final = Bounds(
    sockets=Quota("strangers' sockets", 300),
    most_sockets=100,
    events=Quota("strangers' events", 60, seconds=20),
    longest_frame=20_000,
)
"""Enough for the pages for signing in and setting up.

A browser in which a user has signed in before is counted by itself, so that others at its address cannot lock it out.
"""

_REFUSALS_TOLD: Final = Quota("refusals told", 3)
"""Lines in the log about one address, so that a flood of requests does not fill the disk."""

_serial = count(1)


@dataclass(frozen=True, slots=True)
class _Visitor:
    name: str
    address: str
    bounds: Bounds


def _visitor(scope: Scope) -> _Visitor:
    person: SignedInUser | None = scope.get(PERSON)
    client = scope.get("client")
    address = counted_as(client[0] if client else "")
    if person is not None:
        return _Visitor(f"person {person.user_id}", address, SIGNED_IN)
    browser = scope.get(BROWSER)
    return _Visitor(address if browser is None else f"browser {browser}", address, STRANGER)


class LimitSockets:
    """ASGI middleware behind `BindTabs`: counts sockets and events, and checks each frame before Reflex gets it."""

    def __init__(
        self, app: ASGIApp, *, quotas: Callable[[], Quotas], handlers: Callable[[], Container[str]]
    ) -> None:
        """`handlers` returns the full names of all events."""
        self._app = app
        self._quotas = quotas
        self._handlers = handlers
        self._open: defaultdict[str, list[TabConnection]] = defaultdict(list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket within its limits."""
        if not is_tab_socket(scope):
            await self._app(scope, receive, send)
            return
        visitor, quotas = _visitor(scope), self._quotas()
        socket = _Socket(visitor, quotas, self._handlers(), receive, send)
        if quotas.use(visitor.bounds.sockets, visitor.name).refused:
            await socket.close(WS_1013_TRY_AGAIN_LATER, "too_many_sockets")
            return
        async with self._counted(visitor, scope[CONNECTION]):
            await self._app(scope, socket.receive, send)

    @asynccontextmanager
    async def _counted(self, visitor: _Visitor, connection: TabConnection) -> AsyncIterator[None]:
        """Count the socket while it is open, and end the visitor's oldest one if there are too many."""
        connections = self._open[visitor.name]
        connections.append(connection)
        try:
            if len(connections) > visitor.bounds.most_sockets:
                await connections.pop(0).end()
            yield
        finally:
            if connection in connections:
                connections.remove(connection)
            if not connections:
                self._open.pop(visitor.name, None)


class _Socket:
    """One socket, whose frames are checked as they arrive."""

    def __init__(
        self, visitor: _Visitor, quotas: Quotas, handlers: Container[str], receive: Receive, send: Send
    ) -> None:
        self._visitor = visitor
        self._bounds = visitor.bounds
        self._quotas = quotas
        self._handlers = handlers
        self._receive = receive
        self._send = send
        self._serial = next(_serial)

    async def receive(self) -> Message:
        """Return the next message for Reflex; a disconnect if the browser has sent a frame that is not allowed."""
        while (message := await self._receive())["type"] == "websocket.receive":
            match self._fault_of(message.get("text")):
                case None:
                    return message
                case Fault.UNKNOWN_HANDLER as fault:
                    self._tell(fault)
                case fault:
                    code = WS_1009_MESSAGE_TOO_BIG if fault is Fault.TOO_BIG else WS_1008_POLICY_VIOLATION
                    await self.close(code, fault)
                    return {"type": "websocket.disconnect", "code": code}
        return message

    async def close(self, code: int, why: str) -> None:
        """Close the socket and say why in the log."""
        self._tell(why)
        await self._send({"type": "websocket.close", "code": code})

    def _fault_of(self, frame: str | None) -> Fault | None:
        if frame is None:
            return Fault.MALFORMED
        if len(frame) > self._bounds.longest_frame:
            return Fault.TOO_BIG
        if self._quotas.use(self._bounds.events, self._serial).refused:
            return Fault.TOO_MANY
        return fault_of(frame, self._handlers)

    def _tell(self, why: str) -> None:
        """Write one line to the log, without any text that the browser has sent."""
        if not self._quotas.use(_REFUSALS_TOLD, self._visitor.address).refused:
            log.warning("web.socket_refused", extra={"why": str(why), "address": self._visitor.address})
