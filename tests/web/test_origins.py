"""Whose pages may open the socket."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.web.origins import RefuseForeignOrigins, is_own

PUBLIC = "https://calls.example.com"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://calls.example.com", "calls.example.com"),
        ("https://calls.example.com", "calls.example.com:443"),
        ("https://calls.example.com", "127.0.0.1:3000"),  # behind a proxy that asks by another name
        ("http://calls.internal:3700", "calls.internal:3700"),
        ("http://calls.internal", "Calls.internal"),
        ("https://calls.internal:8443", "calls.internal:8443"),
        ("http://localhost:3000", "localhost:3000"),
        ("http://127.0.0.1:3000", "127.0.0.1:3000"),
        ("http://[::1]:3000", "[::1]:3000"),
    ],
)
def test_a_page_of_ours_is_one_that_asks_where_it_came_from(origin: str, host: str) -> None:
    assert is_own(origin, host=host, public_url=PUBLIC)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "calls.example.com"),
        ("http://calls.example.com", "calls.example.com"),  # what came in clear may be anybody's
        ("https://calls.example.com:8443", "calls.example.com"),
        ("https://calls.example.com.evil.example", "calls.example.com"),
        ("https://sibling.example.com", "calls.example.com"),
        ("http://localhost:3000", "calls.example.com"),
        ("http://127.0.0.1:3000", "calls.example.com"),
        ("http://calls.internal:3701", "calls.internal:3700"),
        ("null", "calls.example.com"),
        ("", "calls.example.com"),
        ("file://calls.example.com", "calls.example.com"),
        ("https://", ""),
    ],
)
def test_any_other_page_is_not(origin: str, host: str) -> None:
    assert not is_own(origin, host=host, public_url=PUBLIC)


async def answered(path: str, *origins: str) -> list[Message]:
    sent: list[Message] = []

    async def reflex(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"calls.example.com"), *((b"origin", origin.encode()) for origin in origins)]
    scope = {"type": "websocket", "path": path, "headers": headers}
    await RefuseForeignOrigins(reflex, public_url=PUBLIC)(scope, receive, send)
    return sent


async def test_the_socket_of_pages_is_opened_to_ours_alone() -> None:
    opened, refused = [{"type": "websocket.accept"}], [{"type": "websocket.close", "code": 1008}]
    assert await answered("/_event/", PUBLIC) == opened
    assert await answered("/_event/") == opened, "who says no origin is no browser's page"
    assert await answered("/_event/", "https://evil.example") == refused
    assert await answered("/_event/", PUBLIC, "https://evil.example") == refused
    assert await answered("/ws/campaigns/1/progress", "https://dashboard.example") == opened, "it takes a key"
