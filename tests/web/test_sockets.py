"""The bounds of the socket that every page holds."""

import asyncio
import logging
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.runtime.quotas import Quotas
from app.services.access.sessions import SignedInUser
from app.web.sockets import SIGNED_IN, STRANGER, LimitSockets
from app.web.tab_connection import TabConnection
from app.web.tabs import BROWSER, CONNECTION, PERSON
from tests.support.clock import VirtualClock

EVENT = '42/_event,["event",{"name":"app.save"}]'
ADA = SignedInUser(user_id=7, email="ada@example.com", name="Ada", session_id=1)


class Reflex:
    """Stands behind the door: opens every socket and keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.left: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.heard.append(message["text"])
        self.left.append(message["code"])


class Door:
    """The door, and who comes to it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.reflex = Reflex()
        self._quotas = Quotas(self.clock)
        self._limits = LimitSockets(self.reflex, quotas=lambda: self._quotas, handlers=lambda: {"app.save"})

    async def talk(
        self,
        *frames: str | bytes,
        person: SignedInUser | None = None,
        browser: str | None = None,
        address: str = "192.0.2.1",
    ) -> list[Message]:
        """Open a socket, send the frames, leave; return what was answered."""
        messages: list[Message] = [{"type": "websocket.connect"}]
        for frame in frames:
            kind = "text" if isinstance(frame, str) else "bytes"
            messages.append({"type": "websocket.receive", kind: frame})
        answered: list[Message] = []
        coming = iter([*messages, {"type": "websocket.disconnect", "code": 1001}])

        async def receive() -> Message:
            return next(coming)

        async def send(message: Message) -> None:
            answered.append(message)

        await self._limits(*_opening(person, browser, address, receive, send))
        return answered

    async def hold(
        self, person: SignedInUser | None = None, browser: str | None = None, address: str = "192.0.2.1"
    ) -> "Held":
        """Open a socket and stay."""
        held = Held()
        opening = _opening(person, browser, address, held.coming.get, held.answered.put)
        held.task = asyncio.create_task(self._limits(*opening))
        await held.coming.put({"type": "websocket.connect"})
        held.first = await held.answered.get()
        return held


class Held:
    """A socket that stays open."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[Any] = asyncio.Queue()
        self.answered: asyncio.Queue[Any] = asyncio.Queue()
        self.task: asyncio.Task[None]
        self.first: Message

    async def leave(self) -> None:
        await self.coming.put({"type": "websocket.disconnect", "code": 1000})
        await self.task


def _opening(
    person: SignedInUser | None, browser: str | None, address: str, receive: Receive, send: Send
) -> tuple[Scope, Receive, Send]:
    """Return what `BindTabs` hands on of a socket that is opened."""
    line = TabConnection(receive, send)
    told = {PERSON: person, BROWSER: browser, CONNECTION: line}
    return {"type": "websocket", "path": "/_event/", "client": (address, 5), **told}, line.receive, line.send


@pytest.fixture
def door() -> Door:
    return Door()


def closed_with(answered: list[Message]) -> int | None:
    return next((message["code"] for message in answered if message["type"] == "websocket.close"), None)


async def test_events_go_through_until_there_are_too_many(door: Door) -> None:
    answered = await door.talk(*[EVENT] * (STRANGER.events.amount + 5))
    assert len(door.reflex.heard) == STRANGER.events.amount
    assert closed_with(answered) == 1008
    assert door.reflex.left == [1008]


async def test_who_is_signed_in_may_say_more_and_longer_things(door: Door) -> None:
    long = EVENT.replace("app.save", "app.save" + '","payload":{"text":"' + "x" * 500_000 + '"},"x":"')
    assert closed_with(await door.talk(*[EVENT] * 300, long, person=ADA)) is None
    assert len(door.reflex.heard) == 301
    assert closed_with(await door.talk(long)) == 1009
    assert closed_with(await door.talk(EVENT + " " * SIGNED_IN.longest_frame, person=ADA)) == 1009


@pytest.mark.parametrize("frame", [b"\x00", b"", "nonsense", "451-[]", '42/_event,["event",{"name":null}]'])
async def test_a_frame_that_no_browser_sends_closes_the_socket(door: Door, frame: str | bytes) -> None:
    assert closed_with(await door.talk(EVENT, frame, EVENT, person=ADA)) == 1008
    assert door.reflex.heard == [EVENT]


async def test_an_event_without_a_handler_is_dropped(door: Door) -> None:
    unknown = EVENT.replace("app.save", "app.gone")
    assert closed_with(await door.talk(unknown, EVENT, person=ADA)) is None
    assert door.reflex.heard == [EVENT]


async def test_with_one_socket_too_many_of_an_address_its_oldest_is_closed(door: Door) -> None:
    held = [await door.hold(address=f"2001:db8::{index:x}") for index in range(STRANGER.most_sockets)]
    others = [await door.hold(address="192.0.2.9"), await door.hold(person=ADA, address="2001:db8::1")]
    others.append(await door.hold(browser="a-known-one", address="2001:db8::1"))
    assert {each.first["type"] for each in (*held, *others)} == {"websocket.accept"}
    newest = await door.hold(address="2001:db8::ffff")
    assert newest.first["type"] == "websocket.accept"
    told = [await held[0].answered.get(), await held[0].answered.get()]
    assert told == [
        {"type": "websocket.send", "text": "41/_event,"},
        {"type": "websocket.close", "code": 1000},
    ]
    await held[0].task
    assert all(each.answered.empty() for each in (*held[1:], *others, newest))
    for each in (*held[1:], *others, newest):
        await each.leave()


async def test_sockets_opened_one_after_another_are_counted_too(door: Door) -> None:
    for _ in range(STRANGER.sockets.amount):
        assert closed_with(await door.talk()) is None
    assert closed_with(await door.talk()) == 1013
    assert closed_with(await door.talk(browser="a-known-one")) is None
    assert closed_with(await door.talk(person=ADA)) is None
    door.clock.advance(seconds=60)
    assert closed_with(await door.talk()) is None


async def test_a_flood_is_a_few_short_lines_with_nothing_of_what_was_sent(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(40):
        await door.talk("secret nonsense " + "x" * 10_000)
        await door.talk(EVENT.replace("app.save", "secret.handler"))
    lines = [record.getMessage() + str(vars(record)) for record in caplog.records]
    assert 0 < len(lines) <= 3
    assert "secret" not in "".join(lines)
    assert all(record.exc_info is None for record in caplog.records)
